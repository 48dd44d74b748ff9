"""Bad input gets a clear error: the key, the value and the next step; nothing is lost."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import tarfile
import tempfile
from pathlib import Path

import pytest

from tests.process import ROOT, Forked

CONFIG = """
recipe: default.v1
assistant_id: small
language: en
pipeline:
- name: bot.nlu.tokenizer.BlankSpacyTokenizer
- name: CountVectorsFeaturizer
- name: LogisticRegressionClassifier
policies:
- name: RulePolicy
"""
DOMAIN = """
version: "3.1"
intents: [greet, bye]
responses:
  utter_hi: [{text: hi}]
"""
DATA = """
version: "3.1"
nlu:
- intent: greet
  examples: |
    - hello
    - hi there
- intent: bye
  examples: |
    - bye
    - see you
rules:
- rule: greet
  steps: [{intent: greet}, {action: utter_hi}]
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A small assistant that is right."""
    (tmp_path / "data").mkdir()
    (tmp_path / "config.yml").write_text(CONFIG)
    (tmp_path / "domain.yml").write_text(DOMAIN)
    (tmp_path / "data" / "all.yml").write_text(DATA)
    return tmp_path


def frontdesk(
    project: Path, *arguments: str, patience: float = 100, **environment: str
) -> tuple[int, str]:
    """Runs the command; returns the exit code and all it printed, on one line."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith("FRONTDESK_")}
    variables = clean | {
        "FRONTDESK_PROJECT_DIR": str(project),
        "FRONTDESK_STATE_DIR": str(project / "state"),
        "FRONTDESK_ENDPOINTS": str(ROOT / "endpoints.yml"),
        "COLUMNS": "200",
        **environment,
    }
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "printed"
        process = Forked(arguments, variables, output)
        try:
            code = process.wait(patience)
        finally:
            process.send_signal(signal.SIGKILL)
        printed = " ".join(output.read_text().split())
    assert "Traceback" not in printed, printed
    return code, printed


def test_broken_yaml_names_file_and_line(project: Path) -> None:
    (project / "domain.yml").write_text('version: "3.1"\nintents:\n  - greet\n bye: [\n')
    code, printed = frontdesk(project, "train")
    assert code == 2
    assert "domain.yml" in printed
    assert "line 4" in printed


def test_an_unknown_intent_in_a_rule_is_named(project: Path) -> None:
    data = project / "data" / "all.yml"
    data.write_text(DATA.replace("{intent: greet}", "{intent: grete}"))
    code, printed = frontdesk(project, "train")
    assert code == 2
    assert "'grete'" in printed
    assert "domain.yml" in printed


def test_a_component_that_needs_tensorflow_says_how_to_have_it(project: Path) -> None:
    config = project / "config.yml"
    config.write_text(CONFIG.replace("LogisticRegressionClassifier", "DIETClassifier"))
    code, printed = frontdesk(project, "train")
    assert code == 2
    assert "DIETClassifier" in printed
    assert "make tensorflow" in printed


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("mysql://localhost/shop", "mysql"),
        ("not a url", "is not a database URL"),
        ("sqlite://", "forgets"),
    ],
)
def test_a_wrong_database_url_is_refused(project: Path, url: str, said: str) -> None:
    code, printed = frontdesk(project, "serve", "--port", "18231", FRONTDESK_DATABASE_URL=url)
    assert code == 2
    assert "FRONTDESK_DATABASE_URL" in printed
    assert said in printed


def test_a_database_that_does_not_answer_is_said_without_its_password(project: Path) -> None:
    url = "postgresql://shop:planted-password@127.0.0.1:9/none"
    code, printed = frontdesk(project, "serve", "--port", "18232", FRONTDESK_DATABASE_URL=url)
    assert code == 2
    assert "did not answer" in printed
    assert "planted-password" not in printed


def test_a_missing_secret_is_named_with_its_variable(project: Path) -> None:
    (project / "credentials.yml").write_text(
        "twilio:\n  account_sid: AC1\n  auth_token: ${TWILIO_AUTH_TOKEN}\n  twilio_number: '+1'\n"
    )
    code, printed = frontdesk(project, "serve", "--port", "18233")
    assert code == 2
    assert "auth_token" in printed
    assert "TWILIO_AUTH_TOKEN" in printed


def test_a_public_server_needs_a_secret_of_its_own(project: Path) -> None:
    code, printed = frontdesk(project, "serve", "--host", "0.0.0.0", "--port", "18234")
    assert code == 2
    assert "FRONTDESK_SECRET_KEY" in printed


def test_a_port_in_use_is_named_before_any_work_is_done(project: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        code, printed = frontdesk(project, "serve", "--port", port)
    assert code == 2
    assert "in use" in printed
    assert port in printed
    assert not (project / "models").exists()


def test_a_number_that_is_no_port_is_refused(project: Path) -> None:
    code, printed = frontdesk(project, "serve", FRONTDESK_PORT="eighty")
    assert code == 2
    assert "FRONTDESK_PORT" in printed
    assert "eighty" in printed


def test_a_model_of_another_version_is_refused(project: Path) -> None:
    (project / "credentials.yml").write_text("webchat:\n  secret: ${FRONTDESK_SECRET_KEY}\n")
    assert frontdesk(project, "train")[0] == 0
    [model] = (project / "models").glob("*.tar.gz")
    old = project / "old.tar.gz"
    unpacked = project / "unpacked"
    unpacked.mkdir()
    # Not by tarfile: where Rasa has loaded a model before, its classes are others.
    subprocess.run(["tar", "-xzf", model, "-C", unpacked], check=True)
    metadata = unpacked / "metadata.json"
    metadata.write_text(metadata.read_text().replace('"3.6.21"', '"2.8.0"'))
    with tarfile.open(old, "w:gz") as archive:
        for part in unpacked.iterdir():
            archive.add(part, part.name)
    code, printed = frontdesk(project, "serve", "--port", "18235", "--model", str(old))
    assert code == 2
    assert "old.tar.gz" in printed
    assert "frontdesk train" in printed


def test_a_folder_without_an_assistant_is_said(tmp_path: Path) -> None:
    code, printed = frontdesk(tmp_path, "train")
    assert code == 2
    assert "config.yml" in printed
