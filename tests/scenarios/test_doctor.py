"""`frontdesk doctor` says what is missing and how to mend it."""

from __future__ import annotations

from pathlib import Path

from tests.process import ROOT
from tests.scenarios.test_bad_input import frontdesk


def test_the_repository_is_healthy_but_for_what_the_first_start_makes(tmp_path: Path) -> None:
    code, printed = frontdesk(ROOT, "doctor", FRONTDESK_STATE_DIR=str(tmp_path / "state"))
    assert code == 0, printed
    assert "config.yml, domain.yml and data/ fit together" in printed
    assert "complete and unaltered" in printed
    assert "frontdesk seed" in printed


def test_every_problem_is_named_with_its_remedy(tmp_path: Path) -> None:
    credentials = tmp_path / "credentials.yml"
    credentials.write_text("twilio:\n  account_sid: AC1\n")
    endpoints = tmp_path / "endpoints.yml"
    endpoints.write_text("crm: {type: sql}\npos: {type: sql}\nhandoff: {queue_timeout: soon}\n")
    code, printed = frontdesk(
        ROOT,
        "doctor",
        FRONTDESK_STATE_DIR=str(tmp_path / "state"),
        FRONTDESK_CREDENTIALS=str(credentials),
        FRONTDESK_ENDPOINTS=str(endpoints),
        FRONTDESK_DATABASE_URL="postgresql://nobody:planted-password@127.0.0.1:9/none",
    )
    assert code == 1
    assert "auth_token" in printed
    assert "handoff.queue_timeout is not a number of minutes" in printed
    assert "did not answer" in printed
    assert "planted-password" not in printed
