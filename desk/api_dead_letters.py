"""The API's routes for messages that failed for good."""

# Annotations are evaluated here, not kept as text: routes depend on values local to a function.
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path, Query
from pydantic import AfterValidator, BaseModel, Field

from bot.core.access import Agent
from bot.core.messages import Author
from bot.flow.dead_letters import DeadLetters, Explained
from desk.api_errors import known_form, problems
from desk.api_models import WrittenView

Message = Annotated[str, Path(description="The message's id."), AfterValidator(known_form)]


class DeadLetterView(BaseModel):
    """A message that failed for good; its text stands in its conversation."""

    id: str
    conversation: str
    channel: str = Field(examples=["twilio"])
    direction: Literal["in", "out"] = Field(
        description="`out`: it could not be sent. `in`: the bot failed on it."
    )
    author: Author
    since: datetime
    attempts: int = Field(description="How often it was tried.")
    error: str = Field(description="The cause in the connector's words, or the error's type.")
    code: str = Field(description="The platform's error code; may be empty.", examples=["21610"])
    happened: str = Field(description="What happened, in a plain sentence.")
    todo: str = Field(description="What to do about it.")

    @classmethod
    def of(cls, explained: Explained) -> "DeadLetterView":
        """The view of a dead letter."""
        letter, told = explained.letter, explained.explanation
        return cls(
            id=letter.id,
            conversation=letter.conversation,
            channel=letter.channel,
            direction="in" if letter.inbound else "out",
            author=letter.author,
            since=letter.since,
            attempts=letter.attempts,
            error=letter.error,
            code=letter.code,
            happened=told.happened,
            todo=told.todo,
        )


class DeadLetterList(BaseModel):
    """Oldest first."""

    dead_letters: list[DeadLetterView]


def add_dead_letters(
    router: APIRouter, letters: DeadLetters, authenticated: Callable[..., Awaitable[Agent]]
) -> None:
    """Adds the routes.

    Args:
        authenticated: Gives the agent of a request.
    """

    @router.get(
        "/dead-letters",
        tags=["dead letters"],
        summary="List what failed for good",
        responses=problems(401, 422, 503),
    )
    async def listed(
        agent: Annotated[Agent, Depends(authenticated)],
        channel: Annotated[
            str | None,
            Query(pattern=r"^[\w .:-]{1,64}$", description="Only those of this channel."),
        ] = None,
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    ) -> DeadLetterList:
        """What could not be sent, and what the bot failed on: each says what happened and what to
        do."""
        found = await letters.list(agent, limit, channel=channel)
        return DeadLetterList(dead_letters=[DeadLetterView.of(each) for each in found])

    @router.get(
        "/dead-letters/{message}",
        tags=["dead letters"],
        summary="Read one of them",
        responses=problems(401, 404, 503),
    )
    async def shown(
        agent: Annotated[Agent, Depends(authenticated)], message: Message
    ) -> DeadLetterView:
        """404 also when it was tried again since."""
        return DeadLetterView.of(await letters.show(agent, message))

    @router.post(
        "/dead-letters/{message}/replay",
        tags=["dead letters"],
        summary="Try it again",
        status_code=201,
        responses=problems(401, 404, 409, 503),
    )
    async def replayed(
        agent: Annotated[Agent, Depends(authenticated)], message: Message
    ) -> WrittenView:
        """What could not be sent is sent as the conversation's next message, whose id is the
        answer. What the bot failed on is given to the bot again. In a human's chat only that agent
        (or an administrator) may do it."""
        return WrittenView(id=await letters.replay(agent, message))
