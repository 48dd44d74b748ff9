"""A process killed at each step of a timer: what is due happens once afterwards."""

from __future__ import annotations

import asyncio
import signal
import time
from contextlib import ExitStack
from pathlib import Path

import pytest
import yaml

from bot.dialogue.reminders import Reminder
from bot.project import read_yaml
from bot.store import timers
from bot.store.database import Database
from bot.store.rows import utc_now
from bot.store.timers import Kind
from tests.process import ROOT, START_SECONDS, Server, Visitor, free_port, prepared_state

POINTS = ["timer.claimed", "timer.before_commit", "timer.after_commit"]
EXPIRED = "no colleague was free"
_WAIT_SECONDS = 3


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_wait_ends_once_however_often_the_process_is_killed(
    database_url: str, tmp_path: Path
) -> None:
    endpoints = tmp_path / "endpoints.yml"
    known = read_yaml(ROOT / "endpoints.yml")
    known["handoff"]["queue_timeout"] = _WAIT_SECONDS / 60
    endpoints.write_text(yaml.safe_dump(known))
    variables = {"FRONTDESK_DATABASE_URL": database_url, "FRONTDESK_ENDPOINTS": str(endpoints)}
    server = Server(prepared_state(tmp_path), free_port(), variables, forked=True)
    with ExitStack() as stack:
        stack.callback(server.stop, signal.SIGKILL)
        server.start(FRONTDESK_KILL_AT=POINTS[0])
        server.wait_ready()
        visitor = stack.enter_context(Visitor(server.url))
        assert "colleague" in visitor.ask("I want to talk to a human")
        _dies(server, POINTS[0])
        for point in POINTS[1:]:
            server.start(FRONTDESK_KILL_AT=point)
            _dies(server, point)
        server.start()
        server.wait_ready()
        _wait_for_word(visitor)
        # Time for a second one, if there were one.
        time.sleep(3)
        said = [str(m["text"]) for m in visitor.messages()]
        assert len([text for text in said if EXPIRED in text]) == 1, said
        assert "Leeds" in visitor.ask("what are your opening hours in leeds")


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_reminder_is_said_once_however_often_the_process_is_killed(
    database_url: str, tmp_path: Path
) -> None:
    variables = {"FRONTDESK_DATABASE_URL": database_url}
    server = Server(prepared_state(tmp_path), free_port(), variables, forked=True)
    with ExitStack() as stack:
        stack.callback(server.stop, signal.SIGKILL)
        server.start()
        server.wait_ready()
        visitor = stack.enter_context(Visitor(server.url))
        assert "Leeds" in visitor.ask("what are your opening hours in leeds")
        server.stop(signal.SIGKILL)
        # As an action of the assistant would have had it.
        asyncio.run(_remind(database_url, visitor.conversation))
        for point in POINTS:
            server.start(FRONTDESK_KILL_AT=point)
            _dies(server, point)
        server.start()
        server.wait_ready()
        said = visitor.read(seconds=30)
        time.sleep(3)
        assert visitor.messages(visitor.seen) == []
        assert [m["author"] for m in said] == ["bot"]


async def _remind(url: str, conversation: str) -> None:
    database = Database(url)
    now = utc_now()
    reminder = Reminder("later", "thank", now)
    async with database.write() as connection:
        await timers.put(
            connection, conversation, Kind.REMINDER, now, now,
            name=reminder.name, data=reminder.as_json(),
        )  # fmt: skip
    await database.aclose()


def _dies(server: Server, point: str) -> None:
    assert server.wait_end(START_SECONDS) == -signal.SIGKILL, f"{point}:\n{server.log}"


def _wait_for_word(visitor: Visitor) -> None:
    deadline = time.monotonic() + 30
    while not any(EXPIRED in str(m["text"]) for m in visitor.messages()):
        assert time.monotonic() < deadline, visitor.messages()
        time.sleep(0.1)
