"""Which addresses become links."""

from __future__ import annotations

from urllib.parse import urlsplit


def web_address(url: str) -> str:
    """The URL when a browser may follow it, else nothing (``javascript:`` and its kin)."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    if parts.scheme in ("http", "https") and parts.netloc:
        return url
    own = not parts.scheme and not parts.netloc and url.startswith("/") and "\\" not in url
    return url if own and not url.startswith("//") else ""
