"""How examples are cut into parts, and what each part's training gets."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from rasa.shared.nlu.training_data.loading import load_data

from bot.core.errors import ConfigurationError
from bot.evaluation.assistant import Labelled, _fold, _messages, _training_data, plain, split

DATA = """
version: "3.1"
nlu:
- intent: status
  examples: |
    - where is my [parcel](thing)
    - any news of my [package]{"entity": "thing", "value": "parcel"}
    - has it been sent
- synonym: parcel
  examples: |
    - box
- lookup: thing
  examples: |
    - crate
"""


def test_every_intent_is_spread_over_the_parts() -> None:
    examples = [Labelled(f"{intent} {i}", intent) for intent in "ab" for i in range(10)]
    parts = split(examples, 5)
    assert sorted(index for part in parts for index in part) == list(range(20))
    for part in parts:
        assert Counter(examples[i].intent for i in part) == {"a": 2, "b": 2}
    assert parts == split(examples, 5)


def test_equal_texts_are_in_one_part_and_what_is_alone_in_none() -> None:
    texts = ["Where is it?", "where is  it", "b", "c", "d"]
    examples = [*(Labelled(text, "status") for text in texts), Labelled("hm", "alone")]
    parts = split(examples, 4)
    assert [0, 1] in [part[:2] for part in parts]
    assert 5 not in [index for part in parts for index in part]


def test_more_parts_than_examples() -> None:
    assert sorted(split([Labelled("a", "x"), Labelled("b", "x")], 5)) == [[0], [1]]


def test_nothing_to_ask() -> None:
    with pytest.raises(ConfigurationError, match="two different examples"):
        split([Labelled("a", "x"), Labelled("A!", "x"), Labelled("b", "y")], 5)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Where is it?", "where  is it", True),
        ("don’t", "don't", True),
        ("👍", "👎", False),
        ("???", "!!!", False),
        ("FD-104233", "FD-104234", False),
    ],
)
def test_what_counts_as_the_same_text(one: str, other: str, same: bool) -> None:
    assert (plain(one) == plain(other)) is same


def test_a_part_is_left_out_of_training_and_the_rest_stays_whole(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "nlu.yml").write_text(DATA)
    (tmp_path / "config.yml").write_text("recipe: default.v1\nlanguage: en\n")
    data = _training_data(tmp_path)
    run = _fold(tmp_path, data, 0, [1])
    assert run.messages == ["any news of my package"]
    trained = load_data(str(run.train))
    assert [m.get("text") for m in trained.intent_examples] == [
        "where is my parcel",
        "has it been sent",
    ]
    assert trained.intent_examples[0].get("entities")[0]["entity"] == "thing"
    assert trained.entity_synonyms["box"] == "parcel"
    assert trained.lookup_tables == [{"name": "thing", "elements": ["crate"]}]


def test_test_messages_must_be_there(tmp_path: Path) -> None:
    assert _messages(None) == []
    with pytest.raises(ConfigurationError, match="is not there"):
        _messages(tmp_path / "none.yml")
    empty = tmp_path / "empty.yml"
    empty.write_text('version: "3.1"\nnlu: []\n')
    with pytest.raises(ConfigurationError, match="no messages"):
        _messages(empty)
