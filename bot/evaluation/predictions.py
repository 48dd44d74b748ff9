"""What a pipeline made of a message, read from Rasa's result whatever components it has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

OUT_OF_SCOPE = "out_of_scope"
FALLBACK = "nlu_fallback"


@dataclass(frozen=True, slots=True)
class Prediction:
    """What was understood.

    Attributes:
        ranking: Intents with their confidence, the surest first, without the fallback.
        decided: The intent that the bot acts on: it may be the fallback, which asks.
        entities: As Rasa gives them: dicts with entity, start, end, value.
        in_scope: The probability that the message is in scope, where a component says so.
    """

    ranking: tuple[tuple[str, float], ...]
    decided: str | None
    entities: tuple[Mapping[str, Any], ...]
    in_scope: float | None

    @classmethod
    def of(cls, parsed: Mapping[str, Any]) -> Prediction:
        """From what `Agent.parse_message` returns."""
        ranking = [
            (str(i["name"]), float(i["confidence"]))
            for i in parsed.get("intent_ranking") or [parsed.get("intent") or {}]
            if i.get("name") and i["name"] != FALLBACK
        ]
        said = parsed.get("in_scope")
        return cls(
            tuple(ranking),
            (parsed.get("intent") or {}).get("name"),
            tuple(parsed.get("entities") or ()),
            float(said) if isinstance(said, int | float) else _in_scope(ranking),
        )

    @property
    def intent(self) -> str | None:
        """The first choice, also where the bot would ask; None where there is none."""
        return self.ranking[0][0] if self.ranking else None

    @property
    def confidence(self) -> float:
        """Of the first choice; 0 where there is none."""
        return self.ranking[0][1] if self.ranking else 0.0

    @property
    def acceptance(self) -> float:
        """The confidence in the surest intent that is not out_of_scope."""
        return next((sure for name, sure in self.ranking if name != OUT_OF_SCOPE), 0.0)


def _in_scope(ranking: list[tuple[str, float]]) -> float | None:
    """1 minus the confidence of out_of_scope, where that intent was learned and is listed."""
    return next((1 - sure for name, sure in ranking if name == OUT_OF_SCOPE), None)


def outcome(prediction: Prediction, truth: str) -> str:
    """What a customer would see: ``right``, ``asked`` ("did you mean") or ``wrong``.

    The one place that knows how a pipeline says that it would rather ask.
    """
    if prediction.decided == truth:
        return "right"
    # What is taken for foreign is asked about too: it may have been the customer's way of writing.
    return "asked" if prediction.decided in {FALLBACK, OUT_OF_SCOPE} else "wrong"


def is_answered(prediction: Prediction) -> bool:
    """Whether the bot acts on an intent, rather than to ask or to say that this is foreign."""
    return prediction.decided not in {FALLBACK, OUT_OF_SCOPE, None}
