"""What splits words into an encoder's pieces, once in a process for all that need it."""

from __future__ import annotations

import hashlib
from threading import Lock
from weakref import WeakValueDictionary

from tokenizers import Tokenizer

# Encoders read no more of a text; of a single word there are never so many.
MAX_TOKENS = 128

_in_use: WeakValueDictionary[bytes, Tokenizer] = WeakValueDictionary()
_loading = Lock()


def word_pieces(stored: bytes) -> Tokenizer:
    """The tokenizer that a ``tokenizer.json`` describes; one of them takes some 8 MB.

    Encoder and recogniser use the same one, and so do two models while one takes the other's place.
    It gives at most `MAX_TOKENS` pieces.

    Raises:
        Exception: As the library does, for content that describes none.
    """
    key = hashlib.sha256(stored).digest()
    with _loading:
        known = _in_use.get(key)
        if known is None:
            known = _in_use[key] = Tokenizer.from_buffer(stored)
            known.no_padding()
            known.enable_truncation(MAX_TOKENS)
        return known
