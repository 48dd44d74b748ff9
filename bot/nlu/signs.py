"""Signs as words: emoji by what customers mean with them, and what nobody sees taken out."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from types import MappingProxyType

import regex

# Longer texts are cut, so that none takes long.
MAX_CHARACTERS = 2000

# What customers use, by what they mean with it; every other sign is read by its Unicode name.
_USUAL = {
    "hello": "👋",
    "thank you": "🙏",
    "yes": "👍 ✅ ✔ ☑",
    "ok": "👌 🆗",
    "no": "👎 ❌ ✖ 🚫 🙅",
    "robot": "🤖",
    "love it": "❤ 🧡 💛 💚 💙 💜 🖤 🤍 🤎 💕 💖 💗 💓 💞 💝 💘 😍 🥰 😻 🤩",
    "great": "⭐ 🌟 👏 🙌 💯 🎉 🥳 🏆 🔥 💪",
    "happy": "😊 🙂 😀 😃 😄 😁 😆 ☺ 😇 🤗",
    "funny": "😂 🤣",
    "angry": "😡 😠 🤬 😤 👿 🖕",
    "sad": "😢 😭 😞 😔 ☹ 🙁 😿 💔 😥 😓 😩 😫 😖 😣",
    "worried": "😟 😰 😨 😱 😧 😦",
    "annoyed": "🙄 😒 😑",
    "not sure": "🤷 🤔 😕 ❓ ❔",
    "stop": "🛑 ✋ ⛔",
    "warning": "⚠ ❗",
    "please help": "🆘",
    "parcel": "📦",
    "delivery": "🚚 🚛 🛻",
    "post": "📮 📬 📭 📫 📪",
    "card": "💳",
    "money": "💰 💵 💷 💶 💸 🤑",
    "receipt": "🧾",
    "shopping": "🛒 🛍",
    "shop": "🏬 🏪",
    "gift": "🎁",
    "photo": "📷 📸 🖼",
    "phone": "📱 📞 ☎",
    "email": "📧 ✉ 📩 📨",
    "place": "📍 📌",
    "time": "⏰ ⏳ ⌛ 🕐",
    "calendar": "📅 📆 🗓",
}
MEANINGS: Mapping[str, str] = {
    sign: words for words, signs in _USUAL.items() for sign in signs.split()
}

_QUOTES = str.maketrans(dict.fromkeys("’‘‛ʼʹˈ´`′", "'") | dict.fromkeys("“”„‟″", '"'))
# Skin tones, the two genders of a picture, variation selectors: they say nothing here.
_DECORATION = regex.compile(r"[\U0001f3fb-\U0001f3ff\ufe00-\ufe0f\U000e0100-\U000e01ef]|\u200d[♀♂]")
_FLAG = regex.compile(r"[\U0001f1e6-\U0001f1ff]")
_REPEATED = regex.compile(r"(\p{So})(?:\s*\1)+")
# Marks that NFKC could not join with their letter are ornament; so are the fillers.
_UNSEEN = regex.compile(r"\p{Cf}+|[\u0300-\u036f\u20d0-\u20f0\u115f\u1160\u17b4\u17b5]+")
_NO_TEXT = regex.compile(r"[\p{Cc}\p{Cs}\p{Co}\p{Cn}\p{Z}\u2800]+")
_SIGN = regex.compile(r"\p{So}")
_PICTURE = regex.compile(r"\p{So}(?:\u200d?\p{So})*")


class Signs:
    """Reads signs as words.

    Args:
        own: Words by sign, added to `MEANINGS`; the same sign replaces one. What is in neither is
            read by its Unicode name.
    """

    def __init__(self, own: Mapping[str, str] = MappingProxyType({})) -> None:
        self._meanings = {bare(sign): words for sign, words in (*MEANINGS.items(), *own.items())}
        longest = sorted(self._meanings, key=len, reverse=True)
        self._named = regex.compile(r"(\L<signs>)(?:\s*\1)*", signs=longest)

    def read(self, text: str) -> str:
        """The text in Unicode's NFKC form, with words for signs and nothing that nobody sees.

        Reading twice gives the same as reading once. Of a long text, the beginning is read.
        """
        text = text[:MAX_CHARACTERS]
        if text.isascii() and text.isprintable():
            return text.translate(_QUOTES)
        text = self._named.sub(self._meaning, bare(text))
        text = _SIGN.sub(_name, _REPEATED.sub(r"\1", text))
        text = _NO_TEXT.sub(" ", _UNSEEN.sub("", text))
        return unicodedata.normalize("NFKC", text)[:MAX_CHARACTERS]

    def _meaning(self, match: regex.Match[str]) -> str:
        return f" {self._meanings[match[1]]} "


def bare(text: str) -> str:
    """The text in NFKC form with plain quotation marks, and signs without their decoration."""
    return unicodedata.normalize("NFKC", _DECORATION.sub("", text.translate(_QUOTES)))


def is_sign(text: object) -> bool:
    """Whether a text is one emoji, or several joined to one picture."""
    return isinstance(text, str) and bool(_PICTURE.fullmatch(bare(text)))


def has_signs(text: str) -> bool:
    """Whether there are emoji in a text, or anything else that nobody can read."""
    return " ".join(Signs().read(text).split()) != " ".join(text.split())


def _name(match: regex.Match[str]) -> str:
    sign = match[0]
    if _FLAG.match(sign):  # a country's flag is two of these
        return chr(ord(sign) - 0x1F1E6 + ord("a"))
    return f" {unicodedata.name(sign, '').lower()} "
