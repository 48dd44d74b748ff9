"""The normaliser in a pipeline: trained, stored, and seen by nobody but those who understand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from rasa.engine.graph import ExecutionContext, GraphSchema
from rasa.engine.storage.local_model_storage import LocalModelStorage
from rasa.engine.storage.resource import Resource
from rasa.shared.exceptions import InvalidConfigException, RasaException
from rasa.shared.nlu.constants import TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from bot.nlu.encoder import SentenceEncoder
from bot.nlu.normalizer import MessageNormalizer
from bot.nlu.reading import NORMALIZED, lookup_elements, readable_text


def _place(folder: Path, **options: Any) -> tuple[Any, ...]:
    return (
        {**MessageNormalizer.get_default_config(), **options},
        LocalModelStorage(folder),
        Resource("normalizer"),
        ExecutionContext(GraphSchema({}), "test", node_name="normalizer"),
    )


def _data() -> TrainingData:
    texts = ["where is my parka", "is the parka warm", "my prka came", "👍"]
    return TrainingData(
        [Message({TEXT: text, "intent": "ask"}) for text in texts],
        entity_synonyms={"anorak": "parka"},
        lookup_tables=[{"name": "product", "elements": ["cagoule"]}],
    )


def _read(component: MessageNormalizer, *texts: str) -> list[str]:
    return [readable_text(m) for m in component.process([Message({TEXT: t}) for t in texts])]


def test_trained_words_are_kept_and_examples_are_read_alike(tmp_path: Path) -> None:
    place, data = _place(tmp_path), _data()
    MessageNormalizer.create(*place).train(data)
    loaded = MessageNormalizer.load(*place)
    examples = loaded.process_training_data(data).training_examples
    assert [m.get(NORMALIZED) for m in examples][2:] == ["my parka came", "yes"]
    assert [m.get(TEXT) for m in examples][2:] == ["my prka came", "👍"], "as they were"
    assert _read(loaded, "my prka came", "anorka, cagolue", "soooo") == [
        "my parka came",
        "anorak, cagoule",
        "so",
    ]


def test_the_tracker_does_not_see_what_was_made_of_a_text(tmp_path: Path) -> None:
    place = _place(tmp_path)
    MessageNormalizer.create(*place).train(_data())
    message = Message({TEXT: "my prka 👍"})
    MessageNormalizer.load(*place).process([message])
    assert message.as_dict(only_output_properties=True) == {TEXT: "my prka 👍"}


def test_nothing_to_see_is_no_text() -> None:
    assert readable_text(Message({TEXT: " hi "})) == "hi"
    assert readable_text(Message({TEXT: "\u200b", NORMALIZED: ""})) == ""
    assert readable_text(Message({"intent": "hi"})) == ""


def test_options_change_what_is_read(tmp_path: Path) -> None:
    options: dict[str, Any]
    for options, read in (
        ({"spelling": False}, "prka so yes"),
        ({"language": "de"}, "prka soo yes"),
        ({"emoji": {"👍🏽": "count me in", "🫎": "moose"}}, "parka so count me in"),
    ):
        component = MessageNormalizer.create(*_place(tmp_path, **options))
        component.train(_data())
        assert _read(component, "prka soooo 👍") == [read]


@pytest.mark.parametrize(
    ("options", "part"),
    [
        ({"spelling": "yes"}, "spelling is 'yes'"),
        ({"language": None}, "language is None"),
        ({"emoji": ["👍"]}, "emoji is"),
        ({"emoji": {"thumb": "yes"}}, "'thumb' under emoji"),
        ({"emoji": {"👍": ""}}, "👍 means ''"),
        ({"emoji": {"👍": "🎉"}}, "👍 means '🎉'"),
        ({"emoji": {"👍": True}}, "👍 means True"),
    ],
)
def test_wrong_options_are_explained(tmp_path: Path, options: dict[str, Any], part: str) -> None:
    with pytest.raises(InvalidConfigException, match=f"MessageNormalizer in config.yml.*{part}"):
        MessageNormalizer.create(*_place(tmp_path, **options))


def test_a_broken_model_and_a_wrong_order_are_explained(tmp_path: Path) -> None:
    place = _place(tmp_path)
    component = MessageNormalizer.create(*place)
    component.train(_data())
    with place[1].write_to(place[2]) as folder:
        (folder / "vocabulary.json").write_text("{")
    with pytest.raises(RasaException, match="frontdesk train"):
        MessageNormalizer.load(*place)
    late = Message({TEXT: "hi"}, features=[object()])
    with pytest.raises(InvalidConfigException, match="first in the pipeline"):
        component.process([late])


def test_lookup_tables_may_be_files(tmp_path: Path) -> None:
    (tmp_path / "table.txt").write_text("tote bag\n\n parka \n", encoding="utf-8")
    assert lookup_elements({"elements": str(tmp_path / "table.txt")}) == ["tote bag", "parka"]


def test_the_encoder_reads_what_the_normalizer_made(tmp_path: Path) -> None:
    place = _place(tmp_path)
    encoder = SentenceEncoder.create(SentenceEncoder.get_default_config(), *place[1:])
    typed, read, alone = (
        Message({TEXT: "wher 👍", NORMALIZED: "where yes"}),
        Message({TEXT: "where yes"}),
        Message({TEXT: "where 👍"}),
    )
    encoder.process([typed, read, alone])
    vectors = [m.get_dense_features(TEXT)[1].features.tolist() for m in (typed, read, alone)]
    assert vectors[0] == vectors[1]
    assert vectors[2] == vectors[1], "an assistant without MessageNormalizer reads emoji too"
