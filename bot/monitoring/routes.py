"""What probes and Prometheus ask: ``/healthz``, ``/readyz`` and ``/metrics``."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated

from fastapi import APIRouter, Header, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4

from bot.core.errors import StoreUnavailableError
from bot.monitoring.health import Health
from bot.monitoring.metrics import Metrics
from bot.store import queues
from bot.store.database import Database
from bot.store.queues import Waiting

_QUEUE_SECONDS = 3.0


def create_router(
    health: Health,
    metrics: Metrics,
    read_queues: Callable[[], Awaitable[Mapping[str, Waiting]]],
    *,
    token: str,
    is_local: bool,
    model: Callable[[], object],
) -> APIRouter:
    """The three routes.

    Args:
        token: Who sends it as a bearer token may read the metrics; empty where none is set.
        is_local: Whether only this machine reaches the server; then no token is needed.
        model: Says which model is in use; None until one is loaded.
    """
    router = APIRouter()

    @router.get("/healthz", tags=["health"])
    async def healthz() -> dict[str, str]:
        """The process is alive: its event loop answers."""
        return {"status": "alive"}

    @router.get("/readyz", tags=["health"])
    async def readyz() -> JSONResponse:
        """Webhooks may be sent here; else 503, and `problems` says why."""
        problems = list(await health.problems())
        body = {
            "status": "not ready" if problems else "ready",
            "problems": problems,
            "model": model(),
        }
        return JSONResponse(body, status_code=503 if problems else 200)

    @router.get("/metrics", tags=["health"], response_class=Response)
    async def exposition(authorization: Annotated[str, Header()] = "") -> Response:
        """For Prometheus, with ``Authorization: Bearer`` and FRONTDESK_METRICS_TOKEN."""
        if not token and not is_local:
            return _problem(
                403,
                "FRONTDESK_METRICS_TOKEN is not set, and the server can be reached from outside. "
                "Set it to a random text, and give it to Prometheus as its bearer token.",
            )
        if token and not _is_bearer(authorization, token):
            return _problem(401, "send Authorization: Bearer with FRONTDESK_METRICS_TOKEN")
        return Response(
            metrics.exposition(await read_queues()), media_type=CONTENT_TYPE_PLAIN_0_0_4
        )

    return router


async def read_queues(database: Database) -> dict[str, Waiting]:
    """What waits now, by queue; empty when the database does not say within three seconds."""
    try:
        async with asyncio.timeout(_QUEUE_SECONDS), database.read(long=True) as connection:
            return {
                "inbox": await queues.inbox(connection),
                "outbox": await queues.outbox(connection),
                "humans": await queues.humans(connection),
            }
    except (StoreUnavailableError, TimeoutError):
        # The other figures are needed most when the database is away.
        return {}


def _is_bearer(header: str, token: str) -> bool:
    kind, _, given = header.partition(" ")
    right = hmac.compare_digest(given.strip().encode(), token.encode())
    return right and kind.lower() == "bearer"


def _problem(status: int, detail: str) -> JSONResponse:
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else None
    return JSONResponse({"detail": detail}, status_code=status, headers=headers)
