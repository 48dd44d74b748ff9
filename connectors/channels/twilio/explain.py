"""Twilio's error codes in plain sentences: what happened, and what to do about it.

The codes are those of Twilio's error and warning dictionary.
"""

from __future__ import annotations

from bot.core.dead_letters import Explanation

_LOOK_AT_NUMBER = "Check the number in the CRM, and reach the customer another way."
_SEND_AGAIN = "Send it again."
_REACH_OTHERWISE = "Reach the customer another way."

_KNOWN: dict[str, tuple[str, str]] = {
    "20003": (
        "Twilio does not accept the account SID or the auth token.",
        "Copy both anew from the Twilio console, restart, and send it again.",
    ),
    "21211": ("The customer's number is not valid.", _LOOK_AT_NUMBER),
    "21606": (
        "The shop's number cannot send to this destination.",
        "Use a number of Twilio's that can send there, then send it again.",
    ),
    "21609": (
        "Twilio cannot use the address for receipts, which is made from FRONTDESK_PUBLIC_URL.",
        "Set FRONTDESK_PUBLIC_URL to the https address of this server, restart, and send it again.",
    ),
    "21610": (
        "The customer has opted out of messages from this number (they wrote STOP).",
        "Only they can change that, by writing START. Until then, reach them another way.",
    ),
    "21612": ("The shop's number cannot reach this customer.", _REACH_OTHERWISE),
    "21614": ("The customer's number is not a mobile number.", _LOOK_AT_NUMBER),
    "21620": (
        "Twilio could not use the address of a picture.",
        "Check that the picture can be fetched from outside, then send it again.",
    ),
    "30002": (
        "Twilio has suspended the shop's account.",
        "Settle it in the Twilio console, then send it again.",
    ),
    "30003": (
        "The customer's phone could not be reached: it is off, or has no network.",
        "Send it again later.",
    ),
    "30004": ("The customer's phone or carrier blocks the message.", _REACH_OTHERWISE),
    "30005": ("The customer's number does not exist or is out of use.", _LOOK_AT_NUMBER),
    "30006": ("The number is a landline, or its carrier takes no SMS.", _LOOK_AT_NUMBER),
    "30007": (
        "The carrier filtered the message as unwanted.",
        "Write it in other words and without links, or reach the customer another way.",
    ),
    "30008": ("The carrier lost the message and says nothing more.", _SEND_AGAIN),
    "30034": (
        "The shop's number is not registered for business messages in the United States.",
        "Register it (A2P 10DLC) in the Twilio console, then send it again.",
    ),
    "63003": ("The customer's number has no WhatsApp.", "Reach them by SMS or by phone."),
    "63007": (
        "The shop's number is not a WhatsApp sender.",
        "Add it under Messaging → Senders in the Twilio console, then send it again.",
    ),
    "63016": (
        "More than 24 hours have passed since the customer last wrote, and WhatsApp then takes "
        "templates only.",
        "Send it again when the customer has written, or reach them another way.",
    ),
    "63024": ("WhatsApp does not know the customer's number.", _LOOK_AT_NUMBER),
}


def explain(code: str) -> Explanation | None:
    """What the code means; None for a code that is not in the list above."""
    known = _KNOWN.get(code)
    return None if known is None else Explanation(*known)
