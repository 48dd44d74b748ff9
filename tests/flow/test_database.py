"""The database: locks across processes, outages, migrations at once, and what errors may say."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from sqlalchemy import make_url, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from bot.bootstrap import own_sqlite_file
from bot.commands.serve import _demo_login
from bot.core.errors import ConfigurationError, StoreUnavailableError
from bot.settings import Settings
from bot.store import database as module
from bot.store import engine, inbox
from bot.store import tables as t
from bot.store.database import Database
from bot.store.migrate import migrate
from bot.store.rows import utc_now
from tests.postgres import temporary_database
from tests.scripted import inbound

# SQLite calls a missing table an operational error, as it does a disk that is full.
_STATEMENT_ERRORS = (DBAPIError, StoreUnavailableError)


@pytest.fixture
def postgres_url() -> Iterator[str]:
    with temporary_database() as url:
        yield url


@pytest.fixture
async def replicas(postgres_url: str) -> AsyncIterator[tuple[Database, Database]]:
    """Two processes' connections to one PostgreSQL."""
    one, two = Database(postgres_url), Database(postgres_url)
    yield one, two
    await one.aclose()
    await two.aclose()


async def kill_sessions(url: str) -> None:
    """Ends every other session of the database, as a restart of the server does."""
    other = Database(url)
    async with other.read() as connection:
        await connection.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )
    await other.aclose()


async def can_lock(database: Database) -> bool:
    async with database.try_lock("turn", "c") as session:
        return session is not None


async def test_one_replica_holds_a_lock_at_a_time(replicas: tuple[Database, Database]) -> None:
    one, two = replicas
    async with one.try_lock("turn", "c") as session:
        assert session is not None
        assert not await can_lock(two)
        assert not await can_lock(one)
        async with two.try_lock("deliver", "c") as other_purpose:
            assert other_purpose is not None
    assert await can_lock(two)
    assert await can_lock(one)


async def test_a_killed_holder_frees_the_lock_and_cannot_commit(
    postgres_url: str, replicas: tuple[Database, Database]
) -> None:
    one, two = replicas
    await migrate(one)

    async def work_after_the_kill() -> None:
        async with one.try_lock("turn", "c") as session:
            assert session is not None
            await kill_sessions(postgres_url)
            assert await can_lock(two), "it is free as soon as the session is gone"
            async with session.write() as connection:
                await inbox.accept(connection, [inbound("late")], utc_now())

    with pytest.raises(StoreUnavailableError):
        await work_after_the_kill()
    async with one.read() as connection:
        assert (await connection.execute(t.message.select())).all() == []
    assert await can_lock(one)


async def test_a_session_that_lost_its_lock_does_not_go_on_with_another(
    postgres_url: str, replicas: tuple[Database, Database]
) -> None:
    one, _ = replicas
    async with one.try_lock("turn", "c") as session:
        assert session is not None
        await kill_sessions(postgres_url)
        for _ in range(2):  # the first notices; the second would be given a new connection
            with pytest.raises(StoreUnavailableError):
                async with session.write() as connection:
                    await connection.execute(text("SELECT 1"))


async def test_the_lock_is_free_when_its_work_fails_or_is_cancelled(database: Database) -> None:
    async def fail(error: BaseException) -> None:
        async with database.try_lock("turn", "c"):
            raise error

    for error in (ValueError(), asyncio.CancelledError()):
        with pytest.raises(type(error)):
            await fail(error)
        assert await can_lock(database)


async def test_a_lock_survives_a_transaction_that_failed(database: Database) -> None:
    async with database.try_lock("turn", "c") as session:
        assert session is not None
        with pytest.raises(_STATEMENT_ERRORS):
            async with session.write() as connection:
                await connection.execute(text("SELECT nothing FROM nowhere"))
        async with session.write() as connection:
            assert await connection.scalar(text("SELECT 1")) == 1
        assert not await can_lock(database)


async def test_a_failure_of_the_work_is_not_called_one_of_the_database(
    replicas: tuple[Database, Database],
) -> None:
    with pytest.raises(ConnectionResetError):
        async with replicas[0].try_lock("turn", "c"):
            raise ConnectionResetError("the helpdesk hung up")


async def test_a_server_that_refuses_connections_is_an_outage(postgres_url: str) -> None:
    gone = make_url(postgres_url).set(database="frontdesk_no_such_database")
    database = Database(gone.render_as_string(hide_password=False))
    with pytest.raises(StoreUnavailableError):
        await database.ping()
    with pytest.raises(StoreUnavailableError):
        async with database.try_lock("turn", "c"):
            pass
    assert not database._held


