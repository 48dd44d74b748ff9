"""Whether the real TensorFlow is there, and which components need it."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Iterable

# They need the real TensorFlow, which is not installed by default.
NEEDS_TENSORFLOW = {
    "DIETClassifier", "TEDPolicy", "ResponseSelector", "UnexpecTEDIntentPolicy",
    "LanguageModelFeaturizer", "ConveRTFeaturizer",
}  # fmt: skip


def needs_tensorflow(components: Iterable[str]) -> list[str]:
    """Which of these components need it."""
    return [name for name in components if name in NEEDS_TENSORFLOW]


def has_tensorflow() -> bool:
    """Whether it is installed in this environment, and not its stand-in."""
    try:
        summary = importlib.metadata.metadata("tensorflow")["Summary"]
    except importlib.metadata.PackageNotFoundError:
        return False
    return not summary.startswith("Stands in")
