"""Log lines of turns that fail: with their ids, and without what the customer wrote."""

from __future__ import annotations

import asyncio
import io
import json
import logging
from collections.abc import Iterator
from typing import Any, cast

import pytest
import structlog

from bot.core.errors import ConfigurationError
from bot.core.log_context import current_ids, log_ids
from bot.core.shop import Crm, Pos
from bot.core.transcript import conversation_id
from bot.dialogue.brain import Brain
from bot.dialogue.logs import quieten_rasa
from bot.flow.hub import LocalHub
from bot.flow.notices import Notices
from bot.flow.turn import Shop, Turns
from bot.flow.workers import Worker
from bot.monitoring.logs import JsonFormatter, TextFormatter, configure_logs, log_task_failures
from bot.store import inbox, turns
from bot.store.database import Database
from bot.store.rows import utc_now
from connectors.handoff.desk import DeskHandoff
from tests.scripted import ADDRESS, ScriptedBrain, inbound

EMAIL = "maya.okafor@example.com"
TEXT = f"send it to {EMAIL}, please"


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """What the root logger writes, as JSON."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter())
    root = logging.getLogger()
    root.addHandler(handler)
    yield stream
    root.removeHandler(handler)


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


async def test_a_turn_that_fails(database: Database, written: io.StringIO) -> None:
    brain = ScriptedBrain(lambda m: ValueError(f"cannot read {m.text!r}"))
    hub = LocalHub()
    shop = Shop(cast(Crm, None), cast(Pos, None), "Europe/London")
    running = Turns(
        database,
        hub,
        lambda: cast(Brain, brain),
        shop,
        {},
        DeskHandoff(),
        Notices(lambda: {}),
    )

    async def waiting(limit: int) -> list[str]:
        async with database.read() as connection:
            return await turns.waiting(connection, limit)

    async with database.write() as connection:
        await inbox.accept(connection, [inbound(TEXT, "1", profile_name="Maya")], utc_now())
    worker = Worker("turn", "inbox", hub, waiting, running.run)
    await worker.start()
    async with asyncio.timeout(10):
        # The third failure sets the message aside.
        while len(lines(written)) < 3:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    await worker.stop()
    assert {line["message"] for line in lines(written)} == {"a turn failed: ValueError"}
    assert {line["conversation"] for line in lines(written)} == {conversation_id(ADDRESS)}
    assert len({line["turn"] for line in lines(written)}) == 3
    assert all("scripted.py" in line["stack"] for line in lines(written))
    for private in (EMAIL, "Maya", "send it", ADDRESS.sender):
        assert private not in written.getvalue()


def test_an_error_that_a_library_logs_is_not_quoted(
    written: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    # uvicorn's own settings of its loggers, which a server in this process may have made.
    for name in ("uvicorn", "uvicorn.error"):
        monkeypatch.setattr(logging.getLogger(name), "propagate", True)
        monkeypatch.setattr(logging.getLogger(name), "disabled", False)
    try:
        raise ValueError(TEXT)
    except ValueError:
        logging.getLogger("uvicorn.error").exception("Exception in ASGI application")
    (line,) = lines(written)
    assert line["stack"].startswith("ValueError\n")
    assert EMAIL not in written.getvalue()


async def test_tasks_that_nobody_waits_for(written: io.StringIO) -> None:
    async def fails() -> None:
        raise ValueError(TEXT)

    log_task_failures(asyncio.get_running_loop())
    task = asyncio.create_task(fails())
    await asyncio.wait({task})
    del task
    assert [line["message"] for line in lines(written)] == ["a background task failed: ValueError"]
    assert EMAIL not in written.getvalue()


def test_text_lines_carry_the_same() -> None:
    try:
        raise ValueError(TEXT)
    except ValueError as error:
        record = logging.LogRecord(
            "bot", logging.ERROR, __file__, 1, "failed", None, (type(error), error, None)
        )
    with log_ids(conversation="c1"), log_ids(turn="t1"):
        text = TextFormatter().format(record)
    assert text.endswith("ERROR bot: failed [conversation=c1 turn=t1]\nValueError")


async def test_ids_stay_in_their_task() -> None:
    async def inside(name: str) -> str:
        with log_ids(turn=name):
            await asyncio.sleep(0)
            return current_ids()["turn"]

    assert [*await asyncio.gather(inside("a"), inside("b"))] == ["a", "b"]
    assert current_ids() == {}


def test_rasas_lines_have_the_same_fields(capsys: pytest.CaptureFixture[str]) -> None:
    quieten_rasa(logging.WARNING, as_json=True)
    try:
        with log_ids(turn="t1"):
            structlog.get_logger().warning("processor.failed", text=TEXT)
    finally:
        structlog.reset_defaults()
    line = json.loads(capsys.readouterr().out)
    assert line.pop("time")
    assert line == {
        "level": "warning",
        "logger": "rasa",
        "message": "processor.failed",
        "turn": "t1",
    }


@pytest.mark.parametrize("name", ["FRONTDESK_LOG_LEVEL", "FRONTDESK_LOG_FORMAT"])
def test_what_is_not_known_is_refused(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "loud")
    with pytest.raises(ConfigurationError) as raised:
        configure_logs()
    assert raised.value.key == name
