"""`frontdesk actions`: the custom actions as a server of their own, in Rasa's protocol."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from rasa.utils.endpoints import ClientResponseError

from bot.bootstrap import ACTIONS_PACKAGE, connect_shop
from bot.core.actions import ActionContext, current_action
from bot.dialogue.action_endpoint import InProcessActions, load_actions
from bot.dialogue.logs import quieten_rasa
from bot.flow.turn import Shop
from bot.settings import Settings


def create_app(shop: Shop, actions: InProcessActions) -> FastAPI:
    """The action server: ``POST /webhook`` as Rasa calls it, ``GET /health``."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await shop.crm.prepare()
        await shop.pos.prepare()
        yield
        await shop.crm.close()
        await shop.pos.close()

    app = FastAPI(lifespan=lifespan, openapi_url=None)

    @app.get("/health")
    async def health() -> dict[str, str]:
        return {"status": "ok"}

    @app.post("/webhook")
    async def webhook(request: Request) -> JSONResponse:
        call = await request.json()
        token = current_action.set(_context(shop, call.get("tracker") or {}))
        try:
            return JSONResponse(await actions.request(json=call))
        except ClientResponseError as rejection:
            return JSONResponse(content=rejection.text, status_code=rejection.status)
        finally:
            current_action.reset(token)

    return app


def _context(shop: Shop, tracker: dict[str, Any]) -> ActionContext:
    """The message's id is the key here too: a call that is repeated changes nothing twice."""
    message = tracker.get("latest_message") or {}
    return ActionContext(
        shop.crm,
        shop.pos,
        key=str(message.get("message_id") or tracker.get("sender_id")),
        now=datetime.now(UTC),
        channel=str(tracker.get("latest_input_channel") or ""),
        timezone=shop.timezone,
    )


def run(settings: Settings, host: str, port: int) -> None:
    """Serves until it is told to stop."""
    quieten_rasa(logging.WARNING)
    shop = connect_shop(settings)
    app = create_app(shop, InProcessActions(load_actions(ACTIONS_PACKAGE)))
    uvicorn.run(app, host=host, port=port, log_level="warning", server_header=False)
