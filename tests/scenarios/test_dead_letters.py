"""`frontdesk dead-letters` as it is typed, on both databases."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sqlalchemy import select

from bot.core.errors import DeliveryError
from bot.flow.deliver import Deliveries
from bot.flow.hub import LocalHub
from bot.store import tables as t
from bot.store.database import Database
from tests.flow.outages import Platform, customers, say, statuses
from tests.process import ROOT
from tests.scenarios.test_bad_input import frontdesk

CREDENTIALS = """
webchat:
scripted:
  type: twilio
branch:
  type: twilio
"""


@pytest.fixture
async def dead(database: Database) -> list[str]:
    """Three messages that a platform refused: their ids, in order."""
    refusal = DeliveryError("opted out", permanent=True, code="21610")
    down = {"shop": refusal, "other": refusal}
    await say(database, customers(1), "my secret", "my second secret")
    await say(database, customers(1, "other", "branch"), "my third secret")
    deliveries = Deliveries(
        database,
        LocalHub(),
        {name: Platform(name=name, down=down) for name in ("scripted", "branch")},
    )
    for conversation in await deliveries.waiting(10):
        await deliveries.run(conversation)
    async with database.read() as connection:
        rows = await connection.execute(
            select(t.message.c.id)
            .where(t.message.c.dead_since.is_not(None))
            .order_by(t.message.c.created_at, t.message.c.seq)
        )
        return [row.id for row in rows]


def run(database: Database, folder: Path, *arguments: str) -> tuple[int, str]:
    credentials = folder / "credentials.yml"
    credentials.write_text(CREDENTIALS)
    url = database.engine.url.set(drivername=database.engine.url.get_backend_name())
    return frontdesk(
        ROOT,
        "dead-letters",
        *arguments,
        FRONTDESK_STATE_DIR=str(folder / "state"),
        FRONTDESK_CREDENTIALS=str(credentials),
        FRONTDESK_DATABASE_URL=url.render_as_string(hide_password=False),
    )


async def test_from_list_to_replay(database: Database, dead: list[str], tmp_path: Path) -> None:
    code, printed = run(database, tmp_path, "list")
    assert code == 0
    assert sorted(dead, key=printed.index) == dead
    assert printed.count("has opted out of messages") == 3
    assert "secret" not in printed
    assert "+4477" not in printed

    code, printed = run(database, tmp_path, "list", "--json", "--channel", "branch")
    [letter] = json.loads(printed)
    assert (letter["id"], letter["direction"], letter["code"]) == (dead[2], "out", "21610")

    code, printed = run(database, tmp_path, "show", dead[0])
    assert code == 0
    assert "What to do: Only they can change that" in printed
    assert "secret" not in printed

    code, printed = run(database, tmp_path, "replay", dead[0])
    assert (code, await statuses(database)) == (0, {"failed": 3, "pending": 1})
    code, printed = run(database, tmp_path, "replay", dead[0], dead[1])
    assert code == 1
    assert f"{dead[0]} was left alone" in printed
    assert f"{dead[1]} is on its way" in printed

    code, printed = run(database, tmp_path, "replay", "--all", "--channel", "scripted")
    assert (code, printed.strip()) == (0, "There are no dead letters.")
    code, printed = run(database, tmp_path, "replay", "--all")
    assert (code, await statuses(database)) == (0, {"failed": 3, "pending": 3})

    platform = Platform()
    deliveries = Deliveries(database, LocalHub(), {"scripted": platform, "branch": platform})
    for conversation in await deliveries.waiting(10):
        await deliveries.run(conversation)
    assert platform.texts == ["my secret", "my second secret", "my third secret"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["replay"], "needs either ids or --all"),
        (["replay", "x", "--all"], "needs either ids or --all"),
        (["replay", "x", "--channel", "twilio"], "Add --all"),
        (["show", "x"], "there is no such dead letter (found: 'x')"),
    ],
)
def test_bad_input_is_told(tmp_path: Path, arguments: list[str], told: str) -> None:
    url = f"sqlite:///{tmp_path}/frontdesk.db"
    code, printed = frontdesk(
        ROOT,
        "dead-letters",
        *arguments,
        FRONTDESK_STATE_DIR=str(tmp_path),
        FRONTDESK_DATABASE_URL=url,
    )
    assert code == 2
    assert told in printed


def test_a_rate_that_is_no_number_stops_the_start(tmp_path: Path) -> None:
    credentials = tmp_path / "credentials.yml"
    credentials.write_text("webchat:\n  rate: fast\n")
    code, printed = frontdesk(
        ROOT,
        "serve",
        FRONTDESK_STATE_DIR=str(tmp_path),
        FRONTDESK_CREDENTIALS=str(credentials),
    )
    assert code == 2
    assert "credentials.yml: webchat.rate" in printed
    assert "'fast'" in printed
    assert "rate: 1" in printed
