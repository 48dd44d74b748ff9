"""What ``data/nlu`` lists: lookup tables, regular expressions, and the words of annotations."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rasa.nlu.utils.pattern_utils import read_lookup_table_file
from rasa.shared.exceptions import InvalidConfigException
from rasa.shared.nlu.training_data.training_data import TrainingData
from spacy.language import Language
from spacy.matcher import PhraseMatcher
from spacy.tokens import Doc

from bot.nlu.entity_recogniser import Annotated
from bot.nlu.entity_spans import Found
from bot.nlu.tokenizer import lower_words

_logger = logging.getLogger(__name__)

_Counts = Counter[tuple[str, str]]

# An annotated word counts as listed when it is annotated nearly wherever it stands.
_NEARLY_ALWAYS = 0.9


@dataclass(frozen=True)
class Listed:
    """Phrases and regular expressions of the training data, by entity.

    Attributes:
        phrases: Of lookup tables and annotations.
        patterns: Of ``regex`` entries, those of one entity as alternatives.
    """

    phrases: dict[str, list[str]] = field(default_factory=dict)
    patterns: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        training_data: TrainingData,
        examples: Sequence[Annotated],
        nlp: Language,
        known: Sequence[str],
    ) -> Listed:
        """Collects what the training data lists.

        Args:
            training_data: For its lookup tables and regular expressions.
            examples: The annotated examples, for words that are always this entity.
            nlp: Splits texts into words.
            known: Entities that are known without an annotation: a regex of this name extracts, as
                one of an annotated entity does; others only help to classify, as in Rasa.

        Raises:
            InvalidConfigException: A lookup table's file cannot be read.
        """
        phrases: dict[str, set[str]] = {}
        for table in training_data.lookup_tables:
            phrases.setdefault(table["name"], set()).update(_elements(table))
        for entity, words in _always_annotated(examples, nlp).items():
            phrases.setdefault(entity, set()).update(words)
        entities = {*training_data.entities, *phrases, *known}
        patterns: dict[str, list[str]] = {}
        for entry in training_data.regex_features:
            if entry["name"] in entities:
                patterns.setdefault(entry["name"], []).append(entry["pattern"])
            else:
                _logger.info(
                    "The regex '%s' of the training data names no entity and extracts nothing; "
                    "annotate an example with it if it should.",
                    entry["name"],
                )
        return cls(
            {entity: sorted(words) for entity, words in sorted(phrases.items())},
            {e: "|".join(f"(?:{p})" for p in found) for e, found in sorted(patterns.items())},
        )


class Phrases:
    """Finds listed phrases as whole words; case does not matter."""

    def __init__(self, nlp: Language, phrases: Mapping[str, Collection[str]]) -> None:
        """Takes phrases by entity."""
        self._matcher = PhraseMatcher(nlp.vocab, attr="LOWER")
        self._names = nlp.vocab.strings
        for entity, words in phrases.items():
            docs = [lower_words(nlp, word) for word in words]
            self._matcher.add(entity, [doc for doc in docs if len(doc)])

    def find(self, doc: Doc) -> Iterator[Found]:
        """The phrases of a text, which `lower_words` split; results may overlap."""
        for entity, first, last in self._matcher(doc):
            end = doc[last - 1].idx + len(doc[last - 1])
            yield Found(doc[first].idx, end, self._names[entity])


def _elements(table: Mapping[str, Any]) -> list[str]:
    elements = table["elements"]
    if not isinstance(elements, list):  # the name of a file, one element a line
        try:
            elements = read_lookup_table_file(elements)
        except ValueError as error:
            raise InvalidConfigException(
                f"The lookup table '{table['name']}' names the file {elements}, which cannot be "
                "read. Mend its path in data/nlu."
            ) from error
    return [str(element).strip() for element in elements if str(element).strip()]


def _always_annotated(examples: Sequence[Annotated], nlp: Language) -> dict[str, set[str]]:
    """Annotated words by entity, without those that also stand elsewhere as something else."""
    words: dict[str, set[str]] = {}
    for example in examples:
        for found in example.entities:
            if found.role is None and found.group is None:  # those depend on the sentence
                text = example.text[found.start : found.end].strip().casefold()
                words.setdefault(found.entity, set()).add(text)
    finder = Phrases(nlp, words)
    right: _Counts = Counter()
    seen: _Counts = Counter()
    for example in examples:
        for place in finder.find(lower_words(nlp, example.text)):
            key = place.entity, example.text[place.start : place.end].casefold()
            seen[key] += 1
            right[key] += any(
                f.entity == place.entity and f.start <= place.start and place.end <= f.end
                for f in example.entities
            )
    return {
        entity: {word for word in some if _mostly(right, seen, (entity, word))}
        for entity, some in words.items()
    }


def _mostly(right: _Counts, seen: _Counts, key: tuple[str, str]) -> bool:
    return right[key] > 0 and right[key] >= _NEARLY_ALWAYS * seen[key]
