"""Messages with what a model made of them, for tests of figures and findings."""

from __future__ import annotations

from typing import Any

import numpy as np

from bot.evaluation.assistant import Answers, Asked, Labelled
from bot.evaluation.neighbours import Neighbours
from bot.evaluation.predictions import Prediction


def asked(
    text: str,
    intent: str,
    *ranking: tuple[str, float],
    entities: tuple[dict[str, Any], ...] = (),
    found: tuple[dict[str, Any], ...] = (),
) -> Asked:
    """A message labelled `intent`, and a ranking, which may begin with the fallback."""
    listed = [{"name": name, "confidence": sure} for name, sure in ranking]
    parsed = {"intent": listed[0], "intent_ranking": listed, "entities": list(found)}
    return Asked(Labelled(text, intent, entities), Prediction.of(parsed))


FOLDS = [
    asked("where is my parcel", "status", ("status", 0.9), ("lost", 0.1)),
    asked("parcel never came", "status", ("lost", 0.95), ("status", 0.05)),
    asked("my parcel is lost", "lost", ("lost", 0.8), ("status", 0.2)),
    asked("parcel?", "lost", ("nlu_fallback", 0.6), ("status", 0.4), ("lost", 0.3)),
    asked("hello", "greet", ("greet", 1.0)),
    asked("Hello!", "greet", ("greet", 0.99)),
    asked("hi", "greet", ("greet", 0.97)),
    asked("hi", "bye", ("greet", 0.97), ("bye", 0.01)),
]
EXAMPLES = [each.message for each in FOLDS]


def neighbours() -> Neighbours:
    """Parcels near each other in the order of `EXAMPLES`, greetings elsewhere."""
    angles = np.array([0.0, 0.3, 0.35, 0.1, 2.0, 2.0, 2.2, 2.2])
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    return Neighbours(EXAMPLES, vectors)


def answers(held_out: list[Asked] | None = None, strange: list[Asked] | None = None) -> Answers:
    """What `ask` gives."""
    return Answers(EXAMPLES, FOLDS, held_out or [], strange or [], [3.0, 1.0, 2.0])
