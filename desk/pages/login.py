"""Logging in and out: plain HTML, since only an answer to a request can set a cookie."""

from __future__ import annotations

import html
import logging
from pathlib import Path
from string import Template
from urllib.parse import parse_qs

import nicegui
from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, PlainTextResponse, RedirectResponse

from bot.core.errors import StoreUnavailableError
from desk.pages.guard import HEADERS
from desk.pages.sessions import (
    BASE,
    COOKIE,
    Sessions,
    from_own_pages,
    is_secure,
    keep,
    token_of,
)

logger = logging.getLogger(__name__)

WRONG = "E-mail or password is wrong. After five wrong passwords an account rests for 15 minutes."
_UNAVAILABLE = "The database does not answer. Please try again in a moment."
_LARGEST_FORM = 8 * 1024
_PAGE = Template((Path(__file__).parent / "login.html").read_text(encoding="utf-8"))
_FRESH = HEADERS | {"cache-control": "no-store"}


def create_login(sessions: Sessions) -> APIRouter:
    """The routes ``/desk/login`` and ``/desk/logout``."""
    router = APIRouter(prefix=BASE, include_in_schema=False)

    @router.get("/login")
    async def show() -> Response:
        return _page()

    @router.post("/login")
    async def log_in(request: Request) -> Response:
        if not from_own_pages(request.headers):
            return PlainTextResponse("This request comes from another site.", 403)
        form = await _form(request)
        if form is None:
            return PlainTextResponse("The form is too large.", 413)
        email, password = form.get("email", ""), form.get("password", "")
        try:
            token = await sessions.log_in(email, password, token_of(request))
        except StoreUnavailableError:
            return _page(email, _UNAVAILABLE, 503)
        if token is None:
            logger.info("a login was refused")
            return _page(email, WRONG, 401)
        response = RedirectResponse(f"{BASE}/", 303, _FRESH)
        keep(response, token, secure=is_secure(request))
        return response

    @router.post("/logout")
    async def log_out(request: Request) -> Response:
        if not from_own_pages(request.headers):
            return PlainTextResponse("This request comes from another site.", 403)
        try:
            await sessions.log_out(token_of(request))
        except StoreUnavailableError:
            return PlainTextResponse("The database does not answer: you are still logged in.", 503)
        response = RedirectResponse(f"{BASE}/login", 303, _FRESH)
        response.delete_cookie(COOKIE, path=BASE)
        return response

    return router


async def _form(request: Request) -> dict[str, str] | None:
    """The form's fields; None when it is larger than any login."""
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > _LARGEST_FORM:
            return None
    fields = parse_qs(body.decode(errors="replace"), keep_blank_values=True, errors="replace")
    return {name: values[0] for name, values in fields.items()}


def _page(email: str = "", problem: str = "", status: int = 200) -> HTMLResponse:
    alert = f'<p class="problem" role="alert">{html.escape(problem)}</p>' if problem else ""
    text = _PAGE.substitute(
        base=BASE, version=nicegui.__version__, email=html.escape(email), problem=alert
    )
    return HTMLResponse(text, status, _FRESH)
