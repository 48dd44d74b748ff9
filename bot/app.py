"""The web application: webhooks, web chat, desk, API and health in one."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.responses import FileResponse, JSONResponse
from fastapi.staticfiles import StaticFiles
from fastapi_offline import FastAPIOffline

from bot.bootstrap import Frontdesk
from bot.core.errors import PayloadError, SignatureError, StoreUnavailableError
from bot.core.messages import WebhookRequest, WebhookResult
from bot.monitoring.logs import log_task_failures
from bot.monitoring.routes import create_router as create_monitoring
from bot.monitoring.routes import read_queues
from bot.peers import Peers
from connectors.channels.webchat import WebchatChannel
from connectors.channels.webchat.routes import create_router
from desk import api, pages

logger = logging.getLogger(__name__)

LARGEST_BODY = 1024 * 1024
_DEMO = Path(__file__).parent.parent / "connectors" / "demo" / "static"


def create_app(
    frontdesk: Frontdesk,
    model: Path | None,
    on_failure: Callable[[BaseException], None],
    peers: Peers | None = None,
) -> FastAPI:
    """The application; its lifespan starts and stops `frontdesk`.

    Args:
        model: Loaded while the server already answers ``/healthz``; None for the active one of the
            registry, which is then followed.
        on_failure: Told when the model cannot be loaded.
        peers: The workers that share the port; None where there is one.
    """

    def loaded(loading: asyncio.Task[None]) -> None:
        error = None if loading.cancelled() else loading.exception()
        if error is not None:
            on_failure(error)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        log_task_failures(asyncio.get_running_loop())
        await frontdesk.start()
        loading = asyncio.create_task(frontdesk.load_brain(model), name="load-brain")
        loading.add_done_callback(loaded)
        measuring = asyncio.create_task(frontdesk.monitor.metrics.keep_noting_memory())
        yield
        measuring.cancel()
        loading.cancel()
        await frontdesk.stop()

    app = FastAPIOffline(
        title="Frontdesk",
        description="Webhooks, web chat and the desk's API.",
        version="1",
        lifespan=lifespan,
    )
    _add_monitoring(app, frontdesk)
    for channel in frontdesk.channels.values():
        if isinstance(channel, WebchatChannel):
            app.include_router(_webchat_router(frontdesk, channel))
    _add_webhooks(app, frontdesk)
    app.include_router(api.create_api(frontdesk.desk, frontdesk.database))
    if frontdesk.settings.is_demo_shop:
        _add_shop_page(app)
    pages.mount(
        app,
        frontdesk.desk,
        frontdesk.database,
        frontdesk.settings.secret_key,
        peers.others if peers else None,
    )
    return app


def _webchat_router(frontdesk: Frontdesk, channel: WebchatChannel) -> APIRouter:
    async def receive(request: WebhookRequest) -> WebhookResult:
        return await frontdesk.receive(channel, request)

    return create_router(channel, frontdesk.transcript, frontdesk.hub, receive)


def _add_shop_page(app: FastAPI) -> None:
    app.mount("/demo", StaticFiles(directory=_DEMO), name="demo")

    @app.get("/", include_in_schema=False)
    async def shop() -> FileResponse:
        return FileResponse(_DEMO / "shop.html")


def _add_monitoring(app: FastAPI, frontdesk: Frontdesk) -> None:
    settings = frontdesk.settings
    app.include_router(
        create_monitoring(
            frontdesk.health(),
            frontdesk.monitor.metrics,
            partial(read_queues, frontdesk.database),
            token=settings.metrics_token,
            is_local=settings.is_local,
            model=lambda: frontdesk.models.loaded,
        )
    )


def _add_webhooks(app: FastAPI, frontdesk: Frontdesk) -> None:
    @app.get("/webhooks/{channel}/{path:path}", include_in_schema=False)
    @app.post("/webhooks/{channel}/{path:path}", tags=["webhooks"])
    async def webhook(channel: str, path: str, request: Request) -> Response:
        """What messaging platforms call. Acknowledged after it is stored."""
        known = frontdesk.channels.get(channel)
        if known is None:
            return _problem(404, f"no channel '{channel}' is configured in credentials.yml")
        body = await _read_body(request)
        if body is None:
            return _problem(413, "the body is larger than 1 MB")
        query = f"?{request.url.query}" if request.url.query else ""
        plain = WebhookRequest(
            method=request.method,
            url=f"{frontdesk.settings.reachable_url}{request.url.path}{query}",
            path=path,
            headers={name.lower(): value for name, value in request.headers.items()},
            body=body,
        )
        try:
            result = await frontdesk.receive(known, plain)
        except SignatureError as error:
            logger.warning("%s: a webhook was refused: %s", channel, error)
            return _problem(403, "the signature is missing or wrong")
        except PayloadError as error:
            logger.warning("%s: a webhook was not understood: %s", channel, error)
            return _problem(400, str(error))
        except StoreUnavailableError:
            logger.error("%s: a webhook could not be stored; it must be sent again", channel)
            return _problem(503, "not stored; send it again")
        return Response(result.body, result.status, media_type=result.content_type)


def _problem(status: int, detail: str) -> JSONResponse:
    return JSONResponse({"detail": detail}, status_code=status)


async def _read_body(request: Request) -> bytes | None:
    """The raw body; None when it is too large, without reading it all."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST_BODY:
            return None
    return bytes(body)
