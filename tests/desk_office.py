"""A desk on real databases with the demo shop: customers write, the bot hands over."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bot.core.access import Agent, Role
from bot.core.conversation import HandoffReason, Trigger
from bot.core.handoff import HandoffCase
from bot.core.identity import Identity
from bot.core.messages import Address, Attachment, Author, Button, Content, Inbound, Status
from bot.core.transcript import Event, conversation_id
from bot.flow.desk import Desk
from bot.flow.hub import LocalHub
from bot.flow.notices import Notices
from bot.store import accounts, inbox, outbox, turns
from bot.store.database import Database
from bot.store.outbox import Draft
from bot.store.rows import new_id, utc_now
from connectors.crm.sql import create as create_crm
from connectors.demo import seed
from connectors.handoff.desk import DeskHandoff
from connectors.pos.sql import create as create_pos

PASSWORD = "correct horse battery"


@dataclass
class Office:
    """The desk, and what happens on the customers' side of it."""

    database: Database
    hub: LocalHub
    desk: Desk

    async def hire(self, name: str, role: Role = Role.AGENT) -> Agent:
        """An agent who logs in as ``<name>@shop.example`` with PASSWORD."""
        async with self.database.write() as connection:
            return await accounts.add_agent(
                connection,
                email=f"{name.lower()}@shop.example",
                name=name,
                password=PASSWORD,
                role=role,
                now=utc_now(),
            )

    async def token(self, agent: Agent) -> str:
        """A token of the agent's."""
        async with self.database.write() as connection:
            return await accounts.add_token(connection, agent.id, "test", utc_now())

    async def write(
        self,
        sender: str,
        text: str,
        understood: Mapping[str, object] | None = None,
        *,
        channel: str = "webchat",
        name: str = "",
        attachments: tuple[Attachment, ...] = (),
        now: datetime | None = None,
    ) -> str:
        """A customer writes and the turn is over; returns the conversation's id."""
        address = Address(channel, "default", sender)
        message = Inbound(address, new_id(), text, attachments, profile_name=name)
        conversation = conversation_id(address)
        async with self.database.write() as connection:
            await inbox.accept(connection, [message], now or utc_now())
            waiting = await turns.unprocessed(connection, conversation)
            known = {m.id: dict(understood) for m in waiting} if understood else {}
            await turns.mark_processed(connection, waiting, known, None, now or utc_now())
        await self.tell(conversation)
        return conversation

    async def answer(
        self,
        conversation: str,
        text: str,
        *buttons: Button,
        attachments: tuple[Attachment, ...] = (),
        author: Author = Author.BOT,
        now: datetime | None = None,
    ) -> str:
        """The bot writes; returns the message's id."""
        draft = Draft(Content(text, buttons, attachments), author)
        async with self.database.write() as connection:
            ids = await outbox.write(
                connection, conversation, [draft], epoch=0, now=now or utc_now()
            )
        await self.tell(conversation)
        return ids[0]

    async def fail(
        self, message: str, error: str = "opted out (error 21610)", code: str = "21610"
    ) -> None:
        """The platform refused this outbound message for good."""
        changes = {"error": error, "error_code": code, "attempts": 1, "dead_since": utc_now()}
        async with self.database.write() as connection:
            await outbox.mark(connection, message, Status.FAILED, utc_now(), **changes)
        await self.hub.publish(Event("desk", "state"))

    async def hand_over(
        self,
        conversation: str,
        reason: HandoffReason = HandoffReason.CUSTOMER_REQUEST,
        evidence: Mapping[str, object] | None = None,
        now: datetime | None = None,
    ) -> None:
        """The conversation goes to the queue, as a turn does it."""
        now = now or utc_now()
        async with self.database.write() as connection:
            row = await turns.conversation(connection, conversation, for_update=True)
            assert row is not None
            said = await turns.recently_said(connection, conversation, 10_000)
            brief = await DeskHandoff().accept(
                HandoffCase(
                    conversation,
                    reason,
                    dict(evidence or {}),
                    [text for text, _ in said],
                    [intent for _, intent in said if intent],
                    row.identity,
                    row.profile_name,
                )
            )
            await turns.open_episode(connection, conversation, reason, evidence or {}, brief, now)
            queued = row.ownership.after(Trigger.REQUEST).after(Trigger.ENQUEUE)
            await turns.set_ownership(connection, conversation, queued, now)
        await self.tell(conversation)

    async def recognise(self, conversation: str, customer: str, identity: Identity) -> None:
        """The bot found out who is writing."""
        async with self.database.write() as connection:
            await turns.set_identity(connection, conversation, identity, customer)
        await self.tell(conversation)

    async def tell(self, conversation: str) -> None:
        """As a turn tells live pages."""
        await self.hub.publish(Event(f"conversation:{conversation}", "messages"))
        await self.hub.publish(Event("desk", "state"))


async def seed_shop(folder: Path) -> str:
    """The demo shop in a file; returns its URL."""
    url = f"sqlite+aiosqlite:///{folder}/shop.db"
    await seed(url, datetime.now(UTC).date())
    return url


@asynccontextmanager
async def office(database: Database, shop_url: str) -> AsyncIterator[Office]:
    """A desk on this database and this shop."""
    crm, pos = create_crm(shop_url, {}), create_pos(shop_url, {})
    hub = LocalHub()
    try:
        yield Office(database, hub, Desk(database, hub, crm, pos, Notices(lambda: {})))
    finally:
        await crm.close()
        await pos.close()
