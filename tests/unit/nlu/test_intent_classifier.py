"""The intent classifier: right where it should be, unsure where it should be, and stored whole."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from rasa.engine.graph import ExecutionContext, GraphSchema
from rasa.engine.storage.local_model_storage import LocalModelStorage
from rasa.engine.storage.resource import Resource
from rasa.shared.exceptions import InvalidConfigException, RasaException
from rasa.shared.nlu.constants import FEATURE_TYPE_SENTENCE, INTENT, TEXT
from rasa.shared.nlu.training_data.features import Features
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from bot.nlu.intent_classifier import IntentClassifier
from bot.nlu.intent_model import OUT_OF_SCOPE
from bot.nlu.intent_training import Options, fit
from bot.nlu.text_features import TextFeatures

WIDTH = 24
WORDS = {"status": "order parcel", "hours": "open close", "return": "back refund"}


def _message(text: str, vector: npt.NDArray[Any] | None, intent: str | None = None) -> Message:
    message = Message({TEXT: text, "intent": intent} if intent else {TEXT: text})
    if vector is not None:
        features = Features(vector[np.newaxis], FEATURE_TYPE_SENTENCE, TEXT, "test")
        message.add_features(features)
    return message


def _cloud(intents: Collection[str], each: int, seed: int, noise: float = 0.5) -> list[Message]:
    """Messages around one direction for each intent; equal names have equal directions."""
    random = np.random.default_rng(seed)
    messages = []
    for name in intents:
        centre = np.random.default_rng(sum(map(ord, name))).normal(size=WIDTH)
        for number in range(each):
            vector = centre / np.linalg.norm(centre) + noise * random.normal(size=WIDTH) / 5
            words = WORDS.get(name, name).split()
            text = f"{words[number % len(words)]} {random.integers(99)}"
            vector = (vector / np.linalg.norm(vector)).astype(np.float32)
            messages.append(_message(text, vector, name))
    return messages


def _place(folder: Path, **options: Any) -> tuple[Any, ...]:
    return (
        {**IntentClassifier.get_default_config(), **options},
        LocalModelStorage(folder),
        Resource("classifier"),
        ExecutionContext(GraphSchema({}), "test", node_name="classifier"),
    )


def _trained(folder: Path, messages: list[Message], **options: Any) -> IntentClassifier:
    place = _place(folder, **options)
    IntentClassifier.create(*place).train(TrainingData(messages))
    return IntentClassifier.load(*place)


def _asked(classifier: IntentClassifier, messages: list[Message]) -> list[dict[str, Any]]:
    blank = []
    for message in messages:
        _, features = message.get_dense_features(TEXT)
        blank.append(_message(message.get(TEXT), features.features[0] if features else None))
    return [message.as_dict_nlu() for message in classifier.process(blank)]


def test_ranking_has_rasas_form(tmp_path: Path) -> None:
    names = [f"intent_{letter}" for letter in "abcdefghijklmn"]
    classifier = _trained(tmp_path, _cloud(names, 8, seed=1))
    test = _cloud(names, 3, seed=2)
    answers = _asked(classifier, test)
    for answer in answers:
        ranking = answer["intent_ranking"]
        confidences = [entry["confidence"] for entry in ranking]
        assert len(ranking) == 10
        assert answer["intent"] == ranking[0]
        assert confidences == sorted(confidences, reverse=True)
        assert all(type(c) is float and 0 <= c <= 1 for c in confidences)
        assert sum(confidences) <= 1 + 1e-5
    right = [a["intent"]["name"] == m.get("intent") for a, m in zip(answers, test, strict=True)]
    assert np.mean(right) > 0.9


def test_unknown_messages_are_told_from_known_ones(tmp_path: Path) -> None:
    known = [f"intent_{letter}" for letter in "abcdefghij"]
    foreign = _cloud([f"topic {i}" for i in range(40)], 1, seed=3)
    for message in foreign:
        message.set("intent", OUT_OF_SCOPE)
    without = _trained(tmp_path, _cloud(known, 12, seed=1))
    (tmp_path / "with").mkdir()
    taught = _trained(tmp_path / "with", _cloud(known, 12, seed=1) + foreign)
    strangers = _cloud([f"elsewhere {i}" for i in range(40)], 1, seed=4)

    mine = [a["intent"]["confidence"] for a in _asked(without, _cloud(known, 4, seed=5))]
    theirs = [a["intent"]["confidence"] for a in _asked(without, strangers)]
    assert np.mean(mine) > np.mean(theirs) + 0.3

    mine_now = [a["intent"]["name"] for a in _asked(taught, _cloud(known, 4, seed=5))]
    theirs_now = [a["intent"]["name"] for a in _asked(taught, strangers)]
    assert np.mean([name == OUT_OF_SCOPE for name in theirs_now]) > 0.8
    assert np.mean([name == OUT_OF_SCOPE for name in mine_now]) < 0.1


def test_confidence_says_how_often_it_is_right() -> None:
    names = [f"intent_{letter}" for letter in "abcdefgh"]
    train, test = (_cloud(names, 30, seed=seed, noise=2.2) for seed in (1, 2))
    model = fit(*_numbers(train), Options())
    vectors, texts, labels = _numbers(test)
    shuffled = [" ".join(reversed(text)) for text in texts]  # the words give nothing away
    confidence = model.predict(vectors, shuffled)
    right = np.array(model.intents)[confidence.argmax(axis=1)] == labels
    assert 0.3 < right.mean() < 0.97, "too easy or too hard to say anything"
    assert confidence.max(axis=1).mean() == pytest.approx(right.mean(), abs=0.2)


def _numbers(messages: list[Message]) -> tuple[npt.NDArray[Any], list[str], list[str]]:
    vectors = np.array([m.get_dense_features(TEXT)[1].features[0] for m in messages])
    return vectors, [m.get(TEXT) for m in messages], [m.get("intent") for m in messages]


def test_same_examples_give_the_same_model() -> None:
    data = _numbers(_cloud(WORDS, 10, seed=1))
    first, second = (fit(*data, Options()) for _ in range(2))
    assert first.facts() == second.facts()
    for name, values in first.arrays().items():
        assert np.array_equal(values, second.arrays()[name]), name


@pytest.mark.parametrize(
    ("intents", "each"),
    [(["hours"], 1), (["hours"], 9), (["hours", "status"], 1), (["hours", "status"], 30)],
)
def test_little_data_is_enough(tmp_path: Path, intents: list[str], each: int) -> None:
    messages = _cloud(intents, each, seed=1, noise=0.1)
    answers = _asked(_trained(tmp_path, messages), messages)
    assert [a["intent"]["name"] for a in answers] == [m.get("intent") for m in messages]


def test_two_examples_an_intent(tmp_path: Path) -> None:
    names = [f"intent_{letter}" for letter in "abcdefghijklmnopqrst"]
    messages = _cloud(names, 2, seed=1, noise=0.1) + _cloud(["alone"], 1, seed=1)
    answers = _asked(_trained(tmp_path, messages), messages)
    assert [a["intent"]["name"] for a in answers] == [m.get("intent") for m in messages]


def test_out_of_scope_alone_and_with_few_examples(tmp_path: Path) -> None:
    messages = _cloud([OUT_OF_SCOPE], 12, seed=1)
    assert _asked(_trained(tmp_path, messages), messages)[0]["intent"]["name"] == OUT_OF_SCOPE
    (tmp_path / "few").mkdir()
    messages = _cloud(["hours", "status", OUT_OF_SCOPE], 9, seed=1, noise=0.1)
    answers = _asked(_trained(tmp_path / "few", messages), messages)
    assert [a["intent"]["name"] for a in answers] == [m.get("intent") for m in messages]


def test_empty_text_and_no_examples_give_no_intent(tmp_path: Path) -> None:
    classifier = _trained(tmp_path, _cloud(WORDS, 5, seed=1))
    nothing = {"name": None, "confidence": 0.0}
    for text in ("", "  \n"):
        answer = _asked(classifier, [_message(text, None)])[0]
        assert (answer["intent"], answer["intent_ranking"]) == (nothing, [])
    (tmp_path / "empty").mkdir()
    untaught = _trained(tmp_path / "empty", [])
    assert _asked(untaught, _cloud(["hours"], 1, seed=1))[0]["intent"] == nothing


def test_stored_files_hold_no_code_and_damage_is_noticed(tmp_path: Path) -> None:
    _trained(tmp_path, _cloud(WORDS, 5, seed=1))
    place = _place(tmp_path)
    with place[1].read_from(place[2]) as folder:
        assert sorted(path.name for path in folder.iterdir()) == ["intents.json", "intents.npz"]
        (folder / "intents.npz").write_bytes(b"broken")
    with pytest.raises(RasaException, match="frontdesk train"):
        IntentClassifier.load(*place)


def test_five_hundred_intents(tmp_path: Path) -> None:
    names = [chr(ord("一") + number) for number in range(500)]
    messages = _cloud(names, 2, seed=1, noise=0.05)
    answers = _asked(_trained(tmp_path, messages), messages)
    right = [a["intent"]["name"] == m.get("intent") for a, m in zip(answers, messages, strict=True)]
    assert np.mean(right) > 0.9


def test_an_example_of_two_intents_is_reported(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    messages = _cloud(["hours", "status"], 5, seed=1)
    vector = np.ones(WIDTH, np.float32)
    both = [_message("Any  news", vector, "hours"), _message("any news", vector, "status")]
    _trained(tmp_path, messages + both)
    assert "'any news' in hours and status" in caplog.text


def test_an_intents_name_counts_as_an_example(tmp_path: Path) -> None:
    towards = np.eye(WIDTH, dtype=np.float32)
    messages = [
        _message(f"{word} {number}", towards[number], intent)
        for intent, word, start in (("gift_wrap", "ribbon", 0), ("price", "cost", 4))
        for number in range(start, start + 4)
    ]
    asked = _message("can i have gift wrap", towards[10])
    unnamed = _trained(tmp_path, messages).process([asked])[0].as_dict_nlu()["intent"]
    for message in messages:
        own = towards[10 if message.get("intent") == "gift_wrap" else 11]
        message.add_features(Features(own[np.newaxis], FEATURE_TYPE_SENTENCE, INTENT, "test"))
    (tmp_path / "named").mkdir()
    named = _trained(tmp_path / "named", messages).process([asked])[0].as_dict_nlu()["intent"]
    assert named["name"] == "gift_wrap"
    assert named["confidence"] > max(0.7, unnamed["confidence"])


def test_wrong_order_width_and_options_are_explained(tmp_path: Path) -> None:
    classifier = _trained(tmp_path, _cloud(WORDS, 5, seed=1))
    with pytest.raises(InvalidConfigException, match="SentenceEncoder"):
        classifier.process([_message("hello", None)])
    with pytest.raises(InvalidConfigException, match="encoder has changed"):
        classifier.process([_message("hello", np.ones(3, np.float32))])
    for options in ({"out_of_scope_share": 1.5}, {"regularisation": [0]}):
        with pytest.raises(InvalidConfigException, match=next(iter(options))):
            IntentClassifier.create(*_place(tmp_path, **options))


def test_text_features_know_words_letters_emoji_and_numbers_of_digits() -> None:
    features, _ = TextFeatures.fit(["Where's order 104233? 👍", "where's order 99 👍 parcel"])
    names = set(features.names.decode().split("\n"))
    assert {"where's", "order", "where's order", "👍", "\tord"} <= names
    assert {"000000", "parcel"} & names == set(), "they stand in one text only"
    rows = features.transform(["ORDER", "", "order order " * 10_000])
    assert rows.shape == (3, len(names))
    assert rows[1].nnz == 0
    assert (rows[0].multiply(rows[0]).sum(), rows[2].nnz > 0) == (pytest.approx(2), True)
