"""The entity extractor as Rasa runs it: trained, stored, and answering in Rasa's form."""

from __future__ import annotations

import itertools
import re
import string
import time
from pathlib import Path
from typing import Any

import pytest
from rasa.engine.graph import ExecutionContext, GraphSchema
from rasa.engine.storage.local_model_storage import LocalModelStorage
from rasa.engine.storage.resource import Resource
from rasa.shared.exceptions import InvalidConfigException, RasaException
from rasa.shared.nlu.constants import ENTITIES, TEXT
from rasa.shared.nlu.training_data.formats.rasa_yaml import RasaYAMLReader
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from bot.nlu.entity_extractor import MOST_CHARACTERS, EntityExtractor

THINGS = """winter coat|jumper|blue lamp|trainers|leather bag|duvet cover|saucepan|scarf|skirt
mirror|rug|jeans|towels|cardigan|boots|curtains|mug|suitcase|dress|shirt|pillow|wallet|vase|hat"""
ASKS = (
    "how much is the [{}](product)",
    "do you have the [{}](product) in stock",
    "i want to return my [{}](product)",
    "the [{}](product) came broken",
    "is the [{}](product) in store",
)
OTHERS = (
    "where is my order",
    "how much is delivery",
    "i want to return something",
    "do you have a shop in town",
    "the parcel came late",
    "is my order in the post",
    "can i pay by card",
    "hello",
    "cancel my order please",
    "when do you open",
    "how long does delivery take",
    "the website is broken",
)


def _data(*examples: str, more: str = "") -> TrainingData:
    lines = "\n".join(f"    - {example}" for example in examples)
    text = f'version: "3.1"\nnlu:\n- intent: ask\n  examples: |\n{lines}\n{more}'
    data: TrainingData = RasaYAMLReader().reads(text)
    return data


PRODUCTS = [ask.format(thing) for thing in re.split(r"[|\n]", THINGS) for ask in ASKS]


def _place(folder: Path, **options: Any) -> tuple[Any, ...]:
    return (
        {**EntityExtractor.get_default_config(), **options},
        LocalModelStorage(folder),
        Resource("extractor"),
        ExecutionContext(GraphSchema({}), "test", node_name="extractor"),
    )


def _trained(folder: Path, data: TrainingData, **options: Any) -> EntityExtractor:
    folder.mkdir(exist_ok=True)
    place = _place(folder, **options)
    EntityExtractor.create(*place).train(data)
    return EntityExtractor.load(*place)


def _entities(extractor: EntityExtractor, text: str) -> list[dict[str, Any]]:
    (message,) = extractor.process([Message({TEXT: text})])
    found: list[dict[str, Any]] = message.as_dict_nlu().get(ENTITIES, [])
    return found


def _short(extractor: EntityExtractor, text: str) -> list[tuple[str, str]]:
    return [(e["entity"], e["value"]) for e in _entities(extractor, text)]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> EntityExtractor:
    lists = """
- lookup: branch
  examples: |
    - Covent Garden
    - Leeds
- regex: member
  examples: |
    - \\bM-\\d{3}\\b
- regex: greeting_words
  examples: |
    - hello|hi
"""
    members = ["i am [M-123](member)", "member [M-345](member) here"]
    folder = tmp_path_factory.mktemp("shop")
    return _trained(folder, _data(*PRODUCTS, *OTHERS, *members, more=lists))


def test_an_entity_has_rasas_form(shop: EntityExtractor) -> None:
    text = "ordr fd104233 to leeds"
    assert _entities(shop, text) == [
        {
            "entity": "order_number",
            "start": 5,
            "end": 13,
            "value": "fd104233",
            "extractor": "EntityExtractor",
        },
        {
            "entity": "branch",
            "start": 17,
            "end": 22,
            "value": "leeds",
            "extractor": "EntityExtractor",
        },
    ]


@pytest.mark.parametrize("thing", ["ottoman", "kettle", "trousers", "blouse", "gloves"])
@pytest.mark.parametrize("ask", ["how much is the {}", "MY {} CAME BROKEN", "do you have the {}?"])
def test_things_never_seen_in_training_are_recognised(
    shop: EntityExtractor, thing: str, ask: str
) -> None:
    text = ask.format(thing if ask.islower() else thing.upper())
    (found,) = _entities(shop, text)
    assert (found["entity"], found["value"].lower()) == ("product", thing)
    assert 0.5 < found["confidence_entity"] <= 1
    assert text[found["start"] : found["end"]] == found["value"]


