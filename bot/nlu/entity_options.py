"""The options of the entity extractor, checked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any
from zoneinfo import available_timezones

from rasa.shared.exceptions import InvalidConfigException

from bot.nlu.entity_recogniser import Options


@dataclass(frozen=True)
class Settings:
    """What `EntityExtractor` lets one choose; see there."""

    language: str = "en"
    patterns: dict[str, str] = field(default_factory=dict)
    timezone: str | None = None
    train_recogniser: bool = True
    word_vectors: bool | str = True
    recogniser: Options = field(default_factory=Options)

    @staticmethod
    def defaults() -> dict[str, Any]:
        """The options and their defaults, as Rasa wants them."""
        options = Options()
        return {
            "language": "en",
            "patterns": {},
            "timezone": None,
            "train_recogniser": True,
            "word_vectors": True,
            "epochs": options.epochs,
            "negatives": options.negatives,
            "threshold": options.threshold,
            "seed": options.seed,
        }

    @classmethod
    def of(cls, config: dict[str, Any]) -> Settings:
        """Reads the options.

        Raises:
            InvalidConfigException: One is wrong; names it, its value and what it may be.
        """
        for key, (is_right, wanted) in _CHECKS.items():
            if not is_right(config[key]):
                raise InvalidConfigException(
                    f"EntityExtractor in config.yml: {key} is {config[key]!r}. Give {wanted}."
                )
        return cls(
            language=config["language"],
            patterns={k: v or "" for k, v in (config["patterns"] or {}).items()},
            timezone=config["timezone"],
            train_recogniser=config["train_recogniser"],
            word_vectors=config["word_vectors"],
            recogniser=Options(
                config["epochs"], config["negatives"], config["threshold"], config["seed"]
            ),
        )


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_language(value: Any) -> bool:
    return (
        isinstance(value, str) and value.isidentifier() and bool(find_spec(f"spacy.lang.{value}"))
    )


def _are_patterns(value: Any) -> bool:
    return value is None or (
        isinstance(value, dict)
        and all(isinstance(k, str) and (v is None or isinstance(v, str)) for k, v in value.items())
    )


_CHECKS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "language": (_is_language, "a language code of spaCy, e.g. en or de"),
    "patterns": (_are_patterns, "regular expressions by entity, each in quotes"),
    "timezone": (
        lambda value: value is None or value in available_timezones(),
        "a time zone's name, e.g. Europe/London, or leave it out",
    ),
    "train_recogniser": (lambda value: isinstance(value, bool), "true or false"),
    "word_vectors": (
        lambda value: isinstance(value, bool | str),
        "true, false or the folder of a BERT encoder",
    ),
    "epochs": (lambda value: _is_whole(value) and value > 0, "a whole number above 0"),
    "negatives": (lambda value: _is_number(value) and value >= 0, "a number from 0"),
    "threshold": (lambda value: _is_number(value) and 0 <= value <= 1, "a number from 0 to 1"),
    "seed": (lambda value: _is_whole(value) and value >= 0, "a whole number from 0"),
}
