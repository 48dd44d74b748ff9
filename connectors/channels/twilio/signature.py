"""Twilio's webhook signature.

Base64 of HMAC-SHA1, keyed with the auth token, over the public URL followed by every form field's
name and value, sorted by name; blank fields count. A JSON body is not part of it: its SHA-256
stands in the query as ``bodySHA256`` and so in the URL. Source: Twilio's security guide and the
tests of its Python SDK, whose vectors are ours (``tests/unit/test_twilio_signature.py``).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterable, Sequence
from urllib.parse import parse_qs, parse_qsl, urlsplit

from bot.core.errors import PayloadError, SignatureError
from bot.core.messages import WebhookRequest

HEADER = "x-twilio-signature"

# A webhook has about forty fields; the bound keeps an unsigned body from costing time.
_MAX_FIELDS = 1000

Fields = Sequence[tuple[str, str]]


def sign(auth_token: str, url: str, fields: Iterable[tuple[str, str]] = ()) -> str:
    """The signature that Twilio puts on a request.

    Args:
        auth_token: The account's secret.
        url: Exactly as Twilio was told it, with query.
        fields: Decoded form fields, blank ones included; none for a JSON body.
    """
    # The same field twice counts once when its values are equal: Twilio's SDKs sort sets.
    signed = url + "".join(name + value for name, value in sorted(set(fields)))
    digest = hmac.new(auth_token.encode(), signed.encode(), hashlib.sha1).digest()
    return base64.b64encode(digest).decode("ascii")


def verified_fields(auth_token: str, request: WebhookRequest) -> dict[str, str]:
    """Checks the signature and gives the request's fields; of a repeated field, the first.

    Raises:
        SignatureError: The signature is missing or wrong, or a JSON body is not the signed one.
        PayloadError: The signature is right, but the body is not a form or a flat JSON object; or
            there are so many fields that it is not worth checking.
    """
    signature = request.headers.get(HEADER, "")
    if not signature:
        raise SignatureError("The request has no X-Twilio-Signature header.")
    if _is_json(request):
        _check_body_hash(request)
        _check(auth_token, request.url, (), signature)
        return _json_fields(request.body)
    fields = _form_fields(request.body)
    _check(auth_token, request.url, fields, signature)
    # Reversed, so that the first of equal names is the one that stays.
    return dict(reversed(fields))


def _is_json(request: WebhookRequest) -> bool:
    content_type = request.headers.get("content-type", "")
    return content_type.partition(";")[0].strip().lower() == "application/json"


def _check(auth_token: str, url: str, fields: Fields, signature: str) -> None:
    given = signature.encode()
    # A list, not a generator: every variant is compared, so the time says nothing.
    matches = [
        hmac.compare_digest(sign(auth_token, variant, fields).encode(), given)
        for variant in _port_variants(url)
    ]
    if not any(matches):
        raise SignatureError(
            "X-Twilio-Signature does not match. Check the auth token, and that the public URL is "
            "the one that Twilio calls."
        )


def _check_body_hash(request: WebhookRequest) -> None:
    claimed = parse_qs(urlsplit(request.url).query).get("bodySHA256", [""])[0]
    actual = hashlib.sha256(request.body).hexdigest()
    if not hmac.compare_digest(actual.encode(), claimed.lower().encode()):
        raise SignatureError("The JSON body is not the one whose bodySHA256 was signed.")


def _port_variants(url: str) -> tuple[str, str]:
    """The URL without and with its port: Twilio's servers are not consistent about it."""
    parts = urlsplit(url)
    bare = parts.netloc
    if parts.port is not None:
        bare = bare.rpartition(":")[0]
    port = parts.port or (443 if parts.scheme == "https" else 80)
    # By text and not by urlunsplit, which would also normalise what was signed as it stood.
    before, _, after = url.partition(parts.netloc)
    return before + bare + after, f"{before}{bare}:{port}{after}"


def _form_fields(body: bytes) -> list[tuple[str, str]]:
    try:
        return parse_qsl(
            body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=_MAX_FIELDS
        )
    except ValueError:
        raise PayloadError(f"The form has more than {_MAX_FIELDS} fields.") from None


def _json_fields(body: bytes) -> dict[str, str]:
    try:
        data = json.loads(body)
    except ValueError:
        raise PayloadError("The body is not JSON, though its content type says so.") from None
    if not isinstance(data, dict):
        raise PayloadError("The JSON body is not an object.")
    return {name: value for name, value in data.items() if isinstance(value, str)}
