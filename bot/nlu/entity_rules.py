"""Entities by rule: numbers that shops use, and the words of lookup tables, found with spaCy."""

from __future__ import annotations

from typing import Any

import regex
import spacy
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.extractors.extractor import EntityExtractorMixin
from rasa.shared.exceptions import InvalidConfigException
from rasa.shared.nlu.constants import (
    ENTITIES,
    ENTITY_ATTRIBUTE_END,
    ENTITY_ATTRIBUTE_START,
    ENTITY_ATTRIBUTE_TYPE,
    ENTITY_ATTRIBUTE_VALUE,
    TEXT,
)
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData
from rasa.shared.utils.io import create_directory_for_file, dump_obj_as_json_to_file, read_json_file
from spacy.matcher import PhraseMatcher
from spacy.tokens import Doc, Span
from spacy.util import filter_spans

from bot.nlu.reading import lookup_elements

# The longest match wins; among equally long ones the first in this order.
PATTERNS: dict[str, str] = {
    "email": r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+",
    "sku": r"\b[A-Z]{3}-\d{4}-[A-Z]{3}-[A-Z0-9]{1,4}\b",
    "gift_card": r"\b[A-Z]{3}-?[A-Z0-9]{4}-[A-Z0-9]{4}\b",
    "order_number": r"(?<![\w-])(?:(?:fd|order)\s?[-#]?\s?|#\s?)?\d{6}(?![\w-]|\.\d)",
    "phone": r"(?<!\w)(?:\+|00)\d[\d\s().-]{7,16}\d\b|\b0\d[\d\s-]{8,12}\d\b",
    "postcode": r"\b[A-Z]{1,2}\d[A-Z\d]?\s?\d[A-Z]{2}\b",
    "money": r"[£$€]\s?\d+(?:[.,]\d{2})?|\b\d+(?:[.,]\d{2})?\s?(?:quid|pounds?|gbp|p\b)",
    "size": r"\bsize\s+(?:\d{1,2}(?:\.5)?|xxs|xs|s|m|l|xl|xxl)\b|\buk\s?\d{1,2}(?:\.5)?\b"
    r"|\b(?:xxs|xs|xl|xxl|xxxl|small|medium|large|extra large)\b",
}
COLOURS = tuple(
    "black white grey gray navy blue red green olive khaki yellow mustard orange pink purple lilac "  # noqa: SIM905
    "burgundy brown tan camel beige cream ivory charcoal teal turquoise gold silver rust sage "
    "denim".split()
)
_SAVED = "entity_rules.json"


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.ENTITY_EXTRACTOR, is_trainable=True)
class SpacyEntityRules(GraphComponent, EntityExtractorMixin):
    """Finds entities with patterns and with the lookup tables and annotations of ``data/nlu``.

    Options:
        language: spaCy's language code.
        patterns: Regular expressions by entity, added to `PATTERNS` (the same name replaces one;
            an empty one removes it). Case does not matter.
    """

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """The options and their defaults."""
        return {"language": "en", "patterns": {}}

    def __init__(
        self,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        words: dict[str, list[str]] | None = None,
    ) -> None:
        self._storage, self._resource = model_storage, resource
        self._nlp = spacy.blank(config["language"])
        self._patterns = _compile(PATTERNS | (config["patterns"] or {}))
        self._use_words(words or {})

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> SpacyEntityRules:
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
    ) -> SpacyEntityRules:
        """The extractor as it was trained."""
        with model_storage.read_from(resource) as folder:
            words = read_json_file(folder / _SAVED)
        return cls(config, model_storage, resource, words)

    @staticmethod
    def required_packages() -> list[str]:
        """Packages that must be importable."""
        return ["spacy", "regex"]

    def _use_words(self, words: dict[str, list[str]]) -> None:
        self._words = words
        self._phrases = PhraseMatcher(self._nlp.vocab, attr="LOWER")
        for label, phrases in (words | {"colour": COLOURS}).items():
            self._phrases.add(label, [self._nlp.make_doc(phrase) for phrase in phrases])

    def train(self, training_data: TrainingData) -> Resource:
        """Collects the words of lookup tables and annotated entities, and keeps them."""
        found: dict[str, set[str]] = {}
        for table in training_data.lookup_tables:
            found.setdefault(table["name"], set()).update(lookup_elements(table))
        for example in training_data.entity_examples:
            for entity in example.get(ENTITIES, []):
                surface = example.get(TEXT)[entity["start"] : entity["end"]]
                found.setdefault(entity["entity"], set()).add(surface)
        self._use_words({label: sorted(words) for label, words in sorted(found.items())})
        with self._storage.write_to(self._resource) as folder:
            create_directory_for_file(folder / _SAVED)
            dump_obj_as_json_to_file(folder / _SAVED, self._words)
        return self._resource

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        """Leaves the training data as it is: annotations are the truth there."""
        return training_data

    def process(self, messages: list[Message]) -> list[Message]:
        """Adds entities to each message; those that overlap give way to the longest."""
        for message in messages:
            text = message.get(TEXT)
            if text:
                found = self.add_extractor_name(self._extract(text))
                message.set(ENTITIES, message.get(ENTITIES, []) + found, add_to_output=True)
        return messages

    def _extract(self, text: str) -> list[dict[str, Any]]:
        doc = self._nlp.make_doc(text)
        spans = [*self._by_pattern(doc), *self._by_phrase(doc)]
        return [
            {
                ENTITY_ATTRIBUTE_TYPE: span.label_,
                ENTITY_ATTRIBUTE_VALUE: span.text.strip(),
                ENTITY_ATTRIBUTE_START: span.start_char,
                ENTITY_ATTRIBUTE_END: span.end_char,
            }
            for span in filter_spans(spans)
        ]

    def _by_pattern(self, doc: Doc) -> list[Span]:
        spans = []
        for label, pattern in self._patterns.items():
            for match in pattern.finditer(doc.text):
                span = doc.char_span(*match.span(), label=label, alignment_mode="expand")
                if span is not None:
                    spans.append(span)
        return spans

    def _by_phrase(self, doc: Doc) -> list[Span]:
        names = self._nlp.vocab.strings
        return [
            Span(doc, start, end, label=names[label]) for label, start, end in self._phrases(doc)
        ]


def _compile(patterns: dict[str, str]) -> dict[str, regex.Pattern[str]]:
    compiled = {}
    for label, pattern in patterns.items():
        try:
            if pattern:
                compiled[label] = regex.compile(pattern, regex.IGNORECASE)
        except regex.error as error:
            raise InvalidConfigException(
                f"SpacyEntityRules in config.yml: the pattern of '{label}' is not a regular "
                f"expression: {pattern!r} ({error}). Mend it under 'patterns'."
            ) from error
    return compiled
