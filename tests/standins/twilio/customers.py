"""Customers who write to the shop, and what Twilio does with their messages."""

from __future__ import annotations

from dataclasses import dataclass

from tests.standins.twilio.model import Clock, Message, Record, Reply, new_sid
from tests.standins.twilio.webhooks import Poster, inbound_fields

STOP_WORDS = frozenset(
    ("STOP", "UNSUBSCRIBE", "END", "QUIT", "STOPALL", "REVOKE", "OPTOUT", "CANCEL")
)
START_WORDS = frozenset(("START", "UNSTOP"))
HELP_WORDS = frozenset(("HELP", "INFO"))

_ANSWERS = {
    "STOP": "You have successfully been unsubscribed.",
    "START": "You have successfully been re-subscribed.",
    "HELP": "Reply STOP to unsubscribe. Msg&Data Rates May Apply.",
}


@dataclass(frozen=True, slots=True)
class Hook:
    """Where inbound messages are posted.

    Attributes:
        url: The webhook.
        sign_as: The URL that is signed, where a proxy makes it another.
        fallback: Tried when the webhook cannot be reached or answers 5xx.
    """

    url: str
    sign_as: str | None = None
    fallback: str | None = None


@dataclass(slots=True)
class Customers:
    """The customers' side of one account."""

    account_sid: str
    record: Record
    clock: Clock
    poster: Poster
    advanced_opt_out: bool = False

    def message(self, from_: str, to: str, body: str, media: tuple[str, ...]) -> Message:
        """A message as Twilio records it."""
        return self._recorded(from_, to, body, media, "inbound", "received")

    async def deliver(
        self,
        message: Message,
        types: dict[str, str],
        extra: dict[str, str],
        hook: Hook,
        times: int,
    ) -> list[Reply]:
        """Posts the webhook, as often as it is told; gives one reply for each time."""
        self.record.messages.append(message)
        self.record.last_inbound[message.to, message.sender] = self.clock.now()
        word = self._obey_keyword(message)
        if word and self.advanced_opt_out:
            extra = {"OptOutType": word, **extra}
        fields = inbound_fields(message, types, extra)
        key, replies = new_sid("IT"), []
        for _ in range(times):
            reply = await self.poster.post(hook.url, fields, hook.sign_as, key)
            if hook.fallback and (reply.status == 0 or reply.status >= 500):
                reply = await self.poster.post(hook.fallback, fields, None, key)
            replies.append(reply)
        return replies

    def _obey_keyword(self, message: Message) -> str | None:
        """Opts the customer out or in and answers, as Twilio does by itself."""
        if message.is_whatsapp and not self.advanced_opt_out:
            return None
        kind = _kind(message.body.strip().upper())
        if kind is None:
            return None
        if kind == "STOP":
            self.record.opted_out.add((message.to, message.sender))
        if kind == "START":
            self.record.opted_out.discard((message.to, message.sender))
        answer = self._recorded(
            message.to, message.sender, _ANSWERS[kind], (), "outbound-reply", "delivered"
        )
        self.record.messages.append(answer)
        return kind

    def _recorded(
        self,
        from_: str,
        to: str,
        body: str,
        media: tuple[str, ...],
        direction: str,
        status: str,
    ) -> Message:
        return Message(
            sid=new_sid("MM" if media else "SM"),
            account_sid=self.account_sid,
            sender=from_,
            to=to,
            body=body,
            media=media,
            direction=direction,
            status=status,
            created=self.clock.now(),
        )


def _kind(said: str) -> str | None:
    words = {"STOP": STOP_WORDS, "START": START_WORDS, "HELP": HELP_WORDS}
    return next((kind for kind, group in words.items() if said in group), None)
