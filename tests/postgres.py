"""A PostgreSQL database of a test's own, created when it starts and dropped when it ends."""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

DEFAULT_SERVER = "postgresql+asyncpg://root@127.0.0.1:5432/postgres"


def server_url() -> URL:
    """The server to create databases on: FRONTDESK_TEST_POSTGRES, else the local one."""
    return make_url(os.environ.get("FRONTDESK_TEST_POSTGRES", DEFAULT_SERVER))


def absent(problem: str) -> None:
    """Skips the test with the reason; on CI a missing server is a failure. Does not return."""
    reason = f"no PostgreSQL: {problem}; name one in FRONTDESK_TEST_POSTGRES"
    if os.environ.get("CI", "").lower() == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@contextmanager
def temporary_database(template: str = "template0") -> Iterator[str]:
    """Yields the ``postgresql+asyncpg://`` URL of a database, which is dropped afterwards.

    It is empty, or a copy of ``template``, to which nobody may be connected.

    Skips the test when no server answers; fails it instead when the environment says ``CI=true``.
    May be used from plain and from async fixtures.
    """
    server = server_url()
    name = f"frontdesk_test_{os.getpid()}_{secrets.token_hex(4)}"
    try:
        # template0 and not template1, to which somebody may be connected.
        _run(_execute(server, f'CREATE DATABASE "{name}" TEMPLATE "{template}"'))
    except Exception as error:  # the driver raises types of its own: no role, no access
        absent(f"{server.host}:{server.port} answered {type(error).__name__}")
    try:
        yield server.set(drivername="postgresql+asyncpg", database=name).render_as_string(
            hide_password=False
        )
    finally:
        _run(_execute(server, f'DROP DATABASE "{name}" WITH (FORCE)'))


async def _execute(server: URL, statement: str) -> None:
    # CREATE and DROP DATABASE are refused inside a transaction.
    engine = create_async_engine(
        server, isolation_level="AUTOCOMMIT", poolclass=NullPool, connect_args={"timeout": 5}
    )
    async with engine.connect() as connection:
        await connection.execute(text(statement))


def _run(work: Coroutine[Any, Any, None]) -> None:
    # In a thread of its own, since the caller may already be inside a running event loop.
    with ThreadPoolExecutor(max_workers=1) as pool:
        pool.submit(asyncio.run, work).result()
