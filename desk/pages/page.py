"""The desk's page: one object for each open window."""

from __future__ import annotations

import asyncio
import json
import logging
import uuid
from collections.abc import Awaitable, Callable
from functools import partial

from nicegui import background_tasks, ui
from nicegui.client import Client, ClientConnectionTimeout

from bot.core.access import Agent
from bot.core.conversation import CLOSED_STATES, WAITING_STATES, State
from bot.core.errors import ConversationError, NotVisibleError, StoreUnavailableError
from bot.core.messages import Author
from bot.core.transcript import Event
from bot.flow.desk import LONGEST_TEXT, Desk, Detail
from desk.pages import customer, views
from desk.pages.cards import Cards
from desk.pages.failed import try_again
from desk.pages.layout import Layout
from desk.pages.live import Live
from desk.pages.seen import Seen
from desk.pages.sessions import BASE, Sessions

logger = logging.getLogger(__name__)

_TABS = {"waiting": "Waiting", "mine": "Mine", "open": "All open", "bot": "Bot"}
_EMPTY = {
    "waiting": "Nobody waits",
    "mine": "You have no conversations. Take one that waits.",
    "open": "No open conversations",
    "bot": "The bot talks to nobody",
}
_STATES: dict[str, tuple[State, ...]] = {
    "open": tuple(state for state in State if state not in CLOSED_STATES),
    "bot": (State.BOT, State.RETURNING),
}
_LISTED = _PAGE = 100
_MOST_MESSAGES = 2000
_TYPING_SECONDS = 6.0
_CONNECT_SECONDS = 60.0
_OUTAGE = "The database does not answer: what you see may be old"
_NOT_DONE = "The database does not answer: nothing was changed. Try again in a moment."


