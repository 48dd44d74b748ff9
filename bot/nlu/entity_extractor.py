"""Entities as a Rasa component: rules, what the training data lists, and a trained recogniser."""

from __future__ import annotations

import hashlib
import inspect
import json
import logging
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import spacy
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.constants import ENTITY_ATTRIBUTE_CONFIDENCE_TYPE
from rasa.nlu.extractors.extractor import EntityExtractorMixin
from rasa.shared.exceptions import InvalidConfigException, RasaException
from rasa.shared.nlu.constants import (
    ENTITIES,
    ENTITY_ATTRIBUTE_END,
    ENTITY_ATTRIBUTE_GROUP,
    ENTITY_ATTRIBUTE_ROLE,
    ENTITY_ATTRIBUTE_START,
    ENTITY_ATTRIBUTE_TYPE,
    ENTITY_ATTRIBUTE_VALUE,
    TEXT,
)
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from bot.nlu import (
    entity_dates,
    entity_lookups,
    entity_network,
    entity_options,
    entity_recogniser,
    entity_rules,
    entity_spans,
    word_vectors,
)
from bot.nlu.encoder_files import EncoderFiles
from bot.nlu.entity_dates import DateRule
from bot.nlu.entity_lookups import Listed, Phrases
from bot.nlu.entity_options import Settings
from bot.nlu.entity_recogniser import Annotated, Recogniser
from bot.nlu.entity_rules import PATTERNS, STRICT_RULES, Rules
from bot.nlu.entity_spans import Found, Readable, resolve
from bot.nlu.tokenizer import PassingWords, lower_words
from bot.nlu.word_vectors import WordVectors

_logger = logging.getLogger(__name__)

