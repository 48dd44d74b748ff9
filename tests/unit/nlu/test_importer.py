"""The importer: it reads what Rasa's reads, checks what is new, and examples stay themselves."""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
import pytest
from rasa.nlu.tokenizers.tokenizer import Token
from rasa.shared.exceptions import YamlException
from rasa.shared.importers.importer import TrainingDataImporter
from rasa.shared.importers.rasa import RasaFileImporter
from rasa.shared.nlu.training_data.features import Features
from rasa.shared.nlu.training_data.message import Message

from bot.nlu import importer
from bot.nlu.example import Example
from bot.nlu.importer import FileImporter

_NLU = """
version: "3.1"
nlu:
- intent: order_status
  examples: |
    - where is my [parcel](product)
    - where is my parcel 📦
    - where is my parcel 📦
- synonym: parcel
  examples: |
    - package
- lookup: product
  examples: |
    - sofa
- regex: order_number
  examples: |
    - \\d{6}
"""
_STORIES = """
version: "3.1"
stories:
- story: one
  steps:
  - intent: order_status
  - action: utter_status
"""
_DOMAIN = """
version: "3.1"
intents: [order_status]
entities: [product]
responses:
  utter_status:
  - text: It is on its way.
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An assistant's files, and a cache of their own."""
    monkeypatch.setenv("FRONTDESK_CACHE_DIR", str(tmp_path / "cache"))
    importer.forget()
    (tmp_path / "data").mkdir()
    (tmp_path / "config.yml").write_text("importers:\n- name: bot.nlu.importer.FileImporter\n")
    (tmp_path / "domain.yml").write_text(_DOMAIN)
    (tmp_path / "data" / "nlu.yml").write_text(_NLU, encoding="utf-8")
    (tmp_path / "data" / "stories.yml").write_text(_STORIES)
    return tmp_path


def _places(project: Path) -> tuple[str, str, list[str]]:
    return str(project / "config.yml"), str(project / "domain.yml"), [str(project / "data")]


def test_it_reads_what_rasas_importer_reads(project: Path) -> None:
    for _ in range(2):  # the second time, nothing is checked
        ours, rasas = FileImporter(*_places(project)), RasaFileImporter(*_places(project))
        found, right = ours.get_nlu_data(), rasas.get_nlu_data()
        assert [m.data for m in found.training_examples] == [
            m.data for m in right.training_examples
        ]
        assert found.entity_synonyms == right.entity_synonyms == {"package": "parcel"}
        assert found.lookup_tables == right.lookup_tables
        assert found.regex_features == right.regex_features
        assert ours.get_domain().fingerprint() == rasas.get_domain().fingerprint()
        assert ours.get_stories().fingerprint() == rasas.get_stories().fingerprint()
        importer.forget()


def test_what_config_names_is_used_and_keeps_its_examples(project: Path) -> None:
    combined = TrainingDataImporter.load_from_config(*_places(project))
    examples = combined.get_nlu_data().nlu_examples
    assert len(examples) == 2
    assert all(type(example) is Example for example in examples)


def test_a_changed_file_is_read_again(project: Path) -> None:
    before = FileImporter(*_places(project)).get_nlu_data()
    nlu = project / "data" / "nlu.yml"
    nlu.write_text(_NLU.replace("📦\n", "please\n", 1), encoding="utf-8")
    after = FileImporter(*_places(project)).get_nlu_data()
    assert (len(before.training_examples), len(after.training_examples)) == (2, 3)


def test_a_wrong_file_is_an_error_each_time(project: Path) -> None:
    wrong = _NLU.replace("intent: order_status", "intent: [order_status]")
    (project / "data" / "nlu.yml").write_text(wrong, encoding="utf-8")
    for _ in range(2):
        with pytest.raises(YamlException):
            FileImporter(*_places(project)).get_nlu_data()


def test_without_a_cache_everything_is_checked(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "file").write_text("in the way of a folder")
    monkeypatch.setenv("FRONTDESK_CACHE_DIR", str(project / "file" / "cache"))
    assert len(FileImporter(*_places(project)).get_nlu_data().training_examples) == 2


def test_a_copy_of_an_example_stands_alone() -> None:
    entities = [{"entity": "product", "value": "sofa", "start": 0, "end": 4}]
    example = Example.of(Message.build("sofa please", "buy", entities))
    other = copy.deepcopy(example)
    assert other == example
    assert hash(other) == hash(example)
    other.get("entities")[0]["value"] = "chair"
    other.set("text", "chair please")
    assert example.get("entities")[0]["value"] == "sofa"
    assert (other == example, example.get("text")) == (False, "sofa please")


def test_every_change_of_an_example_shows() -> None:
    example = Example(data={"text": "sofa please", "intent": "buy"})
    known = [example.fingerprint()]
    example.set("intent", "buy")
    assert example.fingerprint() == known[0]
    example.set("text_tokens", [Token("sofa", 0), Token("please", 5)])
    known.append(example.fingerprint())
    example.set("text_tokens", [Token("sofa", 0), Token("please", 6)])
    known.append(example.fingerprint())
    for value in (1.0, 2.0):
        example.add_features(Features(np.full((1, 3), value), "sentence", "text", "encoder"))
        known.append(example.fingerprint())
    assert len(set(known)) == 5
