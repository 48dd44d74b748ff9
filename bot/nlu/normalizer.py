"""Makes messages readable before they are understood: signs, links, repeated letters, spelling.

The customer's text stays as typed: entities, transcript and tracker see that. What is made of it
stands beside it, in the message attribute ``normalized_text``.
"""

from __future__ import annotations

import hashlib
import inspect
import json
import sys
from collections.abc import Iterator, Mapping
from typing import Any

import regex
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.exceptions import InvalidConfigException, RasaException
from rasa.shared.nlu.constants import TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from bot.nlu import signs, spelling
from bot.nlu.reading import NORMALIZED, lookup_elements
from bot.nlu.signs import MAX_CHARACTERS, Signs, has_signs, is_sign
from bot.nlu.spelling import WORD, Vocabulary, count_words, english_words

_DOMAIN = r"\.(?:com|co|net|org|uk|eu|io|me|shop|store|info)"
_URL = regex.compile(
    rf"(?<![\w@.-])(?:(?:https?://|www\.)\S+|[\w-]+(?:\.[\w-]+)*{_DOMAIN}/\S*)", regex.IGNORECASE
)
_LINK = "link"
# Order numbers, e-mail addresses, names of accounts and of shops on the web are never corrected.
_IDENTIFIER = regex.compile(rf"[\d@_#\\]|{_DOMAIN}\b", regex.IGNORECASE)
_ENDLESS = regex.compile(r"(\p{L})\1{8,}")
# Whatever is longer is no word, nor several joined by signs.
_LONGEST_TOKEN = 200
_SAVED = "vocabulary.json"
_ENGLISH = "en"


def normalize(text: str, vocabulary: Vocabulary, signs: Signs | None = None) -> str:
    """A text as it should be understood; normalising twice gives the same as once.

    Args:
        text: Any string; of a long one, the beginning is read.
        vocabulary: The words that mistyped ones are corrected to.
        signs: What emoji mean; default `MEANINGS`.
    """
    read = _URL.sub(_LINK, _ENDLESS.sub(r"\1" * 8, (signs or _USUAL).read(text)))
    shouted = read.isupper()
    tokens: list[str] = []
    room, begins = MAX_CHARACTERS, True
    for token in read.split():
        if len(token) <= _LONGEST_TOKEN and not _IDENTIFIER.search(token):
            corrected = _corrected(token, vocabulary, begins, shouted)
            token = corrected if len(corrected) <= _LONGEST_TOKEN else token
        if len(token) > room:
            if room > _LONGEST_TOKEN:
                tokens.append(token[:room])
            break
        tokens.append(token)
        room -= len(token) + 1
        begins = token[-1] in ".!?"
    return " ".join(tokens)


_USUAL = Signs()