class DeskPage:
    """One window of one agent.

    Args:
        token: The agent's session; it is checked before everything that is shown or done.
    """

    def __init__(self, desk: Desk, sessions: Sessions, seen: Seen, token: str) -> None:
        self._desk, self._sessions, self._seen, self._token = desk, sessions, seen, token
        self._tab, self._selected, self._messages_shown = "waiting", "", _PAGE
        self._newest = (0, "")
        self._live = Live(desk.hub, self._look, self._hear_typing)
        self._cards = Cards(desk, self._live.hurry)
        self._client: Client = ui.context.client
        self._typing_over: asyncio.TimerHandle | None = None

    def build(self, agent: Agent, conversation: str) -> None:
        """Puts the empty page together; what it shows comes once the browser is connected."""
        self._selected = _identifier(conversation)
        self._layout = Layout(agent, LONGEST_TEXT)
        self._layout.show_pane("chat" if self._selected else "queue")
        for piece, event, handler in (
            (self._layout.queue, "tab", self._choose_tab),
            (self._layout.queue, "open", self._open),
            (self._layout.head, "act", self._act),
            (self._layout.transcript, "earlier", self._show_earlier),
            (self._layout.transcript, "again", self._try_again),
            (self._layout.composer, "send", self._send),
            (self._layout.composer, "typing", self._tell_typing),
        ):
            piece.when(event, handler)
        background_tasks.create(self._run(), name="desk-page")

    async def _run(self) -> None:
        """Lives as long as the browser's window."""
        try:
            await self._client.connected(_CONNECT_SECONDS)
        except ClientConnectionTimeout:
            return
        running = asyncio.current_task()
        if running is None or self._client.is_deleted:
            return
        self._client.on_delete(running.cancel)
        with self._client:
            self._live.watch(self._selected)
            await self._live.run()

    # What is shown.

    async def _look(self) -> None:
        try:
            agent = await self._sessions.agent(self._token)
            if agent is None:
                ui.navigate.to("/login")
                return
            await self._look_at_chat(agent)
            await self._look_at_queue(agent)
            self._layout.top.show(problem="")
        except StoreUnavailableError:
            self._layout.top.show(problem=_OUTAGE)
        except Exception as error:
            # The next look may go well. Without the error's text: it may quote a customer.
            logger.error("the desk could not be shown: %s", type(error).__name__)

    async def _look_at_queue(self, agent: Agent) -> None:
        waiting = await self._desk.list(agent, WAITING_STATES, _LISTED)
        mine = views.by_waiting(await self._desk.list(agent, None, _LISTED, mine=True))
        tab = self._tab
        listed = waiting if tab == "waiting" else mine
        if tab in _STATES:
            listed = views.by_waiting(await self._desk.list(agent, _STATES[tab], _LISTED))
        unread = {s.id for s in (*listed, *mine) if self._seen.unread(agent.id, s)}
        counts = {"waiting": len(waiting), "mine": len(mine)}
        if tab != self._tab:
            return  # another tab was chosen meanwhile, and will be looked at
        self._layout.queue.show(
            tabs=[{"key": k, "label": v, "count": counts.get(k, 0)} for k, v in _TABS.items()],
            tab=tab,
            lines=[views.queue_line(each, agent, unread=each.id in unread) for each in listed],
            selected=self._selected,
            empty=_EMPTY[tab],
            loaded=True,
        )
        self._layout.show_title(len(waiting) + len(unread & {s.id for s in mine}))

    async def _look_at_chat(self, agent: Agent) -> None:
        selected = self._selected
        if not selected:
            self._layout.show_chat(shown=False)
            return
        try:
            detail = await self._desk.detail(agent, selected, limit=self._messages_shown)
        except NotVisibleError:
            self._selected = ""
            self._layout.show_chat(shown=False)
            return
        if selected == self._selected:
            self._draw(agent, detail)

    def _draw(self, agent: Agent, detail: Detail) -> None:
        summary, shown = detail.summary, self._layout
        self._seen.note(agent.id, summary)
        card = self._cards.of(agent, summary)
        head = views.head(summary, agent)
        if card and card.customer and not summary.profile_name:
            head["title"] = card.customer.name
        newest = (detail.messages[-1].seq if detail.messages else 0, summary.id)
        if newest != self._newest:
            self._newest = newest
            shown.transcript.show(typing="")
        shown.head.show(**head)
        shown.show_brief(views.brief(detail.episodes, detail.messages))
        failed = {each.letter.id: each for each in detail.dead_letters}
        again = {i: try_again(each, summary, agent) for i, each in failed.items()}
        name = str(head["title"])
        shown.transcript.show(
            conversation=summary.id,
            messages=[
                views.message(m, name, agent, failed.get(m.id), again.get(m.id, ""))
                for m in detail.messages
            ],
            earlier=detail.earlier and self._messages_shown < _MOST_MESSAGES,
        )
        shown.composer.show(**views.composer(summary, agent))
        shown.card.show(card=customer.card(card, summary.identity))
        shown.show_chat(shown=True)

    def _hear_typing(self, event: Event) -> None:
        who = {Author.CUSTOMER: "The customer is typing", Author.BOT: "The bot is answering"}
        said = who.get(Author(event.author)) if event.author in set(Author) else None
        if said is None:
            return
        if self._typing_over:
            self._typing_over.cancel()
        self._layout.transcript.show(typing=said)
        stop = partial(self._layout.transcript.show, typing="")
        self._typing_over = asyncio.get_running_loop().call_later(_TYPING_SECONDS, stop)

    # What the agent does.

    async def _choose_tab(self, tab: object) -> None:
        if tab in _TABS:
            self._tab = str(tab)
            self._live.hurry()

    async def _open(self, conversation: object) -> None:
        self._selected = _identifier(conversation)
        self._messages_shown = _PAGE
        address = f"{BASE}/?conversation={self._selected}"
        ui.run_javascript(f"history.replaceState(null, '', {json.dumps(address)})")
        self._layout.queue.show(selected=self._selected)
        self._layout.transcript.show(typing="")
        self._layout.show_pane("chat")
        self._live.watch(self._selected)

    async def _show_earlier(self, _: object) -> None:
        self._messages_shown = min(self._messages_shown + _PAGE, _MOST_MESSAGES)
        self._live.hurry()

    async def _act(self, what: object) -> None:
        change, done = {
            "take": (self._desk.take, "You have this conversation now"),
            "return": (self._desk.give_back, "The bot answers again"),
            "resolve": (self._desk.resolve, "Resolved"),
        }.get(str(what), (None, ""))
        selected = self._selected
        if change is None or not selected:
            return
        if await self._attempt(lambda agent: change(agent, selected)):
            self._layout.say(done, "done")
            if what == "take":
                self._tab = "mine"
        self._layout.head.run_method("free")
        self._live.hurry()

    async def _try_again(self, message: object) -> None:
        letters, chosen = self._desk.dead_letters, _identifier(message)
        if await self._attempt(lambda agent: letters.replay(agent, chosen)):
            self._layout.say("On its way again", "done")
        self._live.hurry()

    async def _send(self, sent: object) -> None:
        if not isinstance(sent, dict):
            return
        text, conversation = sent.get("text"), _identifier(sent.get("conversation"))
        stored = False
        if isinstance(text, str) and text.strip() and len(text) <= LONGEST_TEXT:
            write = self._desk.note if sent.get("note") else self._desk.reply
            stored = await self._attempt(lambda agent: write(agent, conversation, text.strip()))
        self._layout.composer.run_method("done", conversation, stored)
        self._live.hurry()

    async def _tell_typing(self, _: object) -> None:
        selected = self._selected
        await self._attempt(lambda agent: self._desk.typing(agent, selected))

    async def _attempt(self, do: Callable[[Agent], Awaitable[object]]) -> bool:
        """Does something as the agent who is logged in now; says so when it is refused."""
        try:
            agent = await self._sessions.agent(self._token)
            if agent is None:
                ui.navigate.to("/login")
                return False
            await do(agent)
        except ConversationError as error:
            text = str(error)
            self._layout.say(text[:1].upper() + text[1:], "refused")
            return False
        except StoreUnavailableError:
            self._layout.say(_NOT_DONE, "failed")
            return False
        return True


def _identifier(value: object) -> str:
    """A conversation's id; empty for anything else, since it comes from the browser."""
    try:
        return str(uuid.UUID(str(value)))
    except ValueError:
        return ""
