"""What goes in and out of the desk's API, as its documentation shows it."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints, field_validator

from bot.core.conversation import CLOSED_STATES, WAITING_STATES, Owner, Ownership, State
from bot.core.messages import Author, Status
from bot.core.shop import OrderState
from bot.core.transcript import TranscriptMessage
from bot.flow.desk import LONGEST_TEXT, Card, Detail
from bot.store.desk import Episode, Summary


class StatusFilter(StrEnum):
    """Which conversations to list: one state, or one of three groups."""

    OPEN = "open"
    WAITING = "waiting"
    MINE = "mine"
    BOT = "bot"
    REQUESTED = "requested"
    QUEUED = "queued"
    OFFERED = "offered"
    AGENT = "agent"
    PARKED = "parked"
    RETURNING = "returning"
    RESOLVED = "resolved"
    EXPIRED = "expired"

    @property
    def states(self) -> tuple[State, ...] | None:
        """The states meant; None when any will do."""
        if self is StatusFilter.MINE:
            return None
        if self is StatusFilter.WAITING:
            return WAITING_STATES
        if self is StatusFilter.OPEN:
            return tuple(state for state in State if state not in CLOSED_STATES)
        return (State(self.value),)


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class TextBody(_Body):
    """What an agent writes."""

    text: Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_TEXT)] = Field(
        examples=["Hello, I have your order here. It arrives tomorrow."]
    )

    @field_validator("text")
    @classmethod
    def _says_something(cls, value: str) -> str:
        if not value.strip():
            raise ValueError("should not be blank")
        if "\x00" in value:
            raise ValueError("should not contain the character NUL")
        return value


class LoginBody(_Body):
    """Who asks for a token."""

    email: Annotated[str, StringConstraints(max_length=256)] = Field(examples=["sam@shop.example"])
    password: SecretStr = Field(max_length=1024)
    label: Annotated[str, StringConstraints(min_length=1, max_length=100)] = Field(
        "API login", description="What the token is for; shown to administrators."
    )


class TokenView(BaseModel):
    """A token, readable this once."""

    token: str = Field(examples=["fd_6Tg…"])
    expires_at: datetime
    agent: str = Field(description="The agent's display name.", examples=["Sam"])


class WrittenView(BaseModel):
    """A message or note that was written to the transcript."""

    id: str


class AssigneeView(BaseModel):
    """The agent who owns a conversation."""

    id: str
    name: str


class ConversationView(BaseModel):
    """A conversation as a line of a list."""

    id: str
    channel: str = Field(examples=["twilio"])
    sender: str = Field(description="The customer's side.", examples=["whatsapp:+447700900123"])
    profile_name: str = Field(description="As the channel shows it; may be empty.")
    customer_id: str | None = Field(description="In the CRM; null while nobody is known.")
    identity: str = Field(examples=["anonymous", "confirmed", "channel_verified"])
    state: State
    owner: Owner
    owner_epoch: int = Field(description="Raised by every change of ownership.")
    assignee: AssigneeView | None
    reason: str | None = Field(description="Why it is with humans; null when it is not.")
    waiting_since: datetime | None = Field(description="Null when nobody waits for a human.")
    last_text: str
    last_author: Author | None
    last_at: datetime | None
    updated_at: datetime

    @classmethod
    def of(cls, summary: Summary) -> ConversationView:
        """The view of a stored conversation."""
        known = {
            name: getattr(summary, name) for name in cls.model_fields if hasattr(summary, name)
        }
        who = summary.assignee
        return cls(
            **known
            | {
                "identity": summary.identity.name.lower(),
                "owner": Ownership(summary.state).owner,
                "assignee": AssigneeView(id=who, name=summary.assignee_name) if who else None,
            }
        )


class ConversationList(BaseModel):
    """Those that wait for a human come longest waiting first, others newest first."""

    conversations: list[ConversationView]


class ButtonView(BaseModel):
    """A choice that the customer was offered; with a URL it is a link."""

    model_config = ConfigDict(from_attributes=True)
    title: str
    url: str


class AttachmentView(BaseModel):
    """A file of a message."""

    model_config = ConfigDict(from_attributes=True)
    url: str
    content_type: str
    name: str


class MessageView(BaseModel):
    """One line of the transcript."""

    model_config = ConfigDict(from_attributes=True)
    id: str
    seq: int = Field(description="Place in the conversation; it only grows.")
    author: Author
    author_name: str = Field(description="The agent's display name; empty for others.")
    text: str
    buttons: list[ButtonView]
    attachments: list[AttachmentView]
    status: Status = Field(description="`note` is seen by agents only.")
    created_at: datetime
    replayed_at: datetime | None = Field(
        description="When it was tried again after it had failed for good."
    )
    understood: dict[str, Any] | None = Field(
        description="What the bot understood of a customer's message: `intent`, `confidence` "
        "(0 to 1), `entities`, `ranking`, the `actions` it ran and its `decision` to answer, ask "
        "or hand over, with what each was expected to cost; null when it was not asked. "
        "Of a message with several wishes it is the first one; `also` lists the others alike, and "
        "those of earlier messages that the bot came back to (`earlier`: true).",
        examples=[
            {
                "intent": "order_status",
                "confidence": 0.97,
                "entities": [{"entity": "order_number", "value": "FD-104233"}],
                "ranking": [],
                "actions": ["action_order_status"],
            }
        ],
    )

    @classmethod
    def of(cls, message: TranscriptMessage) -> MessageView:
        """The view of a stored message."""
        return cls.model_validate(message)


class EpisodeView(BaseModel):
    """One passage of the conversation to humans and back."""

    model_config = ConfigDict(from_attributes=True)
    id: str
    reason: str = Field(examples=["low_confidence"])
    evidence: dict[str, Any] = Field(description="The facts found until then.")
    brief: str = Field(description="Two or three lines to read instead of the chat.")
    agent_id: str | None
    outcome: str | None = Field(examples=["returned", "resolved"])
    requested_at: datetime
    taken_at: datetime | None
    ended_at: datetime | None

    @classmethod
    def of(cls, episode: Episode) -> EpisodeView:
        """The view of a stored episode."""
        return cls.model_validate(episode)


class ShipmentView(BaseModel):
    """A parcel."""

    model_config = ConfigDict(from_attributes=True)
    carrier: str
    tracking_number: str
    tracking_url: str
    state: str
    expected_on: date | None
    delivered_at: datetime | None


class OrderView(BaseModel):
    """An order of the customer."""

    model_config = ConfigDict(from_attributes=True)
    number: str = Field(examples=["FD-104233"])
    state: OrderState
    placed_at: datetime
    total: Decimal
    currency: str
    shipments: list[ShipmentView]


class CustomerView(BaseModel):
    """A customer as the CRM knows them."""

    model_config = ConfigDict(from_attributes=True)
    id: str
    name: str
    email: str
    phone: str
    loyalty_number: str
    loyalty_points: int
    loyalty_tier: str
    since: date


class CardView(BaseModel):
    """Who is writing, from the shop's own systems."""

    customer: CustomerView | None = Field(description="Null while nobody is known.")
    orders: list[OrderView] = Field(description="The last ones, newest first.")
    problem: str = Field(description="Empty, or why the card is incomplete.")

    @classmethod
    def of(cls, card: Card) -> CardView:
        """The view of a card."""
        return cls(
            customer=CustomerView.model_validate(card.customer) if card.customer else None,
            orders=[OrderView.model_validate(order) for order in card.orders],
            problem=card.problem,
        )


class ConversationDetail(ConversationView):
    """A conversation with all that an agent sees of it."""

    messages: list[MessageView] = Field(description="Oldest first.")
    earlier: bool = Field(description="Whether more stand before them: ask with `before`.")
    episodes: list[EpisodeView] = Field(description="Newest first.")
    card: CardView

    @classmethod
    def whole(cls, detail: Detail, card: Card) -> ConversationDetail:
        """The view of a conversation and the customer's card."""
        return cls(
            **ConversationView.of(detail.summary).model_dump(),
            messages=[MessageView.of(message) for message in detail.messages],
            earlier=detail.earlier,
            episodes=[EpisodeView.of(episode) for episode in detail.episodes],
            card=CardView.of(card),
        )
