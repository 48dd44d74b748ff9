"""Several workers on one port: a page's websocket finds the worker that made the page.

A page of the desk lives in the process that answered it, and the browser's next connection may be
taken by another. That one passes the websocket on, message for message.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from urllib.parse import parse_qs

import httpx
from nicegui import Client
from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from desk.pages.sessions import BASE

_HOST = "127.0.0.1"
# Asked of other workers, behind the same login as the pages: is this page yours?
_ASK = f"{BASE}/_page/"
_ASK_SECONDS = 2.0


class Relay:
    """ASGI middleware around the desk's pages.

    Args:
        others: The local ports of the other workers, as they are now.
    """

    def __init__(self, app: ASGIApp, others: Callable[[], Sequence[int]]) -> None:
        self._app, self._others = app, others

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes on the websockets of pages that other workers made."""
        if scope["type"] == "http" and scope["path"].startswith(_ASK):
            ours = scope["path"].removeprefix(_ASK) in Client.instances
            await Response(status_code=204 if ours else 404)(scope, receive, send)
            return
        if scope["type"] == "websocket":
            page = _page(scope)
            if page and page not in Client.instances:
                owner = await self._owner(page, HTTPConnection(scope))
                if owner is not None:
                    await _pass_on(owner, scope, receive, send)
                    return
        # Nobody's page, e.g. of a worker that died: the page is told so, and loads again.
        await self._app(scope, receive, send)

    async def _owner(self, page: str, connection: HTTPConnection) -> int | None:
        async with httpx.AsyncClient(timeout=_ASK_SECONDS, trust_env=False) as http:
            for port in self._others():
                try:
                    answer = await http.get(
                        f"http://{_HOST}:{port}{_ASK}{page}", headers=_same_browser(connection)
                    )
                except httpx.HTTPError:
                    # It is just ending, or was killed.
                    continue
                if answer.status_code == 204:
                    return port
        return None


def _page(scope: Scope) -> str:
    """The id of the page that opens this websocket; empty where it is not told."""
    found = parse_qs(scope["query_string"].decode("latin-1")).get("client_id", [""])[0]
    return found if found.replace("-", "").isalnum() else ""


def _same_browser(connection: HTTPConnection) -> dict[str, str]:
    """What the other worker needs to know the agent, and that it is our own page."""
    kept = ("host", "cookie", "origin", "x-forwarded-host", "x-forwarded-proto")
    return {name: value for name in kept if (value := connection.headers.get(name))}


async def _pass_on(port: int, scope: Scope, receive: Receive, send: Send) -> None:
    headers = _same_browser(HTTPConnection(scope))
    # The address says which host the browser asked for; the connection goes to the worker.
    address = f"ws://{headers.pop('host', _HOST)}{scope['path']}?{scope['query_string'].decode()}"
    await receive()
    try:
        async with connect(
            address,
            host=_HOST,
            port=port,
            additional_headers=headers,
            compression=None,
            max_size=None,
            proxy=None,
        ) as worker:
            await send({"type": "websocket.accept"})
            await _both_ways(worker, receive, send)
    except (OSError, WebSocketException, TimeoutError):
        await send({"type": "websocket.close", "code": 1012})


async def _both_ways(worker: ClientConnection, receive: Receive, send: Send) -> None:
    async def up() -> None:
        while (message := await receive())["type"] == "websocket.receive":
            text = message.get("text")
            await worker.send(message["bytes"] if text is None else text)

    async def down() -> None:
        async for data in worker:
            kind = "text" if isinstance(data, str) else "bytes"
            await send({"type": "websocket.send", kind: data})
        await send({"type": "websocket.close", "code": worker.close_code or 1000})

    tasks = [asyncio.create_task(up()), asyncio.create_task(down())]
    done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()
    await asyncio.gather(*pending, return_exceptions=True)
    for task in done:
        task.result()