async def test_nobody_notices_that_the_server_restarted_while_nothing_was_done(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = Database(postgres_url)
    monkeypatch.setattr(engine, "_TRUSTED_SECONDS", 0.0)

    async def asked() -> bool:
        await database.ping()
        return True

    assert all(await asyncio.gather(*(asked() for _ in range(4))))
    await kill_sessions(postgres_url)
    for _ in range(4):
        assert await asked()
    await kill_sessions(postgres_url)
    async with database.try_lock("turn", "c") as session:
        assert session is not None
    await database.aclose()


async def test_after_a_restart_in_the_midst_of_work_one_attempt_fails(postgres_url: str) -> None:
    database = Database(postgres_url)
    await asyncio.gather(*(database.ping() for _ in range(4)))
    await kill_sessions(postgres_url)
    with pytest.raises(StoreUnavailableError):
        await database.ping()
    for _ in range(4):
        await database.ping()
    await database.aclose()


async def test_a_used_up_pool_is_an_outage_soon(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "WAIT_SECONDS", 0.2)
    database = Database(postgres_url)
    most = engine.KEPT_CONNECTIONS + engine.MORE_CONNECTIONS
    held = [await database.engine.connect() for _ in range(most)]
    try:
        with pytest.raises(StoreUnavailableError):
            await asyncio.wait_for(database.ping(), 5)
    finally:
        for connection in held:
            await connection.close()
        await database.aclose()


async def test_who_holds_a_lock_needs_no_second_connection(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "WAIT_SECONDS", 0.2)
    monkeypatch.setattr(engine, "KEPT_CONNECTIONS", 1)
    monkeypatch.setattr(engine, "MORE_CONNECTIONS", 0)
    database = Database(postgres_url)
    number = text("SELECT 0")
    for _ in range(2):  # the second time, with the connection as the first left it
        async with database.try_lock("turn", "c1") as session:
            assert session is not None
            for _ in range(2):
                async with session.read() as connection:
                    assert await connection.scalar(number) == 0
                async with session.write() as connection:
                    assert await connection.scalar(number) == 0
    # A transaction that is given up leaves nothing behind, and the lock is free.
    with pytest.raises(ZeroDivisionError):
        await _fail_in_a_query(database)
    async with database.try_lock("turn", "c1") as session:
        assert session is not None
    await database.aclose()


async def _fail_in_a_query(database: Database) -> None:
    async with database.try_lock("turn", "c1") as session:
        assert session is not None
        async with session.read():
            raise ZeroDivisionError


async def test_only_so_many_write_at_once(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WAIT_SECONDS", 0.2)
    monkeypatch.setattr(module, "_WRITERS", 1)
    database = Database(postgres_url)
    async with database.write():
        with pytest.raises(StoreUnavailableError):
            async with database.write():
                pytest.fail("two wrote at once")
        await database.ping()
    async with database.write() as connection:
        await connection.execute(text("SELECT 1"))
    await database.aclose()


async def test_a_wrong_value_is_not_called_an_outage(database: Database) -> None:
    async def add(identifier: str, role: str) -> None:
        row = {"id": identifier, "email": identifier, "name": "a", "password_hash": ""}
        async with database.write() as connection:
            await connection.execute(
                t.agent.insert().values(**row, role=role, created_at=utc_now())
            )

    await add("x", "agent")
    with pytest.raises(IntegrityError):
        await add("x", "agent")
    if not database.is_sqlite:  # which keeps longer texts than the column says
        with pytest.raises(DBAPIError):
            await add("y", "x" * 100)


async def test_an_error_does_not_quote_what_was_written(database: Database) -> None:
    with pytest.raises(_STATEMENT_ERRORS) as caught:
        async with database.write() as connection:
            await connection.execute(text("INSERT INTO nowhere VALUES (:a)"), {"a": "my secret"})
    assert "my secret" not in "".join(traceback.format_exception(caught.value)[-1:])
    assert "my secret" not in str(caught.value.__cause__)


async def test_a_cancelled_write_does_not_block_the_next(postgres_url: str) -> None:
    database = Database(postgres_url)
    await migrate(database)
    long = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000000) "

    async def write_long() -> None:
        async with database.write() as connection:
            await connection.execute(text("CREATE TABLE big (i INTEGER)"))
            await connection.execute(text(f"INSERT INTO big {long} SELECT i FROM n"))

    task = asyncio.create_task(write_long())
    await asyncio.sleep(0.2)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with asyncio.timeout(8), database.write() as connection:
        assert await inbox.accept(connection, [inbound("hello")], utc_now())
    await database.aclose()


async def test_replicas_that_start_together_migrate_once(postgres_url: str) -> None:
    databases = [Database(postgres_url) for _ in range(3)]
    await asyncio.gather(*(migrate(each) for each in databases))
    async with databases[0].read() as connection:
        versions = (await connection.execute(text("SELECT version_num FROM alembic_version"))).all()
        assert len(versions) == 1
        assert (await connection.execute(t.message.select())).all() == []
    for each in databases:
        await each.aclose()


async def test_one_process_owns_an_sqlite_file(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/frontdesk.db"
    first, second = Database(url), Database(url)
    lock = own_sqlite_file(first)
    assert lock is not None
    with pytest.raises(ConfigurationError, match="another Frontdesk uses this file"):
        own_sqlite_file(second)
    lock.close()  # type: ignore[attr-defined]
    again = own_sqlite_file(second)
    assert again is not None
    again.close()  # type: ignore[attr-defined]


def test_postgresql_is_shared(postgres_url: str) -> None:
    assert own_sqlite_file(Database(postgres_url)) is None


async def test_replicas_that_start_together_make_one_demo_login(
    tmp_path: Path, replicas: tuple[Database, Database]
) -> None:
    await migrate(replicas[0])
    # Both are connected, so that neither is ahead.
    await asyncio.gather(*(database.ping() for database in replicas))
    settings = [Settings(state_dir=tmp_path / name) for name in ("one", "two")]
    logins = await asyncio.gather(
        *(_demo_login(own, database) for own, database in zip(settings, replicas, strict=True))
    )
    assert sum(login is not None for login in logins) == 1