def _corrected(token: str, vocabulary: Vocabulary, begins: bool, shouted: bool) -> str:
    """One token with the words in it corrected, unless they may be names or codes."""

    def correct(match: regex.Match[str]) -> str:
        word = vocabulary.without_repeats(match[0])
        capital = begins and word.istitle()
        if word.islower() or capital or (shouted and "-" not in token):
            return vocabulary.corrected(word)
        return word

    return str(WORD.sub(correct, token))


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.MESSAGE_FEATURIZER, is_trainable=True)
class MessageNormalizer(GraphComponent):
    """Sets ``normalized_text``, which SentenceEncoder and IntentClassifier read.

    Options:
        language: Spelling is corrected in English (``en``) only.
        spelling: Whether it is.
        emoji: Words by emoji, added to `bot.nlu.signs.MEANINGS`; the same emoji replaces one.
    """

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """The options and their defaults."""
        return {"language": _ENGLISH, "spelling": True, "emoji": {}}

    def __init__(
        self,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        counts: dict[str, int] | None = None,
    ) -> None:
        self._storage, self._resource = model_storage, resource
        self._signs = Signs(_emoji(config["emoji"]))
        self._known = _known_words(config)
        # Without a list of its words, a language's real words would be taken for mistakes.
        self._spelling = config["spelling"] and config["language"] == _ENGLISH
        self._use_counts(counts or {})

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> MessageNormalizer:
        """A new normaliser, before training."""
        return cls(config, model_storage, resource)

    @classmethod
    def load(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> MessageNormalizer:
        """The normaliser with the vocabulary that it learned.

        Raises:
            RasaException: Its file is broken.
        """
        try:
            with model_storage.read_from(resource) as folder:
                counts = json.loads((folder / _SAVED).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise RasaException(
                f"The assistant's vocabulary cannot be read ({error!r}): the model is broken. "
                "Train it again: frontdesk train"
            ) from error
        return cls(config, model_storage, resource, counts)

    @classmethod
    def fingerprint_addon(cls, config: dict[str, Any]) -> str | None:
        """Changed rules mean training anew; Rasa itself looks at this class only."""
        modules = (sys.modules[__name__], signs, spelling)
        source = "".join(inspect.getsource(module) for module in modules)
        return hashlib.sha256(source.encode()).hexdigest()

    @staticmethod
    def required_packages() -> list[str]:
        """Packages that must be importable."""
        return ["rapidfuzz", "regex"]

    def _use_counts(self, counts: dict[str, int]) -> None:
        self._counts = counts
        self._vocabulary = Vocabulary(counts, self._known, self._spelling)

    def train(self, training_data: TrainingData) -> Resource:
        """Learns the assistant's words from its examples, lookup tables and synonyms."""
        texts = [self._signs.read(m.get(TEXT)) for m in training_data.intent_examples]
        listed = [self._signs.read(phrase) for phrase in _listed(training_data)]
        self._use_counts(count_words(texts, listed, self._known))
        with self._storage.write_to(self._resource) as folder:
            content = json.dumps(self._counts, ensure_ascii=False)
            (folder / _SAVED).write_text(content, encoding="utf-8")
        return self._resource

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        """Reads examples in the same way as messages."""
        self.process(training_data.training_examples)
        return training_data

    def process(self, messages: list[Message]) -> list[Message]:
        """Adds the normalised text to each message that has text.

        Raises:
            InvalidConfigException: Features were made of the messages already.
        """
        for message in messages:
            if message.features:
                raise InvalidConfigException(
                    "MessageNormalizer in config.yml comes after a featurizer, which has read the "
                    "messages as typed. Put it first in the pipeline."
                )
            if text := message.get(TEXT):
                message.set(NORMALIZED, normalize(text, self._vocabulary, self._signs))
        return messages


def _listed(training_data: TrainingData) -> Iterator[str]:
    for table in training_data.lookup_tables:
        yield from lookup_elements(table)
    for phrase, value in training_data.entity_synonyms.items():
        yield from (phrase, str(value))


def _known_words(config: dict[str, Any]) -> Mapping[str, int]:
    spelling, language = config["spelling"], config["language"]
    if not isinstance(spelling, bool):
        raise InvalidConfigException(
            f"MessageNormalizer in config.yml: spelling is {spelling!r}. Write true or false."
        )
    if not isinstance(language, str) or not language:
        raise InvalidConfigException(
            f"MessageNormalizer in config.yml: language is {language!r}. Give the code of the "
            "language that customers write, such as en."
        )
    return english_words() if language == _ENGLISH else {}


def _emoji(chosen: Any) -> dict[str, str]:
    if not isinstance(chosen, dict):
        raise InvalidConfigException(
            f"MessageNormalizer in config.yml: emoji is {chosen!r}. Give words by emoji, such as "
            '{"🎁": gift}.'
        )
    for sign, words in chosen.items():
        if not is_sign(sign):
            raise InvalidConfigException(
                f"MessageNormalizer in config.yml: {sign!r} under emoji is not an emoji. Put one "
                "there, and on its right what customers mean with it."
            )
        if not isinstance(words, str) or not words.strip() or has_signs(words):
            raise InvalidConfigException(
                f"MessageNormalizer in config.yml: the emoji {sign} means {words!r}. Write what "
                "customers mean with it in words."
            )
    return chosen
