"""Which examples say nearly the same, by the sentence encoder, whatever the pipeline uses."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
from rasa.shared.exceptions import InvalidConfigException

from bot.core.errors import ConfigurationError
from bot.evaluation.assistant import Labelled
from bot.evaluation.pipelines import Pipeline
from bot.evaluation.runner import encoder_folder
from bot.nlu.encoder import EmbeddingCache, Encoder
from bot.nlu.encoder_files import EncoderFiles, cache_folder


class Neighbours:
    """The training examples as points: near ones mean nearly the same."""

    def __init__(self, examples: Sequence[Labelled], vectors: npt.NDArray[np.float32]) -> None:
        """Takes the examples and a vector of length one for each."""
        self._examples, self._vectors = examples, vectors
        self._intents = np.array([example.intent for example in examples])
        self._row = {example.text: i for i, example in enumerate(examples)}

    @classmethod
    def of(cls, examples: Sequence[Labelled], pipeline: Pipeline) -> Neighbours:
        """Encodes the examples with the pipeline's encoder, or the default one.

        Raises:
            ConfigurationError: The encoder's files are missing or broken.
        """
        try:
            encoder = Encoder(EncoderFiles.find(encoder_folder(pipeline)))
        except InvalidConfigException as error:
            raise ConfigurationError(
                "SentenceEncoder", str(error), "See frontdesk doctor."
            ) from error
        texts = [example.text for example in examples]
        # The file that training writes: what was encoded there is not encoded again.
        cache = EmbeddingCache(cache_folder() / f"{encoder.identity}-examples.npz")
        found = cache.encode(texts, encoder)
        vectors = np.array([found[text] for text in texts], np.float32)
        return cls(examples, vectors / np.linalg.norm(vectors, axis=1, keepdims=True))

    def nearest(self, text: str, intent: str) -> str:
        """The example of an intent that is nearest to another example; empty where it has none."""
        rows = np.flatnonzero(self._intents == intent)
        if not len(rows):
            return ""
        cosines = self._vectors[rows] @ self._vectors[self._row[text]]
        return self._examples[int(rows[cosines.argmax()])].text

    def across(
        self, first: str, second: str, count: int
    ) -> Iterator[tuple[Labelled, Labelled, float]]:
        """The pairs of two intents that are nearest, with their cosine; each example once."""
        mine, theirs = (np.flatnonzero(self._intents == name) for name in (first, second))
        cosines = self._vectors[mine] @ self._vectors[theirs].T
        for _ in range(min(count, *cosines.shape)):
            i, j = np.unravel_index(cosines.argmax(), cosines.shape)
            yield self._examples[mine[i]], self._examples[theirs[j]], float(cosines[i, j])
            cosines[i, :] = cosines[:, j] = -2

    def above(self, cosine: float) -> Iterator[tuple[int, int, float]]:
        """The numbers of all pairs of examples in different intents that are nearer than this."""
        for i, vector in enumerate(self._vectors):
            cosines = self._vectors[i + 1 :] @ vector
            other = self._intents[i + 1 :] != self._intents[i]
            for j in np.flatnonzero((cosines >= cosine) & other):
                yield i, int(i + 1 + j), float(cosines[j])
