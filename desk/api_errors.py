"""How the desk's API says no: one JSON shape for every expected failure."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from fastapi import HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict, Field
from starlette.types import Message, Receive

from bot.core.errors import (
    ConversationError,
    FrontdeskError,
    IllegalTransitionError,
    NotReplayableError,
    NotVisibleError,
    StoreUnavailableError,
    TakenError,
)

LARGEST_BODY = 64 * 1024


class Problem(BaseModel):
    """Why a request was refused, and what to do about it."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "error": "taken",
                "detail": "Sam has this conversation already",
                "next_step": "Choose another conversation.",
            }
        }
    )

    error: str = Field(description="A short code for programs; it does not change.")
    detail: str = Field(description="What is wrong, for people.")
    next_step: str = Field(description="What the caller can do.")


class NotLoggedInError(FrontdeskError):
    """The request proves no agent. One text for every cause, so that nothing can be guessed."""


_STATUS: tuple[tuple[type[FrontdeskError], int, str, str], ...] = (
    (NotLoggedInError, 401, "not_logged_in", "Send a valid token: Authorization: Bearer fd_…"),
    (NotVisibleError, 404, "not_found", "List the conversations and choose one of them."),
    (TakenError, 409, "taken", "Choose another conversation, or take this one first."),
    (
        NotReplayableError,
        409,
        "not_replayable",
        "Read the conversation, and write to the customer.",
    ),
    (IllegalTransitionError, 409, "illegal_transition", "Read the conversation again: it changed."),
    (StoreUnavailableError, 503, "store_unavailable", "Nothing was changed. Try again shortly."),
)
_READ_DOCS = "Correct the request; /docs shows what is expected."
_HEADERS = {401: {"WWW-Authenticate": "Bearer"}, 503: {"Retry-After": "5"}}


def problem_response(error: FrontdeskError) -> JSONResponse | None:
    """The answer to an expected failure; None for any other."""
    for kind, status, code, next_step in _STATUS:
        if isinstance(error, kind):
            # The store's own words name drivers, which is nobody's business outside.
            unavailable = isinstance(error, StoreUnavailableError)
            detail = "The database does not answer" if unavailable else str(error)
            return _answer(status, code, detail, next_step)
    return None


def _answer(status: int, error: str, detail: str, next_step: str) -> JSONResponse:
    body = Problem(error=error, detail=detail, next_step=next_step)
    return JSONResponse(body.model_dump(), status, headers=_HEADERS.get(status))


def _invalid(errors: Sequence[Any]) -> JSONResponse:
    """Names the fields and never quotes what was sent: it may be a customer's or a password."""
    said = "; ".join(
        f"{'.'.join(str(part) for part in error['loc'])}: {error['msg']}" for error in errors
    )
    return _answer(422, "invalid", said, _READ_DOCS)


def _limited(receive: Receive) -> Receive:
    """The request's body, as long as it is not longer than any that is expected here."""
    received = 0

    async def counted() -> Message:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        if received > LARGEST_BODY:
            raise HTTPException(413, f"The body is larger than {LARGEST_BODY} bytes")
        return message

    return counted


class ProblemRoute(APIRoute):
    """A route whose expected failures become `Problem` answers."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, with its failures caught."""
        handle = super().get_route_handler()

        async def guarded(request: Request) -> Response:
            try:
                return await handle(Request(request.scope, _limited(request.receive)))
            except HTTPException as error:
                return _answer(error.status_code, "refused", str(error.detail), _READ_DOCS)
            except RequestValidationError as error:
                return _invalid(error.errors())
            except (NotLoggedInError, ConversationError, StoreUnavailableError) as error:
                answer = problem_response(error)
                if answer is None:
                    raise
                return answer

        return guarded


def known_form(identifier: str) -> str:
    """Anything that cannot be an id is simply unknown, and is never asked of the database."""
    try:
        return str(uuid.UUID(identifier))
    except ValueError as error:
        raise NotVisibleError("there is nothing with this id") from error


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """What a route may answer beside success, for the API's documentation."""
    words = {
        401: "No token, an unknown or an expired one",
        404: "No such conversation or message",
        409: "Somebody else has the conversation, or its state does not allow this",
        422: "The request does not have the form that is documented here",
        503: "The database does not answer; nothing was changed",
    }
    return {status: {"model": Problem, "description": words[status]} for status in statuses}
