"""The assistant's data: large and varied enough, and never tested on what it was trained on."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import yaml
from rasa.shared.nlu.training_data.loading import load_data
from rasa.shared.nlu.training_data.training_data import TrainingData

from tests.process import ROOT

DATA, HERE = ROOT / "data", Path(__file__).parent


def examples(data: TrainingData) -> list[tuple[str, str]]:
    """Intent and text of each example."""
    return [(m.get("intent"), m.get("text")) for m in data.intent_examples]


def steps(folder: Path, key: str) -> int:
    files = folder.rglob("*.yml")
    return sum(len((yaml.safe_load(f.read_text()) or {}).get(key) or []) for f in files)


def test_there_are_forty_intents_with_twenty_examples_each() -> None:
    counts = Counter(intent for intent, _ in examples(load_data(str(DATA / "nlu"))))
    assert len(counts) >= 40
    assert {i: n for i, n in counts.items() if n < 20} == {}


def test_there_are_sixty_stories_and_rules() -> None:
    assert steps(DATA / "rules", "rules") + steps(DATA / "stories", "stories") >= 60


def test_every_intent_has_eight_messages_that_training_never_sees() -> None:
    trained = examples(load_data(str(DATA / "nlu")))
    kept = examples(load_data(str(HERE / "held_out")))
    counts = Counter(intent for intent, _ in kept)
    assert {i for i, _ in trained} - {i for i, n in counts.items() if n >= 8} == set()
    assert {text.casefold() for _, text in trained} & {text.casefold() for _, text in kept} == set()


def test_two_hundred_messages_should_not_be_answered() -> None:
    strange = {text for _, text in examples(load_data(str(HERE / "out_of_scope.yml")))}
    trained = {text for _, text in examples(load_data(str(DATA / "nlu")))}
    assert len(strange) >= 200
    assert strange & trained == set()


def test_no_example_has_two_intents() -> None:
    owners: dict[str, set[str]] = {}
    for intent, text in examples(load_data(str(DATA / "nlu"))):
        owners.setdefault(text.casefold(), set()).add(intent)
    assert {text: intents for text, intents in owners.items() if len(intents) > 1} == {}


def test_there_are_forty_conversation_tests() -> None:
    assert steps(ROOT / "tests" / "conversations", "stories") >= 40
