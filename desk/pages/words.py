"""The desk's words for states, reasons and deliveries."""

from __future__ import annotations

from bot.core.conversation import HandoffReason, State
from bot.core.decision import Kind
from bot.core.identity import Identity
from bot.core.messages import Status
from bot.core.shop import OrderState

REASONS: dict[str, str] = {
    HandoffReason.CUSTOMER_REQUEST: "Asked for a human",
    HandoffReason.LOW_CONFIDENCE: "Not understood",
    HandoffReason.ACTION_FAILED: "Lookup failed",
    HandoffReason.FORM_LOOP: "Going in circles",
    HandoffReason.REPEATED_QUESTION: "Answers did not help",
    HandoffReason.COMPLAINT: "Complaint",
    HandoffReason.POLICY: "Needs a decision",
    HandoffReason.ENGINE_ERROR: "The bot failed",
}
# Reasons that want a calm head soon.
URGENT_REASONS = {HandoffReason.COMPLAINT, HandoffReason.ENGINE_ERROR}

STATES: dict[State, tuple[str, str]] = {
    State.BOT: ("With the bot", "calm"),
    State.REQUESTED: ("Waiting", "warn"),
    State.QUEUED: ("Waiting", "warn"),
    State.OFFERED: ("Waiting", "warn"),
    State.AGENT: ("With {agent}", "good"),
    State.PARKED: ("Parked by {agent}", "good"),
    State.RETURNING: ("Going back to the bot", "calm"),
    State.RESOLVED: ("Resolved", "calm"),
    State.EXPIRED: ("Expired", "calm"),
}

IDENTITIES: dict[Identity, tuple[str, str, str]] = {
    Identity.ANONYMOUS: ("Not identified: tell nothing personal", "help_outline", "calm"),
    Identity.CONFIRMED: ("Confirmed by order number and contact", "verified_user", "good"),
    Identity.CHANNEL_VERIFIED: ("Phone number verified by the channel", "verified", "good"),
}

# Icon, label, whether the label is written out, tone.
DELIVERIES: dict[Status, tuple[str, str, bool, str]] = {
    Status.PENDING: ("schedule", "Waiting to be sent", False, ""),
    Status.SENDING: ("schedule", "Being sent", False, ""),
    Status.SENT: ("done", "Sent", False, ""),
    Status.DELIVERED: ("done_all", "Delivered", False, ""),
    Status.READ: ("done_all", "Read", False, "read"),
    Status.FAILED: ("error_outline", "Not delivered", True, "bad"),
    Status.DROPPED: ("block", "Not sent: a human had taken over", True, ""),
    Status.NOTE: ("lock", "Only agents see this", False, ""),
}

# What the desk offers where a message failed for good.
SEND_AGAIN, ASK_AGAIN = "Send again", "Let the bot try again"
SENT_AGAIN = ("redo", "Not delivered; sent again", True, "")
BOT_FAILED = ("error_outline", "The bot failed on this", True, "bad")

ORDERS: dict[OrderState, tuple[str, str]] = {
    OrderState.PLACED: ("Placed", "calm"),
    OrderState.PAID: ("Paid", "calm"),
    OrderState.PACKED: ("Packed", "calm"),
    OrderState.SHIPPED: ("Shipped", "info"),
    OrderState.DELIVERED: ("Delivered", "good"),
    OrderState.READY_FOR_COLLECTION: ("Ready to collect", "info"),
    OrderState.COLLECTED: ("Collected", "good"),
    OrderState.CANCELLED: ("Cancelled", "bad"),
    OrderState.RETURNED: ("Returned", "warn"),
}

# What the bot decided where it did not simply answer, what each way costs, what spoke against it.
DECISIONS: dict[str, str] = {Kind.ASK: "Not sure", Kind.HAND_OVER: "Handed over"}
COSTS: dict[str, str] = {
    Kind.ANSWER: "answering costs",
    Kind.ASK: "asking",
    Kind.HAND_OVER: "an agent",
}
SIGNS: dict[str, str] = {
    "asked_just_before": "it had just asked",
    "asked_before": "it had asked earlier",
    "rephrased": "the customer asked the same again",
    "form_circles": "a form went in circles",
    "refused": "the shop's systems had refused",
    "anger": "the customer is angry",
}

_CHANNELS: dict[str, tuple[str, str]] = {
    "webchat": ("Web chat", "language"),
    "whatsapp": ("WhatsApp", "chat"),
    "sms": ("SMS", "sms"),
    "messenger": ("Messenger", "forum"),
    "telegram": ("Telegram", "send"),
}


def plain(code: str) -> str:
    """``order_number`` as people write it."""
    return code.replace("_", " ")


def channel_of(channel: str, sender: str) -> tuple[str, str]:
    """A channel's name and icon."""
    if channel == "twilio":
        channel = "whatsapp" if sender.startswith("whatsapp:") else "sms"
    return _CHANNELS.get(channel, (plain(channel).capitalize(), "chat_bubble_outline"))


def name_of(profile_name: str, channel: str, sender: str) -> str:
    """What to call a customer: the channel's name for them, else the number or visitor."""
    if profile_name.strip():
        return profile_name
    if channel == "webchat":
        return f"Visitor {sender[-6:]}"
    return sender.removeprefix("whatsapp:")
