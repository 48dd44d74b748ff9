"""A shop's page with the web chat on it, and the script of what the shop answers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from fastapi import Request
from fastapi.responses import HTMLResponse

from bot.core.messages import Attachment, Author, Button, Inbound
from bot.core.transcript import Event
from tests.webchat_backend import MemoryBackend, app_of, serving

PAGE = """<!doctype html><html lang="en"><title>Shop</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<h1>A shop</h1><a href="#top">A link of the page</a>
<script src="/webchat/widget.js" data-title="Juniper &amp; Co" data-accent="#2f6f4f" async></script>
"""


@dataclass
class Shop:
    """The server that the page comes from."""

    url: str
    backend: MemoryBackend

    @property
    def conversation(self) -> str:
        [conversation] = self.backend.transcript.rows
        return conversation

    async def types(self, author: str) -> None:
        await self.backend.hub.publish(Event(f"conversation:{self.conversation}", "typing", author))


async def answer(backend: MemoryBackend, conversation: str, message: Inbound) -> None:
    """The script: what the shop says to what."""

    async def say(text: str, *buttons: Button, attachments: tuple[Attachment, ...] = ()) -> None:
        await backend.say(conversation, Author.BOT, text, buttons=buttons, attachments=attachments)

    if message.button == "tok-yes":
        await say("Your return is booked.")
    elif "return" in message.text.lower():
        yes, rules = Button("Yes, please", "tok-yes"), Button("Our rules", url="/rules")
        wrong = Button("Wrong", url="javascript:window.hit=1")
        await say("Shall I book a return for your coat?", yes, rules, wrong)
    elif "coat" in message.text.lower():
        coat = Attachment("/coat.svg", "image/svg+xml", "Navy winter coat")
        await say("This one, see https://shop.example/coat?a=1&b=2.", attachments=(coat,))
    elif "<" in message.text:
        await say(message.text)
    elif "quiet" not in message.text:
        await say(f"You wrote: {message.text}")


@asynccontextmanager
async def served(backend: MemoryBackend) -> AsyncIterator[str]:
    app = app_of(backend)

    @app.get("/")
    async def page() -> HTMLResponse:
        # Shops forbid inline styles and scripts: the widget must do without.
        return HTMLResponse(PAGE, headers={"content-security-policy": "default-src 'self'"})

    @app.get("/another-site")
    async def another_site(request: Request) -> HTMLResponse:
        server = f'"http://127.0.0.1:{request.url.port}/webchat/'
        return HTMLResponse(PAGE.replace('"/webchat/', server))

    @app.get("/coat.svg")
    async def coat() -> HTMLResponse:
        svg = '<svg xmlns="http://www.w3.org/2000/svg" width="200" height="150"></svg>'
        return HTMLResponse(svg, media_type="image/svg+xml")

    async with serving(app) as url:
        yield url
