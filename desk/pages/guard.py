"""What stands before every page of the desk: session, origin, and what browsers may load."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.core.errors import StoreUnavailableError
from desk.pages.sessions import BASE, Sessions, from_own_pages, token_of

# Scripts are built in the browser from templates of our own, hence unsafe-eval; nothing is loaded
# from elsewhere but pictures that customers sent.
HEADERS = {
    "content-security-policy": (
        "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; "
        "style-src 'self' 'unsafe-inline'; img-src 'self' data: https:; font-src 'self' data:; "
        "connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; "
        "frame-ancestors 'none'"
    ),
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}
_ASSETS = f"{BASE}/_nicegui/"
_POLICY_VIOLATION = 1008


class Guard:
    """ASGI middleware around the desk's pages and their websocket."""

    def __init__(self, app: ASGIApp, sessions: Sessions) -> None:
        self._app, self._sessions = app, sessions

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Lets through agents who are logged in, and puts them into ``request.state.agent``."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        send = _with_headers(send)
        refusal = await self._refusal(scope)
        if refusal is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": _POLICY_VIOLATION})
        else:
            await refusal(scope, receive, send)

    async def _refusal(self, scope: Scope) -> Response | None:
        connection = HTTPConnection(scope)
        method = scope.get("method", "")
        if scope["path"].startswith(_ASSETS) and method in ("GET", "HEAD"):
            return None
        if method not in ("GET", "HEAD") and not from_own_pages(connection.headers):
            return PlainTextResponse("This request comes from another site.", 403)
        try:
            agent = await self._sessions.agent(token_of(connection))
        except StoreUnavailableError:
            return PlainTextResponse(
                "The database does not answer. Try again shortly.", 503, {"retry-after": "5"}
            )
        if agent is None:
            return RedirectResponse(f"{BASE}/login", 303)
        connection.state.agent = agent
        return None


def _with_headers(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message).update(HEADERS)
        await send(message)

    return sending
