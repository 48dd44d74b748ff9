"""Hangs the desk into the web application."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.staticfiles import StaticFiles
from nicegui import app as pages_app
from nicegui import ui

from bot.flow.desk import Desk
from bot.store.database import Database
from desk.pages.guard import Guard
from desk.pages.login import create_login
from desk.pages.page import DeskPage
from desk.pages.relay import Relay
from desk.pages.seen import Seen
from desk.pages.sessions import BASE, Sessions, token_of

_STATIC = Path(__file__).parent / "static"
# How long the server keeps a page whose browser is out of reach: a tunnel, a sleeping laptop.
_RECONNECT_SECONDS = 30.0


def mount(
    app: FastAPI,
    desk: Desk,
    database: Database,
    secret: str,
    other_workers: Callable[[], Sequence[int]] | None = None,
) -> None:
    """Adds the desk under ``/desk``. Call it once in a process, after the other routes.

    Args:
        desk: The operations.
        database: Where agents and their sessions are.
        secret: Signs the cookie of the page framework; who is logged in does not depend on it.
        other_workers: The local ports of those that share the server's port; None where it has
            none to share with.
    """
    sessions, seen = Sessions(database), Seen()
    app.include_router(create_login(sessions))
    app.mount(f"{BASE}/static", StaticFiles(directory=_STATIC), name="desk-static")

    @ui.page("/", title="Desk · Frontdesk")
    async def show(request: Request, conversation: str = "") -> None:
        page = DeskPage(desk, sessions, seen, token_of(request))
        page.build(request.state.agent, conversation)

    ui.run_with(
        app,
        mount_path=BASE,
        storage_secret=secret,
        title="Frontdesk",
        favicon=_STATIC / "icon.svg",
        dark=None,
        tailwind=False,
        reconnect_timeout=_RECONNECT_SECONDS,
        # Every look may send a transcript: few are kept for a browser that comes back.
        message_history_length=100,
        show_welcome_message=False,
        session_middleware_kwargs={
            "session_cookie": "frontdesk_pages",
            "path": BASE,
            "same_site": "lax",
        },
    )
    if other_workers is not None:
        pages_app.add_middleware(Relay, others=other_workers)
    # Added last, hence outermost: what it refuses reaches no page, not even the framework's cookie.
    pages_app.add_middleware(Guard, sessions=sessions)