_LISTED = "listed.json"
MOST_CHARACTERS = 10_000  # what stands behind them in a message is not searched


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.ENTITY_EXTRACTOR, is_trainable=True)
class EntityExtractor(GraphComponent, EntityExtractorMixin):
    """Adds ``entities`` to messages, in Rasa's form.

    Four ways find them: patterns for what looks the same everywhere (`entity_rules.PATTERNS`),
    dates, the lookup tables and regular expressions of ``data/nlu``, and a recogniser trained on
    the annotations there, with their roles and groups. Where results overlap, a strict pattern
    (`entity_rules.STRICT_RULES`, and ``patterns`` of the config) wins, then the longest, then the
    order is: regular expressions, lookup tables, patterns, dates, recogniser.

    ``value`` is what the customer wrote; a synonym mapper may follow. What the recogniser found has
    ``confidence_entity``. A ``date`` also has ``resolved``, its day in ISO form, and ``grain``.

    Options:
        language: spaCy's language code, for its tokenizer.
        patterns: Regular expressions by entity, added to the rules (the same name replaces one; an
            empty one removes it, also ``date``). Case does not matter.
        timezone: The shop's, e.g. ``Europe/London``, for "today"; default: the computer's.
        train_recogniser: Whether annotations train a recogniser.
        word_vectors: Whether it knows words from the sentence encoder, which are English; or the
            folder of another BERT encoder. Without, it knows the annotated words only.
        epochs: How often training goes through the examples.
        negatives: How many examples without entities it learns from at most for each one with.
        threshold: How sure the recogniser must be, 0 to 1.
        seed: The same seed and data give the same recogniser.
    """

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """The options and their defaults."""
        return Settings.defaults()

    def __init__(
        self,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        listed: Listed | None = None,
    ) -> None:
        """Makes an extractor that knows the rules and what is listed, but no recogniser yet.

        Raises:
            InvalidConfigException: An option is wrong.
        """
        self._settings = settings = Settings.of(config)
        self._storage, self._resource = model_storage, resource
        self._nlp = spacy.blank(settings.language)
        own = settings.patterns
        strict = STRICT_RULES | own.keys()
        self._rules = Rules(PATTERNS | own, "'patterns' of config.yml", strict)
        self._dates = None if entity_dates.ENTITY in own else DateRule(self._today)
        self._recogniser: Recogniser | None = None
        self._use(listed or Listed())

    def _use(self, listed: Listed) -> None:
        self._listed = listed
        self._phrases = Phrases(self._nlp, listed.phrases)
        self._regexes = Rules(listed.patterns, "data/nlu", frozenset())
        self._reading = PassingWords(self._nlp)

    def _today(self) -> date:
        zone = self._settings.timezone
        return datetime.now(ZoneInfo(zone) if zone else None).date()

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> EntityExtractor:
        """A new extractor, before training."""
        return cls(config, model_storage, resource)

    @classmethod
    def load(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> EntityExtractor:
        """The extractor as it was trained.

        Raises:
            RasaException: Its files are broken or of another version.
        """
        try:
            with model_storage.read_from(resource) as folder:
                listed = Listed(**json.loads((folder / _LISTED).read_text(encoding="utf-8")))
                extractor = cls(config, model_storage, resource, listed)
                extractor._recogniser = Recogniser.load(folder, extractor._nlp)
        except InvalidConfigException:
            raise
        except Exception as error:  # spaCy's and thinc's readers raise whatever they stumble over
            raise RasaException(
                f"The trained entity extractor cannot be read ({error!r}): the model is broken or "
                "of another version. Train it again: frontdesk train"
            ) from error
        return extractor

    @classmethod
    def fingerprint_addon(cls, config: dict[str, Any]) -> str | None:
        """Changed rules or mathematics mean training anew; Rasa itself looks at this class only."""
        modules = (
            entity_dates,
            entity_lookups,
            entity_network,
            entity_options,
            entity_recogniser,
            entity_rules,
            entity_spans,
            word_vectors,
        )
        source = "".join(inspect.getsource(module) for module in modules)
        return hashlib.sha256(source.encode()).hexdigest()

    @staticmethod
    def required_packages() -> list[str]:
        """Packages that must be importable."""
        return ["spacy", "regex", "tokenizers", "safetensors"]

    def train(self, training_data: TrainingData) -> Resource:
        """Learns from annotations, lookup tables and regular expressions, and keeps it."""
        examples = list(_annotated(training_data))
        known = [*PATTERNS, *self._settings.patterns, entity_dates.ENTITY]
        self._use(Listed.of(training_data, examples, self._nlp, known))
        if self._settings.train_recogniser and any(e.entities for e in examples):
            self._recogniser = Recogniser.train(
                self._nlp, examples, self._settings.recogniser, self._vectors()
            )
        with self._storage.write_to(self._resource) as folder:
            facts = {"phrases": self._listed.phrases, "patterns": self._listed.patterns}
            (folder / _LISTED).write_text(json.dumps(facts, ensure_ascii=False), encoding="utf-8")
            if self._recogniser:
                self._recogniser.save(folder)
        return self._resource

    def _vectors(self) -> WordVectors | None:
        wanted = self._settings.word_vectors
        if wanted is False:
            return None
        return WordVectors.from_encoder(EncoderFiles.find(None if wanted is True else wanted))

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        """Leaves the training data as it is: annotations are the truth there."""
        return training_data

    def process(self, messages: list[Message]) -> list[Message]:
        """Adds the entities of each message to those it has."""
        for message in messages:
            text = message.get(TEXT)
            if text:
                found = self.add_extractor_name(self._entities(text))
                message.set(ENTITIES, message.get(ENTITIES, []) + found, add_to_output=True)
        return messages

    def _entities(self, text: str) -> list[dict[str, Any]]:
        readable = Readable.of(text, MOST_CHARACTERS)
        with self._reading():
            chosen = resolve(self._find(readable.text))
        entities = []
        for found in chosen:
            start, end = readable.original(found.start, found.end)
            entities.append(_in_rasas_form(found, readable.text, start, end))
        return entities

    def _find(self, text: str) -> Iterator[Found]:
        words = lower_words(self._nlp, text)
        yield from self._regexes.find(text)
        yield from self._phrases.find(words)
        yield from self._rules.find(text)
        if self._dates:
            yield from self._dates.find(text)
        if self._recogniser:
            yield from self._recogniser.find(words)


def _in_rasas_form(found: Found, text: str, start: int, end: int) -> dict[str, Any]:
    entity = {
        ENTITY_ATTRIBUTE_TYPE: found.entity,
        ENTITY_ATTRIBUTE_START: start,
        ENTITY_ATTRIBUTE_END: end,
        ENTITY_ATTRIBUTE_VALUE: text[found.start : found.end],
    }
    learned = {
        ENTITY_ATTRIBUTE_ROLE: found.role,
        ENTITY_ATTRIBUTE_GROUP: found.group,
        ENTITY_ATTRIBUTE_CONFIDENCE_TYPE: found.confidence,
    }
    return (
        entity | {key: value for key, value in learned.items() if value is not None} | found.extra
    )


def _annotated(training_data: TrainingData) -> Iterator[Annotated]:
    """The examples, each text once, without annotations that do not fit their text."""
    seen = set()
    for message in training_data.nlu_examples:
        text = message.get(TEXT)
        if not text or text in seen:
            continue
        seen.add(text)
        entities = []
        for entity in message.get(ENTITIES, []):
            start, end = entity.get(ENTITY_ATTRIBUTE_START), entity.get(ENTITY_ATTRIBUTE_END)
            if not (isinstance(start, int) and isinstance(end, int) and _fits(text, start, end)):
                _logger.warning(
                    "The annotation of '%s' from %s to %s in the training example %r does not fit "
                    "the words there and is left out. Mend it in data/nlu.",
                    entity.get(ENTITY_ATTRIBUTE_TYPE),
                    start,
                    end,
                    text,
                )
                continue
            role, group = entity.get(ENTITY_ATTRIBUTE_ROLE), entity.get(ENTITY_ATTRIBUTE_GROUP)
            entities.append(
                Found(start, end, entity[ENTITY_ATTRIBUTE_TYPE], role=role, group=group)
            )
        yield Annotated(text, tuple(entities))


def _fits(text: str, start: int, end: int) -> bool:
    """Whether a place is within the text and cuts no word in two."""
    if not 0 <= start < end <= len(text) or not text[start:end].strip():
        return False
    cut_before = start > 0 and text[start - 1].isalnum() and text[start].isalnum()
    cut_behind = end < len(text) and text[end - 1].isalnum() and text[end].isalnum()
    return not (cut_before or cut_behind)
