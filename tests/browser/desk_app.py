"""The desk under uvicorn, and a way for tests to let things happen on the customers' side.

Run in a process of its own: ``python -m tests.browser.desk_app <folder>``. It prints its URL when
it serves. The folder holds the databases.
"""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import Body, FastAPI

from bot.core.conversation import HandoffReason
from bot.core.identity import Identity
from bot.core.messages import Attachment, Author, Button, Status
from bot.core.transcript import Event
from bot.store import outbox
from bot.store.database import Database
from bot.store.migrate import migrate
from bot.store.rows import utc_now
from desk import api, pages
from tests.desk_office import Office, office, seed_shop

SECRET = "a secret of at least thirty-two characters"


def create_app(place: Office) -> FastAPI:
    """The desk and the API, and ``POST /customer/<what>`` with the arguments of `Office`."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await migrate(place.database)
        for name in ("Sam", "Alex"):
            await place.hire(name)
        yield

    app = FastAPI(lifespan=lifespan)
    _add_customers(app, place)
    app.include_router(api.create_api(place.desk, place.database))
    pages.mount(app, place.desk, place.database, SECRET)
    return app


def _add_customers(app: FastAPI, place: Office) -> None:
    @app.post("/customer/writes")
    async def writes(body: dict[str, Any] = Body()) -> str:  # noqa: B008
        body["attachments"] = tuple(Attachment(**a) for a in body.pop("attachments", ()))
        return await place.write(**body)

    @app.post("/customer/answered")
    async def answered(body: dict[str, Any] = Body()) -> str:  # noqa: B008
        buttons = [Button(**b) for b in body.pop("buttons", ())]
        author = Author(body.pop("author", "bot"))
        files = tuple(Attachment(**a) for a in body.pop("attachments", ()))
        conversation, text = body["conversation"], body["text"]
        return await place.answer(conversation, text, *buttons, author=author, attachments=files)

    @app.post("/customer/handed-over")
    async def handed_over(body: dict[str, Any] = Body()) -> None:  # noqa: B008
        reason = HandoffReason(body.get("reason", "customer_request"))
        await place.hand_over(body["conversation"], reason, body.get("evidence"))

    @app.post("/customer/recognised")
    async def recognised(body: dict[str, Any] = Body()) -> None:  # noqa: B008
        identity = Identity[body.get("identity", "CONFIRMED")]
        await place.recognise(body["conversation"], body["customer"], identity)

    @app.post("/customer/typing")
    async def typing(body: dict[str, Any] = Body()) -> None:  # noqa: B008
        topic = f"conversation:{body['conversation']}"
        await place.hub.publish(Event(topic, "typing", Author.CUSTOMER))

    @app.post("/customer/refused")
    async def refused(body: dict[str, Any] = Body()) -> None:  # noqa: B008
        await place.fail(body["message"])

    @app.post("/customer/receipt")
    async def receipt(body: dict[str, Any] = Body()) -> None:  # noqa: B008
        async with place.database.write() as connection:
            await outbox.mark(connection, body["message"], Status(body["status"]), utc_now())
        await place.tell(body["conversation"])


class _Announcing(uvicorn.Server):
    """Says where it serves as soon as it does."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        port = self.servers[0].sockets[0].getsockname()[1]
        print(f"http://127.0.0.1:{port}", flush=True)


async def main(folder: Path) -> None:
    """Serves until the process is ended."""
    database = Database(f"sqlite:///{folder}/frontdesk.db")
    async with office(database, await seed_shop(folder)) as place:
        config = uvicorn.Config(
            create_app(place), port=0, log_level="warning", timeout_graceful_shutdown=1
        )
        await _Announcing(config).serve()
    await database.aclose()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
