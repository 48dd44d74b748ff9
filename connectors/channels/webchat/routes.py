"""The web chat over HTTP: FastAPI is known here and nowhere else in this folder."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Annotated, Protocol

from fastapi import APIRouter, Header, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse

from bot.core.errors import PayloadError, SignatureError, StoreUnavailableError
from bot.core.messages import Author, WebhookRequest
from bot.core.transcript import Event, Hub, Transcript, conversation_id
from connectors.channels.webchat.channel import WebchatChannel
from connectors.channels.webchat.limits import RateLimit
from connectors.channels.webchat.live import stream, topic_of
from connectors.channels.webchat.view import read

LARGEST_BODY = 64 * 1024
FURTHEST = 2**31 - 1
_WIDGET = Path(__file__).parent / "static" / "widget.js"
_LIVE_HEADERS = {
    "cache-control": "no-store",
    "x-accel-buffering": "no",  # nginx would keep the events back until its buffer is full
}
Bearer = Annotated[str, Header(description="Bearer <visitor token>")]


class Acknowledgement(Protocol):
    """What came of a webhook request, once it is stored; a WebhookResult is one."""

    @property
    def status(self) -> int: ...
    @property
    def body(self) -> str: ...
    @property
    def content_type(self) -> str: ...


Receive = Callable[[WebhookRequest], Awaitable[Acknowledgement]]


def create_router(
    channel: WebchatChannel, transcript: Transcript, hub: Hub, receive: Receive
) -> APIRouter:
    """The web chat's paths. Include it before a route for ``/webhooks/{channel}/…``: only here are
    the answers to other sites' pages given the headers that browsers ask for.

    Args:
        channel: Whose visitors they are.
        transcript: Where the conversation is read.
        hub: Says when to read it again, and carries who is typing.
        receive: The engine's way in: lets the channel verify and parse the request, stores what
            it holds, and returns the acknowledgement. May raise WebhookError and
            StoreUnavailableError.
    """
    pages = _Pages(channel, transcript, hub, receive)
    router = APIRouter(tags=["web chat"])
    base = f"/webhooks/{channel.name}"
    router.add_api_route(f"{base}/session", pages.session, methods=["POST"])
    router.add_api_route(f"{base}/messages", pages.send, methods=["POST"], status_code=202)
    router.add_api_route(f"{base}/messages", pages.messages, methods=["GET"])
    router.add_api_route(f"{base}/live", pages.live, methods=["GET"])
    router.add_api_route(f"{base}/typing", pages.typing, methods=["POST"], status_code=204)
    for path in ("session", "messages", "live", "typing"):
        router.add_api_route(
            f"{base}/{path}", pages.preflight, methods=["OPTIONS"], include_in_schema=False
        )
    widget = _Widget(_WIDGET.read_bytes())
    router.add_api_route("/webchat/widget.js", widget.get, methods=["GET"])
    router.add_api_route(
        "/webchat/widget.js", widget.get, methods=["HEAD"], include_in_schema=False
    )
    return router


class _Pages:
    """One method a path; each docstring is what the API documentation shows."""

    def __init__(
        self, channel: WebchatChannel, transcript: Transcript, hub: Hub, receive: Receive
    ) -> None:
        self._channel, self._transcript = channel, transcript
        self._hub, self._receive = hub, receive
        self._typing = RateLimit(times=30, seconds=60.0)

    async def session(self, request: Request) -> Response:
        """Starts a conversation, or renews the visitor's token when it comes as Bearer."""
        return await self._guarded(request, self._pass_on("session", request))

    async def send(self, request: Request) -> Response:
        """Takes one message: ``{"id", "text", "button"?}``. The same id is taken once."""
        return await self._guarded(request, self._pass_on("messages", request))

    async def messages(
        self, request: Request, authorization: Bearer = "", after: str = "0"
    ) -> Response:
        """The visitor's conversation behind the place ``after``, oldest message first."""

        async def answer() -> Response:
            conversation = self._conversation(authorization)
            page = await read(self._transcript, conversation, _place(after))
            return JSONResponse(
                {"messages": page.messages, "more": page.more},
                headers={"cache-control": "no-store"},
            )

        return await self._guarded(request, answer())

    async def live(
        self,
        request: Request,
        authorization: Bearer = "",
        after: str = "0",
        last_event_id: Annotated[str, Header()] = "",
    ) -> Response:
        """Server-Sent Events: ``messages``, ``typing`` and ``state``. The token comes as a header,
        since query strings end up in logs: read it with fetch, not with EventSource."""

        async def answer() -> Response:
            conversation = self._conversation(authorization)
            events: AsyncIterator[str] = stream(
                self._transcript, self._hub, conversation, _place(last_event_id or after)
            )
            return StreamingResponse(events, headers=_LIVE_HEADERS, media_type="text/event-stream")

        return await self._guarded(request, answer())

    async def typing(self, request: Request, authorization: Bearer = "") -> Response:
        """Tells the agent that the visitor is typing."""

        async def answer() -> Response:
            conversation = self._conversation(authorization)
            if self._typing.wait(conversation) == 0:
                event = Event(topic_of(conversation), "typing", Author.CUSTOMER.value)
                await self._hub.publish(event)
            return Response(status_code=204)

        return await self._guarded(request, answer())

    async def preflight(self, request: Request) -> Response:
        allowed = self._cross_origin(request)
        if "access-control-allow-origin" not in allowed:
            return _problem(403, "This site is not among the web chat's allowed_origins", allowed)
        allowed["access-control-allow-methods"] = "GET, POST"
        allowed["access-control-allow-headers"] = "authorization, content-type, last-event-id"
        allowed["access-control-max-age"] = "600"
        return Response(status_code=204, headers=allowed)

    def _conversation(self, authorization: str) -> str:
        return conversation_id(self._channel.address(authorization))

    async def _pass_on(self, path: str, request: Request) -> Response:
        url = f"{self._channel.public_url.rstrip('/')}/webhooks/{self._channel.name}/{path}"
        query = request.url.query
        said = await self._receive(
            WebhookRequest(
                method=request.method,
                url=f"{url}?{query}" if query else url,
                path=path,
                headers=dict(request.headers),
                body=await _body(request),
            )
        )
        headers = {"cache-control": "no-store"}
        return Response(said.body, said.status, headers, media_type=said.content_type)

    async def _guarded(self, request: Request, answer: Awaitable[Response]) -> Response:
        """The answer, or the expected failure in its place, readable for allowed sites."""
        headers = self._cross_origin(request)
        try:
            response = await answer
        except SignatureError as error:
            return _problem(403, str(error), headers)
        except PayloadError as error:
            return _problem(400, str(error), headers)
        except StoreUnavailableError:
            return _problem(503, "The conversation cannot be reached just now", headers)
        response.headers.update(headers)
        return response

    def _cross_origin(self, request: Request) -> dict[str, str]:
        origin = request.headers.get("origin", "")
        headers = {"vary": "Origin"}
        if origin in self._channel.origins:
            headers["access-control-allow-origin"] = origin
        return headers


class _Widget:
    """The widget's file. It is read once: a new version comes with a new start."""

    def __init__(self, source: bytes) -> None:
        self._source = source
        self._headers = {
            "etag": f'"{hashlib.sha256(source).hexdigest()[:20]}"',
            "cache-control": "public, max-age=300",
            # Pages that isolate themselves load only what says that it may be loaded.
            "cross-origin-resource-policy": "cross-origin",
            "x-content-type-options": "nosniff",
        }

    async def get(self, if_none_match: Annotated[str, Header()] = "") -> Response:
        """The widget, for one ``<script>`` line on the shop's pages."""
        if self._headers["etag"] in if_none_match:
            return Response(status_code=304, headers=self._headers)
        return Response(self._source, headers=self._headers, media_type="text/javascript")


async def _body(request: Request) -> bytes:
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > LARGEST_BODY:
            raise PayloadError(f"The body is larger than {LARGEST_BODY} bytes")
    return body


def _place(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or len(text) > 10 or int(text) > FURTHEST:
        raise PayloadError("after: should be the seq of a message, or 0")
    return int(text)


def _problem(status: int, text: str, headers: dict[str, str]) -> Response:
    return JSONResponse({"detail": text}, status, headers=headers)
