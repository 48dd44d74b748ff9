"""What a million conversations in the database cost: turns and the desk's lists, beside a thousand.

createdb -h 127.0.0.1 -U postgres few && createdb -h 127.0.0.1 -U postgres many
.venv/bin/python -m benchmarks.full_database --few postgresql://postgres@127.0.0.1:5432/few \
    --many postgresql://postgres@127.0.0.1:5432/many

Without the two databases it makes SQLite files. Both are served at once, each by a `frontdesk
serve` of its own, and asked in turns, so that what else the machine does falls on both.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Annotated

import aiohttp
import numpy as np
import typer
from rich.console import Console
from rich.table import Table
from sqlalchemy import text

from bot.benchmarking.customer import QUESTIONS, visiting
from bot.benchmarking.server import Launch, serving
from bot.core.access import Role
from bot.settings import load
from bot.store import accounts
from bot.store.database import Database
from bot.store.migrate import migrate
from bot.store.rows import utc_now

FEW = 1_000
_MESSAGES, _EVENTS = 4, 6
# With humans in both databases: a list of nothing is no measure for a list.
_WITH_HUMANS = 400
_AGENT = {"email": "measured@shop.example", "password": "a long password"}
_LISTS = {"the queue": "?status=waiting", "open": "?status=open", "all": "", "own": "?status=mine"}
_EVENT = {"event": "action", "name": "action_listen", "timestamp": 1760000000.0, "policy": None}
_YEAR_MICROSECONDS = 365 * 86_400 * 1_000_000
_SQLITE_UUID = (
    "lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' ||"
    " substr(hex(randomblob(2)), 2) || '-8' || substr(hex(randomblob(2)), 2) || '-' ||"
    " hex(randomblob(6)))"
)

Times = dict[str, list[float]]


def main(
    few: Annotated[str, typer.Option(help="An empty database; an SQLite file without")] = "",
    many: Annotated[str, typer.Option(help="Another one")] = "",
    conversations: Annotated[int, typer.Option(help="How many are in the second")] = 1_000_000,
    rounds: Annotated[int, typer.Option(help="Conversations that are held with each")] = 60,
) -> None:
    """Prints p50 and p95 of both, and their ratios."""
    with tempfile.TemporaryDirectory(prefix="frontdesk-") as name:
        folder = Path(name)
        urls = [few or f"sqlite:///{folder}/few.db", many or f"sqlite:///{folder}/many.db"]
        asyncio.run(measure(folder, urls, [FEW, conversations], rounds))


async def measure(folder: Path, urls: Sequence[str], sizes: Sequence[int], rounds: int) -> None:
    """Fills both databases, serves them, asks them in turns and prints what it took."""
    settings = load()
    for url, size in zip(urls, sizes, strict=True):
        began = time.monotonic()
        await fill(url, size)
        print(f"{size} conversations written in {time.monotonic() - began:.0f} s")
    async with AsyncExitStack() as stack:
        clients = []
        for number, url in enumerate(urls):
            place = folder / str(number)
            place.mkdir()
            launch = Launch(
                settings.project_dir.resolve(),
                settings.endpoints.resolve(),
                _model(settings.project_dir),
                url,
            )
            server = await stack.enter_async_context(serving(launch, place))
            print(f"{sizes[number]} conversations: ready after {server.ready_seconds:.1f} s")
            patient = aiohttp.ClientTimeout(total=None)
            clients.append(
                await stack.enter_async_context(aiohttp.ClientSession(server.url, timeout=patient))
            )
        taken: list[Times] = [{}, {}]
        for number in range(rounds):
            for http, times in zip(clients, taken, strict=True):
                # The first round warms up.
                await ask(http, times if number else {})
        show(sizes, taken)


def _model(project: Path) -> Path:
    """The newest model of the project."""
    found = sorted((project / "models").glob("*.tar.gz"))
    if not found:
        raise typer.BadParameter("There is no model: run frontdesk train first.")
    return found[-1].resolve()


async def ask(http: aiohttp.ClientSession, times: Times) -> None:
    """One conversation, and each list of the desk once."""
    async with visiting(http) as customer:
        for question in QUESTIONS:
            times.setdefault("a turn", []).append((await customer.ask(question)).answered)
    async with http.post("/api/v1/tokens", json={**_AGENT, "label": "m"}) as answer:
        answer.raise_for_status()
        headers = {"authorization": f"Bearer {(await answer.json())['token']}"}
    for name, query in _LISTS.items():
        began = time.perf_counter()
        async with http.get(f"/api/v1/conversations{query}", headers=headers) as answer:
            answer.raise_for_status()
            listed = (await answer.json())["conversations"]
        times.setdefault(f"list: {name}", []).append(time.perf_counter() - began)
    began = time.perf_counter()
    async with http.get(f"/api/v1/conversations/{listed[0]['id']}", headers=headers) as answer:
        answer.raise_for_status()
        await answer.read()
    times.setdefault("a conversation", []).append(time.perf_counter() - began)


def show(sizes: Sequence[int], taken: Sequence[Times]) -> None:
    """Prints a line for each thing that was asked for."""
    table = Table("Milliseconds", *(f"{size:,}: p50 / p95" for size in sizes), "Ratio")
    for name in taken[0]:
        few, many = (np.quantile(times[name], (0.5, 0.95)) * 1000 for times in taken)
        ratio = " / ".join(f"{value:.2f}" for value in many / few)
        table.add_row(name, *(f"{p[0]:.1f} / {p[1]:.1f}" for p in (few, many)), ratio)
    Console(width=100).print(table)


async def fill(url: str, conversations: int) -> None:
    """Writes closed and running conversations of a year, some of them with humans."""
    database = Database(url)
    try:
        await migrate(database)
        async with database.write() as connection:
            agent = await accounts.add_agent(
                connection, **_AGENT, name="Sam", role=Role.ADMIN, now=utc_now()
            )
        numbers = (
            "WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < :size)"
            if database.is_sqlite
            else "WITH s AS (SELECT generate_series(1, CAST(:size AS int)) AS n)"
        )
        identifier = _SQLITE_UUID if database.is_sqlite else "gen_random_uuid()::text"
        values = {
            "size": conversations,
            "now": round(utc_now().timestamp() * 1_000_000),
            "step": _YEAR_MICROSECONDS // conversations,
            "agent": agent.id,
        }
        for statement in (
            _conversations(numbers, identifier),
            _messages(identifier),
            _events(),
        ):
            used = {name: values[name] for name in values if f":{name}" in statement}
            async with database.write() as connection:
                await connection.execute(text(statement), used)
        async with database.write() as connection:
            await connection.exec_driver_sql("ANALYZE")
    finally:
        await database.aclose()


def _conversations(numbers: str, identifier: str) -> str:
    """The newest are with humans: half of them wait, half are with the agent."""
    into = (
        "INSERT INTO conversation (id, channel, account, sender, profile_name, state, owner_epoch,"
        " assignee, last_seq, last_event, waiting_since, last_customer_at, created_at, updated_at)"
    )
    state = (
        f"CASE WHEN n <= {_WITH_HUMANS // 2} THEN 'queued' WHEN n <= {_WITH_HUMANS} THEN 'agent'"
        " WHEN n % 10 = 0 THEN 'resolved' ELSE 'bot' END"
    )
    at = "CAST(:now AS BIGINT) - n * CAST(:step AS BIGINT)"
    chosen = (
        f"SELECT {identifier}, 'webchat', 'demo', {identifier}, '', {state}, 1,"
        f" CASE WHEN n > {_WITH_HUMANS // 2} AND n <= {_WITH_HUMANS} THEN :agent END,"
        f" {_MESSAGES}, {_EVENTS}, CASE WHEN n <= {_WITH_HUMANS // 2} THEN {at} END,"
        f" {at}, {at}, {at} FROM s"
    )
    # SQLite takes WITH behind INSERT INTO, PostgreSQL in both places.
    return f"{into} {numbers} {chosen}"


def _messages(identifier: str) -> str:
    places = " UNION ALL ".join(f"SELECT {n} AS seq" for n in range(1, _MESSAGES + 1))
    return (
        "INSERT INTO message (id, conversation_id, seq, author, status, text, content,"
        " inbound_key, provider_key, owner_epoch, created_at, updated_at)"
        f" SELECT {identifier}, c.id, p.seq,"
        " CASE p.seq % 2 WHEN 1 THEN 'customer' ELSE 'bot' END,"
        " CASE p.seq % 2 WHEN 1 THEN 'processed' ELSE 'delivered' END,"
        " 'where is my order FD-104233, it was to come on Tuesday', '{}',"
        " CASE p.seq % 2 WHEN 1 THEN c.id || p.seq END,"
        " CASE p.seq % 2 WHEN 0 THEN c.id || p.seq END, 1, c.created_at, c.created_at"
        f" FROM conversation c, ({places}) p"
    )


def _events() -> str:
    places = " UNION ALL ".join(f"SELECT {n} AS number" for n in range(1, _EVENTS + 1))
    return (
        "INSERT INTO event (conversation_id, number, type, data)"
        " SELECT c.id, p.number, 'action',"
        f" '{json.dumps(_EVENT)}'"
        f" FROM conversation c, ({places}) p"
    )


if __name__ == "__main__":
    typer.run(main)
