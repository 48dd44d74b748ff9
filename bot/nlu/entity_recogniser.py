"""The trained recogniser: a small spaCy model that learns what designers annotate.

It gives each word one of the tags "begins a product", "goes on with it", "neither": so it is
trained in seconds, is fast on one message, and says how sure it is, which spaCy's own entity
recogniser does not.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from spacy.language import Language
from spacy.tokens import Doc

from bot.nlu import entity_network
from bot.nlu.entity_spans import Found
from bot.nlu.tokenizer import lower_words
from bot.nlu.word_vectors import WordVectors

Array = npt.NDArray[np.float32]

_WEIGHTS, _FACTS = "recogniser.bin", "recogniser.json"


@dataclass(frozen=True)
class Options:
    """How it is trained.

    Attributes:
        epochs: How often the examples are gone through.
        negatives: How many examples without entities are used at most for each one with.
        threshold: How sure it must be of an entity, 0 to 1.
        seed: The same seed and data give the same model.
    """

    epochs: int = 5
    negatives: float = 9.0
    threshold: float = 0.7
    seed: int = 0


@dataclass(frozen=True)
class Annotated:
    """A training example: its text and the entities in it."""

    text: str
    entities: tuple[Found, ...]


class Recogniser:
    """Finds the entities that it was trained on; case does not matter to it."""

    def __init__(
        self, nlp: Language, labels: Sequence[str], threshold: float, vectors: WordVectors | None
    ) -> None:
        """Takes a blank spaCy language for its tokenizer and the labels that `label` makes."""
        self._nlp, self._labels, self._threshold = nlp, list(labels), threshold
        self._vectors = vectors
        self._network = entity_network.build(self._tags, vectors.width if vectors else None)
        self._plain: entity_network.Plain | None = None

    @property
    def _tags(self) -> int:
        return 1 + 2 * len(self._labels)

    def _ready(self) -> Recogniser:
        if self._vectors:
            self._plain = entity_network.Plain(self._network)
        return self

    @classmethod
    def train(
        cls,
        nlp: Language,
        examples: Sequence[Annotated],
        options: Options,
        vectors: WordVectors | None,
    ) -> Recogniser | None:
        """Learns from examples; None where none of them has an entity."""
        labels = sorted({label(found) for example in examples for found in example.entities})
        if not labels:
            return None
        recogniser = cls(nlp, labels, options.threshold, vectors)
        taught = [recogniser._taught(example) for example in _chosen(examples, options)]
        entity_network.train(recogniser._network, taught, options.epochs, options.seed)
        return recogniser._ready()

    def _taught(self, example: Annotated) -> tuple[Any, Array]:
        """What the network reads of an example, and what it should answer."""
        doc = lower_words(self._nlp, example.text)
        tags = np.zeros(len(doc), int)
        for found in example.entities:
            span = doc.char_span(found.start, found.end, alignment_mode="expand")
            begins = 1 + 2 * self._labels.index(label(found))
            tags[span.start : span.end] = begins + 1
            tags[span.start] = begins
        return self._read(doc), np.eye(self._tags, dtype=np.float32)[tags]

    def _read(self, doc: Doc) -> Any:
        if self._vectors is None:
            return doc
        return np.array([self._vectors.of(token.text) for token in doc])

    def save(self, folder: Path) -> None:
        """Writes weights and labels; no code is stored."""
        (folder / _WEIGHTS).write_bytes(self._network.to_bytes())
        facts = {
            "labels": self._labels,
            "threshold": self._threshold,
            "vectors": self._vectors is not None,
        }
        (folder / _FACTS).write_text(json.dumps(facts, ensure_ascii=False), encoding="utf-8")
        if self._vectors:
            self._vectors.save(folder)

    @classmethod
    def load(cls, folder: Path, nlp: Language) -> Recogniser | None:
        """What `save` wrote; None where nothing was."""
        if not (folder / _FACTS).is_file():
            return None
        facts = json.loads((folder / _FACTS).read_text(encoding="utf-8"))
        vectors = WordVectors.load(folder) if facts["vectors"] else None
        recogniser = cls(nlp, facts["labels"], facts["threshold"], vectors)
        recogniser._network.from_bytes((folder / _WEIGHTS).read_bytes())
        return recogniser._ready()

    def find(self, doc: Doc) -> Iterator[Found]:
        """The entities of a text, which `lower_words` split; they do not overlap."""
        if not len(doc):
            return
        read = self._read(doc)
        scores = self._plain.predict(read) if self._plain else self._network.predict([read])[0]
        begins, goes_on = scores[:, 1::2], scores[:, 2::2]
        inside = begins + goes_on
        best = inside.argmax(axis=1)
        rows = np.arange(len(doc))
        known = inside[rows, best] > scores[:, 0]
        starts = begins[rows, best] > goes_on[rows, best]
        for first, last in _runs(known, starts, best):
            kind = int(best[first])
            sure = float(inside[first:last, kind].mean())
            if sure >= self._threshold:
                end = doc[last - 1].idx + len(doc[last - 1])
                yield _found(doc[first].idx, end, self._labels[kind], sure)


def label(found: Found) -> str:
    """An entity with its role and group as one label of the recogniser."""
    return json.dumps([found.entity, found.role, found.group])


def _found(start: int, end: int, name: str, confidence: float) -> Found:
    entity, role, group = json.loads(name)
    return Found(start, end, entity, role=role, group=group, confidence=confidence)


def _runs(
    known: npt.NDArray[Any], starts: npt.NDArray[Any], best: npt.NDArray[Any]
) -> Iterator[tuple[int, int]]:
    """The stretches of tokens that are one entity."""
    first: int | None = None
    for place in range(len(known)):
        same = first is not None and known[place] and best[place] == best[first]
        if same and not starts[place]:
            continue
        if first is not None:
            yield first, place
        first = place if known[place] else None
    if first is not None:
        yield first, len(known)


def _chosen(examples: Sequence[Annotated], options: Options) -> list[Annotated]:
    """All with entities, and a sample of the others."""
    examples = [example for example in examples if example.text.strip()]
    taught = [example for example in examples if example.entities]
    others = [example for example in examples if not example.entities]
    wanted = min(len(others), round(options.negatives * len(taught)))
    return taught + random.Random(options.seed).sample(others, wanted)
