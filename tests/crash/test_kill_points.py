"""A process killed at any step of receive and turn: each turn is done once afterwards.

One process after the other dies at the next point, so what the first left undone meets the second's
end too; the last one lives, and every message must then have one answer. What the bot says in the
web chat needs no delivery; `test_crash.py` has the steps of that.
"""

from __future__ import annotations

import signal
import time
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from tests.process import START_SECONDS, Server, Visitor, free_port, prepared_state

RECEIVE = ["receive.before_commit", "receive.after_commit"]
TURN = ["turn.claimed", "turn.answered", "turn.before_commit", "turn.after_commit"]
QUESTION = "what are your opening hours in leeds"
POINTS = {
    "sqlite": RECEIVE + TURN,
    # The same SQL; tried again where PostgreSQL's session lock and its commit matter.
    "postgresql": ["receive.after_commit", "turn.claimed", "turn.before_commit"],
}


@pytest.mark.timeout(400)
def test_turns_killed_at_any_step_are_done_once_afterwards(
    database_url: str, tmp_path: Path
) -> None:
    variables = {"FRONTDESK_DATABASE_URL": database_url}
    server = Server(prepared_state(tmp_path), free_port(), variables, forked=True)
    with ExitStack() as stack:
        stack.callback(server.stop, signal.SIGKILL)
        visitors = []
        for point in POINTS["sqlite" if "sqlite" in database_url else "postgresql"]:
            server.start(FRONTDESK_KILL_AT=point)
            visitor = _write_before_it_dies(server)
            assert server.wait_end(START_SECONDS) == -signal.SIGKILL, f"{point}:\n{server.log}"
            if visitor:
                visitors.append(stack.enter_context(visitor))
        server.start()
        server.wait_ready()
        assert visitors
        for visitor in visitors:
            # Its webhook may have died unacknowledged: the customer's program sends it again.
            assert visitor.send(QUESTION, identifier="the-message") == 202
        for visitor in visitors:
            _wait_for_answer(visitor)
        time.sleep(2)
        for visitor in visitors:
            _check(visitor.messages())


def _write_before_it_dies(server: Server) -> Visitor | None:
    """A visitor who has tried to send; None when the process died of earlier work first."""
    assert server.process is not None
    visitor: Visitor | None = None
    while server.process.poll() is None:
        try:
            visitor = visitor or Visitor(server.url)
            visitor.send(QUESTION, identifier="the-message")
            return visitor
        except httpx.TransportError:
            time.sleep(0.1)
    return visitor


def _wait_for_answer(visitor: Visitor) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if any(m["author"] == "bot" for m in visitor.messages()):
            return
        time.sleep(0.1)
    raise AssertionError(f"no answer: {visitor.messages()}")


def _check(messages: list[dict[str, object]]) -> None:
    assert [m["author"] for m in messages].count("customer") == 1
    said = [str(m["text"]) for m in messages if m["author"] == "bot"]
    assert len(said) == 1, said
    assert "Leeds" in said[0]
