"""Vectors of words, also of words never seen, from the word pieces of the sentence encoder.

What the encoder knows about words is what tells a product from other words: "ottoman" stands near
"sofa". Only its table of word pieces is used, made smaller; nothing of it runs.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from rasa.shared.exceptions import InvalidConfigException
from safetensors import SafetensorError, safe_open  # type: ignore[attr-defined]

from bot.nlu.encoder_files import EncoderFiles
from bot.nlu.word_pieces import word_pieces

Array = npt.NDArray[np.float32]

WIDTH = 96
_TABLE = "embeddings.word_embeddings.weight"
_PIECES, _TOKENIZER = "word_pieces.npz", "word_pieces.json"
_EVERY = 8  # of the pieces is enough to find the axes
_REMEMBERED = 8192  # words
_LONGEST = 64  # characters of a word


class WordVectors:
    """Words to vectors of `WIDTH` numbers, the mean of their pieces' vectors."""

    def __init__(self, pieces: npt.NDArray[np.int8], tokenizer: bytes) -> None:
        """Takes the pieces' vectors, scaled to -127..127, and the tokenizer as JSON."""
        self._pieces, self._stored = pieces, tokenizer
        self._tokenizer = word_pieces(tokenizer)
        self.of = lru_cache(maxsize=_REMEMBERED)(self._of)

    @classmethod
    def from_encoder(cls, files: EncoderFiles) -> WordVectors:
        """The encoder's pieces on their `WIDTH` most telling axes.

        Raises:
            InvalidConfigException: The encoder has no such table, or its files are altered.
        """
        files.check(files.tokenizer)
        try:
            opened: Any = safe_open  # its stubs lack what `with` needs
            with opened(str(files.model), "np") as stored:
                table = np.asarray(stored.get_tensor(_TABLE), np.float32)
        except (OSError, SafetensorError) as error:
            raise InvalidConfigException(
                f"EntityExtractor finds no word pieces in {files.model} ({error}). Set "
                "'word_vectors: false' in config.yml, or name the folder of a BERT encoder."
            ) from error
        table = _unit(table - table.mean(axis=0))
        some = table[::_EVERY]
        _, axes = np.linalg.eigh(some.T @ some)
        small = _unit(table @ np.ascontiguousarray(axes[:, ::-1][:, :WIDTH]))
        pieces = np.rint(small * 127).astype(np.int8)
        return cls(pieces, files.tokenizer.read_bytes())

    @classmethod
    def load(cls, folder: Path) -> WordVectors:
        """What `save` wrote."""
        with np.load(folder / _PIECES, allow_pickle=False) as stored:
            pieces = np.asarray(stored["pieces"], np.int8)
        return cls(pieces, (folder / _TOKENIZER).read_bytes())

    def save(self, folder: Path) -> None:
        """Writes two files: 3 MB of vectors and the tokenizer."""
        np.savez(folder / _PIECES, pieces=self._pieces)
        # Byte by byte the encoder's: with it, both are the same to `word_pieces`.
        (folder / _TOKENIZER).write_bytes(self._stored)

    @property
    def width(self) -> int:
        """How many numbers a vector has."""
        return int(self._pieces.shape[1])

    def _of(self, word: str) -> Array:
        ids = self._tokenizer.encode(word[:_LONGEST], add_special_tokens=False).ids
        if not ids:
            return np.zeros(self.width, np.float32)
        return np.asarray(self._pieces[ids].mean(axis=0, dtype=np.float32) / 127)


def _unit(rows: Array) -> Array:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True) + 1e-9
    return np.asarray(rows / lengths, np.float32)
