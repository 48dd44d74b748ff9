"""The demo shop on SQLite, freshly copied for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from connectors.crm.sql.crm import SqlCrm
from connectors.crm.sql.crm import create as create_crm
from connectors.pos.sql.pos import SqlPos
from connectors.pos.sql.pos import create as create_pos
from tests.contract.shop import SqliteShops
from tests.unit.actions.talk import MAYA, NOW, Talk, context


@pytest.fixture(scope="session")
def shops(tmp_path_factory: pytest.TempPathFactory) -> SqliteShops:
    return SqliteShops(tmp_path_factory.mktemp("actions-shop"))


@pytest.fixture
def shop_url(shops: SqliteShops) -> Iterator[str]:
    with shops.copy() as url:
        yield url


@pytest_asyncio.fixture
async def pos(shop_url: str) -> AsyncIterator[SqlPos]:
    pos = create_pos(shop_url, {}, now=lambda: NOW)
    await pos.prepare()
    yield pos
    await pos.close()


@pytest_asyncio.fixture
async def crm(shop_url: str) -> AsyncIterator[SqlCrm]:
    crm = create_crm(shop_url, {}, now=lambda: NOW)
    await crm.prepare()
    yield crm
    await crm.close()


@pytest.fixture
def stranger(pos: SqlPos, crm: SqlCrm) -> Talk:
    """Somebody of whom nothing is known."""
    return Talk(context(pos, crm))


@pytest.fixture
def maya(pos: SqlPos, crm: SqlCrm) -> Talk:
    """Maya Okafor, whose phone number the channel vouches for."""
    return Talk(context(pos, crm), slots=dict(MAYA))