@pytest.mark.parametrize("text", ["how much is delivery", "where is my order?", "👍", "hello", "…"])
def test_nothing_is_found_where_nothing_is(shop: EntityExtractor, text: str) -> None:
    assert _entities(shop, text) == []


def test_lists_of_the_training_data_are_honoured_as_in_rasa(shop: EntityExtractor) -> None:
    assert _short(shop, "near COVENT GARDEN?") == [("branch", "COVENT GARDEN")]
    assert "branch" not in dict(_short(shop, "covent gardens"))
    assert _short(shop, "its m-987") == [("member", "m-987")]
    greeting = dict(_short(shop, "hello hi"))
    assert "greeting_words" not in greeting, "a regex that names no entity only helps to classify"


def test_a_date_says_its_day(shop: EntityExtractor) -> None:
    (found,) = _entities(shop, "is leeds open on 24/12/2030")[1:]
    assert (found["value"], found["resolved"], found["grain"]) == (
        "24/12/2030",
        "2030-12-24",
        "day",
    )


def test_places_are_those_of_the_original_text(shop: EntityExtractor) -> None:
    text = "👍🏽\u200b FD\u201110\u200b4233 ❤️ COVENT\u00a0GARDEN"
    order, branch = _entities(shop, text)
    assert text[order["start"] : order["end"]] == "FD\u201110\u200b4233"
    assert order["value"] == "FD-104233"
    assert text[branch["start"] : branch["end"]] == "COVENT\u00a0GARDEN"


@pytest.mark.parametrize(
    "piece", ["a", "the coat ", "👍", "fd-104233 ", "\u200b", "12/03 ", "A\u0301"]
)
def test_a_long_message_takes_bounded_time(shop: EntityExtractor, piece: str) -> None:
    began = time.process_time()
    found = _entities(shop, (piece * 20_000)[:20_000])
    assert time.process_time() - began < 2.0
    assert all(e["end"] <= MOST_CHARACTERS for e in found)


def test_customers_words_do_not_fill_the_memory(shop: EntityExtractor) -> None:
    words = itertools.product(string.ascii_lowercase, repeat=4)
    sizes = []
    for _ in range(2):
        for letters in itertools.islice(words, 5_000):
            _entities(shop, f"q{''.join(letters)}")
        sizes.append(len(shop._nlp.vocab.strings))
    assert sizes[1] == sizes[0], "each new word stays in memory for ever"
    # What was known before the memory was full is still known.
    assert _short(shop, "where is FD-104233")[0][0] == "order_number"


def test_entities_of_other_extractors_stay(shop: EntityExtractor) -> None:
    other = {"entity": "mood", "start": 0, "end": 2, "value": "ok", "extractor": "Other"}
    (message,) = shop.process([Message({TEXT: "ok leeds", ENTITIES: [other]})])
    assert [e["entity"] for e in message.get(ENTITIES)] == ["mood", "branch"]


def test_messages_without_text_are_left_alone(shop: EntityExtractor) -> None:
    for text in ("", None):
        (message,) = shop.process([Message({TEXT: text})])
        assert message.get(ENTITIES) is None


def test_annotated_words_are_found_unless_they_mean_something_else(tmp_path: Path) -> None:
    data = _data("the [stool](product) is red", "a [watch](product)", "i watch tv", "watch out")
    extractor = _trained(tmp_path, data, train_recogniser=False)
    assert _short(extractor, "one stool please") == [("product", "stool")]
    assert _short(extractor, "watch this") == []


