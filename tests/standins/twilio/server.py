"""The stand-in itself: a thread with an event loop, an HTTP server and an HTTP client."""

from __future__ import annotations

import asyncio
import base64
import binascii
import hmac
import threading
from collections.abc import Callable, Coroutine, Mapping
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import parse_qs, parse_qsl

import aiohttp
from aiohttp import web

from tests.standins.twilio.api import Api, Refusal
from tests.standins.twilio.customers import Customers, Hook
from tests.standins.twilio.faults import Callbacks, Fault, Faults, Kind, Rate
from tests.standins.twilio.model import Clock, Logged, Message, Record, Reply
from tests.standins.twilio.webhooks import Poster, report

T = TypeVar("T")


class TwilioStandin:
    """Twilio for one account, on a free local port; use it as a context manager.

    Attributes:
        account_sid, auth_token: What the API and the signatures expect.
        base_url: For ``api_base_url`` in the channel's credentials; set once it runs.
        clock: Time as Twilio sees it.
        faults: What will go wrong with API requests.
        callbacks: How status callbacks behave.
        record: Messages, opt-outs, every request that came and every webhook's reply.
    """

    def __init__(
        self,
        account_sid: str = "AC00000000000000000000000000000001",
        auth_token: str = "a-token-of-the-stand-in",
        port: int = 0,
    ) -> None:
        self.account_sid, self.auth_token = account_sid, auth_token
        self.base_url = ""
        self.clock, self.faults, self.callbacks = Clock(), Faults(), Callbacks()
        self.record = Record()
        self._port = port
        self._poster = Poster(auth_token, self.record)
        self._api = Api(account_sid, self.record, self.clock, self._start_report)
        self._customers = Customers(account_sid, self.record, self.clock, self._poster)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="twilio-standin")
        self._runner: web.AppRunner | None = None
        self._reports: set[asyncio.Task[None]] = set()

    def __enter__(self) -> Self:
        self._thread.start()
        self._run(self._open())
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._run(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def credentials(self, number: str, **more: object) -> dict[str, object]:
        """A section of ``credentials.yml`` that leads here."""
        return {
            "account_sid": self.account_sid,
            "auth_token": self.auth_token,
            "twilio_number": number,
            "api_base_url": self.base_url,
            **more,
        }

    def use_advanced_opt_out(self) -> None:
        """From now on keywords work on WhatsApp too and webhooks carry ``OptOutType``."""
        self._customers.advanced_opt_out = True

    def limit_rate(self, rate: Rate | None) -> None:
        """From now on, that many creations and no more."""
        self._api.rate = rate

    def hold_callbacks(self) -> None:
        """Status callbacks wait until `release_callbacks`."""
        self._loop.call_soon_threadsafe(self.callbacks.held.clear)

    def release_callbacks(self) -> None:
        """Lets status callbacks go again."""
        self._loop.call_soon_threadsafe(self.callbacks.held.set)

    def wait_for_callbacks(self) -> None:
        """Returns when all status callbacks so far were posted. Blocks: see `customer_sends`."""
        self._run(self._reported())

    def customer_sends(
        self,
        from_: str,
        body: str = "",
        media: Mapping[str, str] | None = None,
        *,
        to: str,
        webhook_url: str,
        sign_as: str | None = None,
        fallback_url: str | None = None,
        duplicates: int = 0,
        extra: Mapping[str, str] | None = None,
    ) -> list[Reply]:
        """A customer writes: posts the signed webhook and gives what it answered.

        Blocks. A test whose own event loop serves the webhook calls it with `asyncio.to_thread`.

        Args:
            from_, body, media: The message; media by URL with content type.
            to: The shop's number. Both with ``whatsapp:`` for WhatsApp.
            webhook_url: Where Twilio was told to post.
            sign_as: The public URL, where `webhook_url` is behind a proxy.
            fallback_url: Tried when the webhook cannot be reached or answers 5xx.
            duplicates: How often the same message is delivered again.
            extra: Further fields, such as ``ButtonPayload`` or ``Latitude``.

        Returns:
            The replies, one for each delivery.
        """
        types = dict(media or {})
        message = self._customers.message(from_, to, body, tuple(types))
        hook = Hook(webhook_url, sign_as, fallback_url)
        return self._run(
            self._customers.deliver(message, types, dict(extra or {}), hook, 1 + duplicates)
        )

    async def _open(self) -> None:
        self._poster.session = aiohttp.ClientSession()
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port)
        await site.start()
        self._port = self._runner.addresses[0][1]
        self.base_url = f"http://127.0.0.1:{self._port}"

    async def _close(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
        # Callbacks under way, and handlers that still carry out a slow fault.
        rest = asyncio.all_tasks() - {asyncio.current_task()}
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)
        if self._poster.session is not None:
            await self._poster.session.close()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        body = (await request.read()).decode()
        fault = self.faults.take(request.method)
        if fault is None:
            response: web.Response | None = self._answer(request, body)
        else:
            response = await _spoiled(fault, lambda: self._answer(request, body))
        self._log(request, body, 0 if response is None else response.status)
        if response is None:
            if request.transport is not None:
                request.transport.abort()
            return web.Response(status=500)
        return response

    def _answer(self, request: web.Request, body: str) -> web.Response:
        try:
            self._authenticate(request.headers.get("Authorization", ""))
            root = f"/2010-04-01/Accounts/{self.account_sid}/Messages"
            if request.path == f"{root}.json" and request.method == "POST":
                return self._api.create(parse_qs(body, keep_blank_values=True))
            if request.path == f"{root}.json" and request.method == "GET":
                return self._api.list(dict(request.query))
            if request.path.startswith(f"{root}/") and request.method == "GET":
                return self._api.fetch(request.path.removeprefix(f"{root}/").removesuffix(".json"))
            raise Refusal(404, 20404, "The requested resource was not found")
        except Refusal as refusal:
            return refusal.response()

    def _authenticate(self, header: str) -> None:
        scheme, _, encoded = header.partition(" ")
        try:
            given = base64.b64decode(encoded, validate=True)
        except binascii.Error:
            given = b""
        expected = f"{self.account_sid}:{self.auth_token}".encode()
        if scheme != "Basic" or not hmac.compare_digest(given, expected):
            raise Refusal(401, 20003, "Authenticate")

    def _log(self, request: web.Request, body: str, status: int) -> None:
        self.record.requests.append(
            Logged(
                request.method,
                request.path,
                tuple(request.query.items()),
                tuple(parse_qsl(body, keep_blank_values=True)),
                {name.lower(): value for name, value in request.headers.items()},
                status,
            )
        )

    def _start_report(self, message: Message) -> None:
        task = self._loop.create_task(report(message, self.callbacks, self._poster))
        self._reports.add(task)
        task.add_done_callback(self._reports.discard)

    async def _reported(self) -> None:
        while self._reports:
            await asyncio.gather(*self._reports)

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=60)


async def _spoiled(fault: Fault, answer: Callable[[], web.Response]) -> web.Response | None:
    """Carries a fault out; None for a connection that shall break."""
    done = answer() if fault.after else None
    if fault.kind is Kind.SLOW:
        await asyncio.sleep(fault.seconds)
        return answer() if done is None else done
    if fault.kind is Kind.STATUS:
        return Refusal(fault.status, fault.code, "Fault on demand", fault.retry_after).response()
    return None
