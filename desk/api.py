"""The desk's operations over HTTP, for other programs: ``/api/v1``."""

# Annotations are evaluated here, not kept as text: routes depend on values local to a function.
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import AfterValidator

from bot.core.access import Agent
from bot.flow.desk import Desk
from bot.store import accounts
from bot.store.database import Database
from bot.store.rows import utc_now
from desk.api_dead_letters import add_dead_letters
from desk.api_errors import NotLoggedInError, ProblemRoute, known_form, problems
from desk.api_models import (
    ConversationDetail,
    ConversationList,
    ConversationView,
    LoginBody,
    StatusFilter,
    TextBody,
    TokenView,
    WrittenView,
)

TOKEN_LIFETIME = timedelta(days=30)
_bearer = HTTPBearer(
    auto_error=False,
    scheme_name="Agent's token",
    description="From `POST /api/v1/tokens`, or from `frontdesk agent add --token`.",
)


Conversation = Annotated[
    str, Path(description="The conversation's id."), AfterValidator(known_form)
]
Credentials = Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]


def create_api(desk: Desk, database: Database) -> APIRouter:
    """The routes. Every one but the login needs an agent's token.

    Args:
        desk: The operations.
        database: Where agents and their tokens are.
    """
    router = APIRouter(prefix="/api/v1", route_class=ProblemRoute)
    _add_tokens(router, database)
    agent = _authenticated(database)
    _add_reading(router, desk, agent)
    _add_writing(router, desk, agent)
    _add_changing(router, desk, agent)
    add_dead_letters(router, desk.dead_letters, agent)
    return router


def _authenticated(database: Database) -> Callable[..., Awaitable[Agent]]:
    async def agent(credentials: Credentials) -> Agent:
        if credentials is not None:
            async with database.read() as connection:
                found = await accounts.agent_by_token(
                    connection, credentials.credentials, utc_now()
                )
            if found is not None:
                return found
        raise NotLoggedInError("The token is missing, unknown or expired")

    return agent


def _add_tokens(router: APIRouter, database: Database) -> None:
    @router.post(
        "/tokens",
        tags=["tokens"],
        summary="Log in",
        status_code=201,
        responses=problems(401, 422, 503),
    )
    async def log_in(body: LoginBody) -> TokenView:
        """Issues a token for 30 days. Unknown address, wrong password and locked account (five
        wrong passwords, a quarter of an hour) get the same answer."""
        now = utc_now()
        password = body.password.get_secret_value()
        agent = (await accounts.log_in(database, body.email, password, now)).agent
        if agent is None:
            raise NotLoggedInError("E-mail or password is wrong")
        async with database.write() as connection:
            token = await accounts.add_token(connection, agent.id, body.label, now, TOKEN_LIFETIME)
        return TokenView(token=token, expires_at=now + TOKEN_LIFETIME, agent=agent.name)

    @router.delete(
        "/tokens/current",
        tags=["tokens"],
        summary="Log out",
        status_code=204,
        responses=problems(401, 503),
    )
    async def log_out(
        credentials: Credentials, _: Annotated[Agent, Depends(_authenticated(database))]
    ) -> None:
        """Ends the token of this request."""
        async with database.write() as connection:
            token = credentials.credentials if credentials else ""
            await accounts.revoke_token(connection, token)


def _add_reading(
    router: APIRouter, desk: Desk, authenticated: Callable[..., Awaitable[Agent]]
) -> None:
    @router.get(
        "/conversations",
        tags=["conversations"],
        summary="List conversations",
        responses=problems(401, 422, 503),
    )
    async def conversations(
        agent: Annotated[Agent, Depends(authenticated)],
        status: Annotated[
            StatusFilter | None,
            Query(
                description="A state; `open` (all but closed ones); `waiting` (for a human); "
                "`mine` (owned by the token's agent). All when absent."
            ),
        ] = None,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
    ) -> ConversationList:
        """Those that wait for a human come longest waiting first, others newest first."""
        states = status.states if status else None
        found = await desk.list(agent, states, limit, mine=status is StatusFilter.MINE)
        return ConversationList(conversations=[ConversationView.of(each) for each in found])

    @router.get(
        "/conversations/{conversation}",
        tags=["conversations"],
        summary="Read a conversation",
        responses=problems(401, 404, 422, 503),
    )
    async def detail(
        agent: Annotated[Agent, Depends(authenticated)],
        conversation: Conversation,
        before: Annotated[
            int | None, Query(ge=1, le=2**31 - 1, description="Only messages before this seq.")
        ] = None,
        limit: Annotated[int, Query(ge=1, le=500)] = 200,
    ) -> ConversationDetail:
        """The newest messages with what the bot understood, why it went to humans, who owns it, and
        the customer's card from CRM and POS."""
        found = await desk.detail(agent, conversation, before=before, limit=limit)
        return ConversationDetail.whole(found, await desk.card(agent, found.summary))


def _add_writing(
    router: APIRouter, desk: Desk, authenticated: Callable[..., Awaitable[Agent]]
) -> None:
    @router.post(
        "/conversations/{conversation}/reply",
        tags=["messages"],
        summary="Write to the customer",
        status_code=201,
        responses=problems(401, 404, 409, 422, 503),
    )
    async def reply(
        agent: Annotated[Agent, Depends(authenticated)], conversation: Conversation, body: TextBody
    ) -> WrittenView:
        """Only the agent who owns the conversation (or an administrator) may write in it."""
        return WrittenView(id=await desk.reply(agent, conversation, body.text))

    @router.post(
        "/conversations/{conversation}/notes",
        tags=["messages"],
        summary="Write an internal note",
        status_code=201,
        responses=problems(401, 404, 422, 503),
    )
    async def note(
        agent: Annotated[Agent, Depends(authenticated)], conversation: Conversation, body: TextBody
    ) -> WrittenView:
        """Agents see it, the customer never does."""
        return WrittenView(id=await desk.note(agent, conversation, body.text))


def _add_changing(
    router: APIRouter, desk: Desk, authenticated: Callable[..., Awaitable[Agent]]
) -> None:
    def add(path: str, summary: str, text: str, change: Callable[..., Awaitable[None]]) -> None:
        @router.post(
            f"/conversations/{{conversation}}/{path}",
            tags=["ownership"],
            summary=summary,
            description=text,
            name=path,
            responses=problems(401, 404, 409, 503),
        )
        async def run(
            agent: Annotated[Agent, Depends(authenticated)], conversation: Conversation
        ) -> ConversationView:
            await change(agent, conversation)
            return ConversationView.of(await desk.summary(agent, conversation))

    add(
        "take",
        "Take a conversation",
        "The agent owns it, the bot is silent, the customer is told who joined. Taking one's own "
        "again changes nothing; 409 when another agent was faster.",
        desk.take,
    )
    add(
        "return",
        "Give a conversation back to the bot",
        "The bot answers again, and the customer is told.",
        desk.give_back,
    )
    add(
        "resolve",
        "Close a conversation",
        "It is done; the bot answers when the customer writes again.",
        desk.resolve,
    )