def test_roles_and_groups_are_learned(tmp_path: Path) -> None:
    swaps = [
        f'{verb} the [{old}]{{"entity": "size", "role": "old"}} for the '
        f'[{new}]{{"entity": "size", "role": "new", "group": "1"}}'
        for verb in ("swap", "change", "exchange", "please swap", "can you swap")
        for old, new in (("S", "M"), ("M", "L"), ("L", "S"), ("10", "12"), ("8", "6"), ("XL", "S"))
    ]
    extractor = _trained(tmp_path, _data(*swaps, *OTHERS), epochs=20)
    old, new = _entities(extractor, "exchange the L for the M")
    assert (old["value"], old["role"], old.get("group")) == ("L", "old", None)
    assert (new["value"], new["role"], new["group"]) == ("M", "new", "1")


def test_without_word_vectors_the_annotated_words_are_known(tmp_path: Path) -> None:
    extractor = _trained(tmp_path, _data(*PRODUCTS, *OTHERS), word_vectors=False, epochs=8)
    assert _short(extractor, "how much is the saucepan") == [("product", "saucepan")]


@pytest.mark.parametrize("examples", [["hello"], ["the [hat](product) please"]])
def test_hardly_any_annotation_is_enough(tmp_path: Path, examples: list[str]) -> None:
    extractor = _trained(tmp_path, _data(*examples))
    assert ("order_number", "FD-104233") in _short(extractor, "order FD-104233")


def test_annotations_that_do_not_fit_are_named_and_left_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    data = _data("a [hat](product) please")
    cut = {"entity": "product", "start": 4, "end": 7, "value": "car"}
    beyond = {"entity": "product", "start": 4, "end": 99, "value": "scarf"}
    for entity in (cut, beyond):
        message = Message({TEXT: f"the scarf {entity['end']}", "intent": "ask", ENTITIES: [entity]})
        data.training_examples.append(message)
    extractor = _trained(tmp_path, data)
    assert "'product' from 5 to 8" not in caplog.text
    assert "'product' from 4 to 99 in the training example 'the scarf 99'" in caplog.text
    assert _short(extractor, "the hat") == [("product", "hat")]


def test_the_same_data_gives_the_same_files(tmp_path: Path) -> None:
    stored = []
    for name in ("one", "two"):
        _trained(tmp_path / name, _data(*PRODUCTS[:40], *OTHERS))
        place = _place(tmp_path / name)
        with place[1].read_from(place[2]) as folder:
            stored.append({path.name: path.read_bytes() for path in folder.iterdir()})
    assert stored[0] == stored[1]
    assert all(not name.endswith((".pkl", ".pickle")) for name in stored[0])


def test_damaged_files_are_noticed(tmp_path: Path) -> None:
    _trained(tmp_path, _data(*PRODUCTS[:20]))
    place = _place(tmp_path)
    with place[1].read_from(place[2]) as folder:
        (folder / "recogniser.bin").write_bytes(b"broken")
    with pytest.raises(RasaException, match="frontdesk train"):
        EntityExtractor.load(*place)


def test_patterns_of_the_config_come_first(tmp_path: Path) -> None:
    own = {"member": r"M-\d{3}", "order_number": r"\bX\d{4}\b", "date": "", "colour": None}
    extractor = _trained(tmp_path, _data("hello"), patterns=own)
    text = "today member m-123 got the red one of X1234 not FD-104233"
    assert _short(extractor, text) == [("member", "m-123"), ("order_number", "X1234")]


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("language", "xx-none"),
        ("patterns", ["a"]),
        ("patterns", {"a": 1}),
        ("patterns", {"a": "("}),
        ("timezone", "Mars"),
        ("train_recogniser", "yes"),
        ("word_vectors", 3),
        ("word_vectors", "/nowhere"),
        ("epochs", 0),
        ("epochs", True),
        ("negatives", -1),
        ("threshold", 1.5),
        ("seed", "x"),
    ],
)
def test_wrong_options_are_explained(tmp_path: Path, option: str, value: Any) -> None:
    with pytest.raises(InvalidConfigException) as caught:
        _trained(tmp_path, _data("a [hat](product)"), **{option: value})
    assert "config.yml" in str(caught.value)


def test_a_lookup_tables_file_that_is_missing_is_named(tmp_path: Path) -> None:
    data = _data("hello")
    data.lookup_tables.append({"name": "branch", "elements": "/nowhere/branches.txt"})
    with pytest.raises(InvalidConfigException, match="'branch' names the file /nowhere"):
        _trained(tmp_path, data)
