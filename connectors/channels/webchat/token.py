"""Visitor tokens: a signed random id is all that identifies somebody who writes in the web chat."""

from __future__ import annotations

import hmac
import re
import secrets
from datetime import UTC, datetime, timedelta

import jwt

from bot.core.errors import SignatureError

AUDIENCE = "webchat"
LIFETIME = timedelta(days=180)
_VISITOR = re.compile(r"[0-9a-f]{32}")


def new_visitor() -> str:
    """A visitor id that nobody can guess: 128 random bits in hexadecimal."""
    return secrets.token_hex(16)


class VisitorTokens:
    """Issues and checks visitor tokens (JWT, HS256).

    Args:
        secret: The shop's secret. Other parts of Frontdesk sign with it too, so a key of our own is
            derived from it: a token of the desk never passes for one of a visitor, nor the reverse.
        lifetime: How long a token is good; a visitor who comes back in time gets a new one.
    """

    def __init__(self, secret: str, lifetime: timedelta = LIFETIME) -> None:
        self._key = hmac.digest(secret.encode(), b"frontdesk webchat visitor", "sha256")
        self._lifetime = lifetime

    def issue(self, visitor: str) -> str:
        """A token for this visitor, good from now on."""
        now = datetime.now(UTC)
        claims = {"sub": visitor, "aud": AUDIENCE, "iat": now, "exp": now + self._lifetime}
        return jwt.encode(claims, self._key, algorithm="HS256")

    def visitor(self, token: str) -> str:
        """Whose token it is.

        Raises:
            SignatureError: It is not one of ours, was changed, or is too old.
        """
        try:
            claims = jwt.decode(
                token,
                self._key,
                algorithms=["HS256"],
                audience=AUDIENCE,
                options={"require": ["sub", "aud", "iat", "exp"]},
            )
        except jwt.InvalidTokenError as error:
            raise SignatureError(
                f"The visitor token is not valid: {type(error).__name__}"
            ) from None
        visitor = claims["sub"]
        if not isinstance(visitor, str) or not _VISITOR.fullmatch(visitor):
            raise SignatureError("The visitor token names no visitor")
        return visitor
