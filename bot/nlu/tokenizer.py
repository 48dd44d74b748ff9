"""spaCy's rule-based tokenizer as a Rasa tokenizer; nothing is downloaded."""

from __future__ import annotations

import re
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import spacy
from rasa.engine.graph import ExecutionContext
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.tokenizers.tokenizer import Token, Tokenizer
from rasa.shared.nlu.training_data.message import Message
from spacy.language import Language
from spacy.tokens import Doc

# Each word that spaCy has seen takes half a kilobyte and is read in a twentieth of the time.
_REMEMBERED = 4096
_LONG_WORD = re.compile(r"(\S{99})\S")


def short_words(text: str) -> str:
    """The text with every 100th sign of a word made a space, so that all places stay.

    spaCy takes signs off a word one by one and looks at all the others each time: ten thousand
    thumbs without a space took it 18 seconds.
    """
    return _LONG_WORD.sub(r"\1 ", text)


class PassingWords:
    """Keeps spaCy's memory from growing with every word that somebody writes.

    It never forgets a word by itself: order numbers and misspellings of a million customers would
    fill half a gigabyte.
    """

    def __init__(self, nlp: Language) -> None:
        """Takes a language as it is after training or loading: what it knows then stays."""
        self._nlp, self._most = nlp, len(nlp.vocab) + _REMEMBERED

    def __call__(self) -> AbstractContextManager[object]:
        """Where texts are read; documents and their words must not be used after it.

        The first few thousand new words stay known: those that customers write all the time.
        """
        full = len(self._nlp.vocab) >= self._most
        return self._nlp.memory_zone() if full else nullcontext()


def lower_words(nlp: Language, text: str) -> Doc:
    """A text as spaCy's words, in small letters and each at its place."""
    lower = text.lower()
    # A few capitals become two letters in lower case, and places would move.
    return nlp.make_doc(short_words(lower if len(lower) == len(text) else text))


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.MESSAGE_TOKENIZER, is_trainable=False)
class BlankSpacyTokenizer(Tokenizer):
    """Splits text with ``spacy.blank(language)``; emoji and punctuation stay tokens.

    Options: ``language`` (default ``en``) and those of Rasa's tokenizers.
    """

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """The options and their defaults."""
        return {
            "language": "en",
            "intent_tokenization_flag": False,
            "intent_split_symbol": "_",
            "token_pattern": None,
            "prefix_separator_symbol": None,
        }

    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__(config)
        nlp = spacy.blank(config["language"])
        self._split, self._reading = nlp.tokenizer, PassingWords(nlp)

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> BlankSpacyTokenizer:
        """As Rasa's graph asks for it."""
        return cls(config)

    @staticmethod
    def required_packages() -> list[str]:
        """Packages that must be importable."""
        return ["spacy"]

    def tokenize(self, message: Message, attribute: str) -> list[Token]:
        """The tokens of one text, with character offsets; never an empty list."""
        text = message.get(attribute)
        with self._reading():
            split = self._split(short_words(text))
            tokens = [Token(t.text, t.idx) for t in split if not t.is_space]
        kept: list[Token] = self._apply_token_pattern(tokens or [Token(text or " ", 0)])
        return kept
