"""Who is logged in: the one place where a browser's session is made, checked and ended."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection
from starlette.responses import Response

from bot.core.access import Agent
from bot.store import accounts
from bot.store.database import Database
from bot.store.rows import utc_now

BASE = "/desk"
COOKIE = "frontdesk_session"
LIFETIME = timedelta(hours=12)
_LABEL = "desk session"


class Sessions:
    """Sessions are tokens in the database: every replica knows them, and logging out ends them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def log_in(self, email: str, password: str, old_token: str) -> str | None:
        """Checks a password.

        Args:
            old_token: The session the browser came with; it ends, so that nobody who planted or saw
                it shares the new one.

        Returns:
            The new session's token; None when refused, for whatever reason.

        Raises:
            StoreUnavailableError: The database does not answer.
        """
        now = utc_now()
        agent = (await accounts.log_in(self._database, email, password, now)).agent
        if agent is None:
            return None
        async with self._database.write() as connection:
            await accounts.forget_expired_tokens(connection, now)
            await accounts.revoke_token(connection, old_token)
            return await accounts.add_token(connection, agent.id, _LABEL, now, LIFETIME)

    async def agent(self, token: str) -> Agent | None:
        """Who is logged in with this token; None when nobody is any more.

        Raises:
            StoreUnavailableError: The database does not answer.
        """
        if not token:
            return None
        async with self._database.read() as connection:
            return await accounts.agent_by_token(connection, token, utc_now())

    async def log_out(self, token: str) -> None:
        """Ends the session at once, in every window."""
        async with self._database.write() as connection:
            await accounts.revoke_token(connection, token)


def token_of(connection: HTTPConnection) -> str:
    """The session's token that a browser sent; empty when it sent none."""
    return connection.cookies.get(COOKIE, "")


def keep(response: Response, token: str, *, secure: bool) -> None:
    """Lets the browser keep the session; scripts cannot read it."""
    response.set_cookie(
        COOKIE,
        token,
        max_age=int(LIFETIME.total_seconds()),
        path=BASE,
        secure=secure,
        httponly=True,
        samesite="lax",
    )


def is_secure(connection: HTTPConnection) -> bool:
    """Whether the browser came over HTTPS, perhaps through a proxy."""
    return "https" in (connection.url.scheme, connection.headers.get("x-forwarded-proto"))


def from_own_pages(headers: Mapping[str, str]) -> bool:
    """Whether a request comes from our pages and not from another site's.

    Browsers send Origin with every POST and websocket; what sends none is no browser, and carries
    nobody's cookies. Neither Host nor X-Forwarded-Host can be set by another site's page.
    """
    origin = headers.get("origin")
    if origin is None:
        return True
    hosts = {headers.get("host"), headers.get("x-forwarded-host")} - {None, ""}
    return urlsplit(origin).netloc in hosts
