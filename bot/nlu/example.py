"""A training example that is copied and compared fast, in Rasa's form."""

from __future__ import annotations

import copy
import hashlib
from typing import Any

from rasa.nlu.tokenizers.tokenizer import Token
from rasa.shared.nlu.training_data.features import Features
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.utils.io import deep_container_fingerprint

_NEVER_CHANGES = (str, int, float, bool, type(None))


class Example(Message):
    """Rasa's message, for training data.

    Rasa copies all examples each time it merges two sets of them, and hashes them whenever one may
    have changed: after every merge and every component. With thousands of examples, that was a
    third of a training.
    """

    _cached_fingerprint: str | None

    @classmethod
    def of(cls, message: Message) -> Example:
        """The same as another message, which must not be used any more."""
        return cls(message.data, message.output_properties, message.time, message.features)

    def __deepcopy__(self, memo: dict[int, Any]) -> Example:
        """A copy that shares what cannot change."""
        other = Example(time=self.time)
        other.data = {
            key: value if isinstance(value, _NEVER_CHANGES) else copy.deepcopy(value, memo)
            for key, value in self.data.items()
        }
        other.features = copy.deepcopy(self.features, memo) if self.features else []
        other.output_properties = set(self.output_properties)
        other._cached_fingerprint = self._cached_fingerprint
        return other

    def set(self, prop: str, info: Any, add_to_output: bool = False) -> None:
        """As Rasa's; a text that stays the same keeps the fingerprint."""
        if isinstance(info, str) and self.data.get(prop) == info:
            if add_to_output:
                self.output_properties.add(prop)
        else:
            super().set(prop, info, add_to_output)

    def fingerprint(self) -> str:
        """Tells one example from another, by all its data and features."""
        if self._cached_fingerprint is None:
            hashed = hashlib.blake2b(digest_size=16)
            for key in sorted(self.data):
                _add(hashed, key, _data(self.data[key]))
            for features in self.features:
                _add(hashed, *_features(features))
            self._cached_fingerprint = hashed.hexdigest()
        return self._cached_fingerprint

    def __hash__(self) -> int:
        """As Rasa's; Python drops it where equality is defined beside it."""
        return hash(self.fingerprint())

    def __eq__(self, other: object) -> bool:
        """Whether data and features are the same."""
        return isinstance(other, Message) and self.fingerprint() == other.fingerprint()


def _add(hashed: Any, *parts: str | bytes) -> None:
    for part in parts:
        content = part.encode(errors="surrogatepass") if isinstance(part, str) else part
        # With its length before it, no part can be taken for the end of another.
        hashed.update(len(content).to_bytes(8, "little"))
        hashed.update(content)


def _data(value: Any) -> str:
    if isinstance(value, str):
        return "text " + value
    if isinstance(value, list) and value and all(type(item) is Token for item in value):
        return "tokens " + repr([(t.text, t.start, t.end, t.lemma, t.data) for t in value])
    return f"other {deep_container_fingerprint(value)}"


def _features(features: Features) -> tuple[str | bytes, ...]:
    if features.is_dense():
        array = features.features
        kind = f"{features.type} {features.attribute} {features.origin} {array.dtype} {array.shape}"
        return kind, bytes(array.tobytes())
    return ("sparse", str(features.fingerprint()))
