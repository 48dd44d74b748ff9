"""The channel: webhooks in, messages out."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from datetime import timedelta

from bot.core.errors import ConfigurationError, DeliveryError, PayloadError
from bot.core.messages import Address, Capabilities, Outgoing, WebhookRequest, WebhookResult
from connectors.channels.twilio.api import SentMessage, TwilioApi
from connectors.channels.twilio.credentials import TwilioCredentials, read_credentials
from connectors.channels.twilio.errors import UnconfirmedError
from connectors.channels.twilio.payload import WHATSAPP, parse_message, parse_status
from connectors.channels.twilio.progress import Progress, ProgressBook
from connectors.channels.twilio.render import MEDIA_LIMIT, TEXT_LIMIT, Part, render
from connectors.channels.twilio.signature import verified_fields

# Twilio's times are whole seconds, and its clock and ours may differ a little.
_CLOCK_SLACK = 2.0
# Twilio puts this before every text of a trial account.
_TRIAL_PREFIX = "Sent from your Twilio trial account - "
# After the customer's last message; later WhatsApp takes templates only.
_WHATSAPP_WINDOW = timedelta(hours=24)
_EMPTY_TWIML = '<?xml version="1.0" encoding="UTF-8"?><Response/>'


def create(name: str, credentials: Mapping[str, object], public_url: str) -> TwilioChannel:
    """Makes the channel from its section of ``credentials.yml``.

    Args:
        name: The section's name, which is also the name in ``/webhooks/<name>/…``.
        credentials: See `connectors.channels.twilio.credentials`.
        public_url: Where Twilio reaches this installation, e.g. ``https://chat.example.com``.

    Raises:
        ConfigurationError: A credential or the public URL is missing or wrong.
    """
    if not public_url.startswith(("http://", "https://")):
        raise ConfigurationError(
            "FRONTDESK_PUBLIC_URL",
            "is not an http(s) address",
            "Set it to the address under which Twilio reaches this installation.",
            public_url,
        )
    return TwilioChannel(name, read_credentials(name, credentials), public_url)


class TwilioChannel:
    """SMS, MMS and WhatsApp by Twilio; implements `bot.core.channel.Channel`.

    One channel serves all numbers of one account: a conversation's account is the number that the
    customer wrote to, ``whatsapp:`` prefix included, and answers go out from it.
    """

    def __init__(self, name: str, credentials: TwilioCredentials, public_url: str) -> None:
        self._name = name
        self._credentials = credentials
        self._public_url = public_url.rstrip("/")
        self._api = TwilioApi(credentials, f"{self._public_url}/webhooks/{name}/status")
        self._book = ProgressBook()

    @property
    def name(self) -> str:
        """The key in ``credentials.yml``."""
        return self._name

    @property
    def capabilities(self) -> Capabilities:
        """No buttons: choices become a numbered list, see `render`."""
        return Capabilities(
            text_limit=TEXT_LIMIT,
            buttons=0,
            attachments=MEDIA_LIMIT,
            vouches_for_phone=True,
            reply_windows=((WHATSAPP, _WHATSAPP_WINDOW),),
        )

    async def receive(self, request: WebhookRequest) -> WebhookResult:
        """Verifies and parses ``webhook`` (messages) and ``status`` (receipts).

        Keywords of opting out, opting in and help that Twilio answers itself give no message: the
        bot stays silent (`connectors.channels.twilio.payload.is_keyword`).

        Raises:
            SignatureError: Twilio did not send it.
            PayloadError: A field is missing or malformed, or the path is unknown.
        """
        fields = verified_fields(self._credentials.auth_token, request)
        if request.path == "webhook":
            message = parse_message(self._name, fields)
            return _acknowledged(WebhookResult(inbound=(message,) if message else ()))
        if request.path == "status":
            receipt = parse_status(self._name, fields, self._credentials.number)
            return _acknowledged(WebhookResult(receipts=(receipt,) if receipt else ()))
        raise PayloadError("Twilio's webhooks are 'webhook' and 'status'.")

    async def send(self, message: Outgoing) -> str:
        """Sends one message, in as many parts as it needs.

        Called again with the same message after an error, it goes on where it stopped. Where an
        attempt left open whether Twilio took a part, that part is looked up first.

        Returns:
            The SID of the last part: receipts of earlier parts name ids that nobody stored.

        Raises:
            DeliveryError: ``retry_after`` is Twilio's Retry-After.
        """
        parts = self._parts(message)
        if not parts:
            raise DeliveryError("The message has neither text nor media.", permanent=True)
        sender, recipient = self._sender(message.address), message.address.sender
        progress = self._book.of(message.id)
        while len(progress.sids) < len(parts):
            part = parts[len(progress.sids)]
            sid = None
            if progress.doubtful_since is not None:
                sid = await self._look_up(message, part, progress.doubtful_since)
            if sid is None:
                sid = await self._create(progress, part, sender, recipient)
            self._book.add(message.id, progress, sid)
        self._book.close(message.id)
        return progress.sids[-1]

    async def find_sent(self, message: Outgoing, since: float) -> str | None:
        """Looks for the message among the last 50 from its number to its customer.

        Twilio takes no idempotency key, so a part is recognised by its text and its number of
        files. It can be missed when Twilio changed the text (smart encoding, link shortening) or
        does not list it yet; and where it is not there, an equal message that another process sent
        to the same customer within the same seconds may be taken for it: the caller knows whose
        that is. Parts that are found are remembered, so that `send` goes on after them.

        Returns:
            The SID of the last part; None when a part was not sent or Twilio cannot be asked.
        """
        parts = self._parts(message)
        progress = self._book.of(message.id)
        try:
            while len(progress.sids) < len(parts):
                sid = await self._look_up(message, parts[len(progress.sids)], since)
                if sid is None:
                    # Known to be absent: `send` need not ask again.
                    progress.doubtful_since = None
                    return None
                self._book.add(message.id, progress, sid)
        except DeliveryError:
            progress.doubtful_since = since
            return None
        self._book.close(message.id)
        return progress.sids[-1] if progress.sids else None

    async def aclose(self) -> None:
        """Frees connections."""
        await self._api.aclose()

    def _parts(self, message: Outgoing) -> list[Part]:
        return render(
            message.content,
            whatsapp=message.address.sender.startswith(WHATSAPP),
            public_url=self._public_url,
            choice_hint=self._credentials.choice_hint,
        )

    def _sender(self, address: Address) -> str:
        number = address.account if address.account not in ("", "default") else ""
        number = (number or self._credentials.number).removeprefix(WHATSAPP)
        # Twilio refuses to mix: a WhatsApp customer can only be written to by a WhatsApp sender.
        return f"{WHATSAPP}{number}" if address.sender.startswith(WHATSAPP) else number

    async def _create(self, progress: Progress, part: Part, sender: str, recipient: str) -> str:
        started = time.time()
        try:
            return await self._api.create(part, sender, recipient)
        except UnconfirmedError:
            progress.doubtful_since = started
            raise

    async def _look_up(self, message: Outgoing, part: Part, since: float) -> str | None:
        """The SID under which Twilio has the part, if it has it.

        Raises:
            DeliveryError: Twilio could not be asked just now. Where it will never tell, the answer
                is None: better said twice than never.
        """
        earliest = math.floor(since) - _CLOCK_SLACK
        try:
            recent = await self._api.recent(self._sender(message.address), message.address.sender)
        except DeliveryError as error:
            if error.permanent:
                return None
            raise
        for sent in recent:
            if (
                sent.created >= earliest
                and _is_same(sent, part)
                and self._book.is_free(sent.sid, message.id)
            ):
                return sent.sid
        return None


def _acknowledged(result: WebhookResult) -> WebhookResult:
    """With the empty TwiML document: Twilio shall not answer in our place."""
    return WebhookResult(
        inbound=result.inbound, receipts=result.receipts, body=_EMPTY_TWIML, content_type="text/xml"
    )


def _is_same(sent: SentMessage, part: Part) -> bool:
    # Line ends and trailing blanks do not always survive the way there and back.
    body = " ".join(sent.body.removeprefix(_TRIAL_PREFIX).split())
    return sent.media == len(part.media) and body == " ".join(part.body.split())
