"""What stock Rasa is given: its own default configuration, our domain and data."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import yaml

from bot.benchmarking.stock import environment
from bot.benchmarking.stock.environment import ENVIRONMENT, Environment, variables
from bot.benchmarking.stock.model import default_config, digest, trained
from bot.benchmarking.stock.server import write_files
from bot.core.errors import ConfigurationError, ModelError
from bot.model_files import Project
from tests.process import ROOT


def test_the_configuration_is_rasas_own_but_for_the_epochs() -> None:
    config = default_config(3)
    assert [c["name"] for c in config["pipeline"]] == [
        "WhitespaceTokenizer", "RegexFeaturizer", "LexicalSyntacticFeaturizer",
        "CountVectorsFeaturizer", "CountVectorsFeaturizer", "DIETClassifier",
        "EntitySynonymMapper", "ResponseSelector", "FallbackClassifier",
    ]  # fmt: skip
    policies = {p["name"]: p for p in config["policies"]}
    assert list(policies) == [
        "MemoizationPolicy", "RulePolicy", "UnexpecTEDIntentPolicy", "TEDPolicy"
    ]  # fmt: skip
    learners = [c for c in (*config["pipeline"], *config["policies"]) if "epochs" in c]
    assert [c["epochs"] for c in learners] == [3] * 4
    assert config["assistant_id"] != "placeholder_default"
    assert "bot." not in yaml.safe_dump(config)


def test_our_domain_and_data_name_no_component_of_ours() -> None:
    for path in (ROOT / "domain.yml", *(ROOT / "data").rglob("*.yml")):
        assert "bot.nlu" not in path.read_text("utf-8")
        assert "bot.dialogue" not in path.read_text("utf-8")


def test_a_model_is_told_by_what_it_is_made_of(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "domain.yml").write_text("version: '3.1'\n")
    (tmp_path / "config.yml").write_text("ours: true\n")
    project = Project(tmp_path, tmp_path / "state")
    first = digest(project, default_config(5), "3.6.21")
    assert digest(project, default_config(5), "3.6.21") == first
    assert digest(project, default_config(6), "3.6.21") != first
    assert digest(project, default_config(5), "3.6.20") != first
    (tmp_path / "config.yml").write_text("ours: false\n")
    assert digest(project, default_config(5), "3.6.21") == first
    (tmp_path / "data" / "nlu.yml").write_text("version: '3.1'\n")
    assert digest(project, default_config(5), "3.6.21") != first


def _installed(folder: Path, rasa: str = "exit 1") -> Environment:
    """An environment whose `rasa` is this shell command."""
    command = folder / "bin" / "rasa"
    command.parent.mkdir(parents=True)
    command.write_text(f"#!/bin/sh\n{rasa}\n")
    command.chmod(0o755)
    return Environment(folder, {"rasa": "3.6.21"})


def test_it_is_trained_once(tmp_path: Path) -> None:
    (tmp_path / "domain.yml").write_text("version: '3.1'\n")
    project = Project(tmp_path, tmp_path / "state")
    counting = f"echo trained >> {tmp_path}/count; mkdir models; for last; do :; done"
    stock = _installed(tmp_path / "venv", f'{counting}; echo model > "models/$last"')
    model = trained(project, stock, 5)
    assert model.read_text() == "model\n"
    assert trained(project, stock, 5) == model
    assert (tmp_path / "count").read_text() == "trained\n"
    assert trained(project, stock, 6) != model


def test_a_training_that_fails_says_why(tmp_path: Path) -> None:
    (tmp_path / "domain.yml").write_text("version: '3.1'\n")
    stock = _installed(tmp_path / "venv", "echo 'no such intent'; exit 1")
    with pytest.raises(ModelError, match="no such intent"):
        trained(Project(tmp_path, tmp_path / "state"), stock, 5)
    assert list((tmp_path / "state" / "stock-rasa").iterdir()) == []


def test_the_files_of_rasa_run(tmp_path: Path) -> None:
    write_files(tmp_path, 5055)
    endpoints = yaml.safe_load((tmp_path / "endpoints.yml").read_text())
    assert endpoints["action_endpoint"] == {"url": "http://127.0.0.1:5055/webhook"}
    assert endpoints["tracker_store"]["type"] == "SQL"
    assert endpoints["tracker_store"]["db"] == str(tmp_path / "rasa.db")
    assert yaml.safe_load((tmp_path / "credentials.yml").read_text()) == {"rest": None}


class TestEnvironment:
    @pytest.fixture(autouse=True)
    def elsewhere(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setattr(environment, "_CODE", tmp_path / "elsewhere")
        monkeypatch.chdir(tmp_path)

    def _python(self, folder: Path, command: str) -> None:
        python = folder / ENVIRONMENT / "bin" / "python"
        python.parent.mkdir(parents=True)
        python.write_text(f"#!/bin/sh\n{command}\n")
        python.chmod(0o755)

    def test_where_it_is_missing_the_command_that_makes_it_is_named(self) -> None:
        with pytest.raises(ConfigurationError, match="make stock-rasa"):
            Environment.find()

    def test_it_knows_its_versions(self, tmp_path: Path) -> None:
        self._python(tmp_path, """echo '{"rasa": "3.6.21"}'""")
        found = Environment.find()
        assert found.versions == {"rasa": "3.6.21"}
        assert found.rasa == str(tmp_path / ENVIRONMENT / "bin" / "rasa")

    def test_a_broken_one_says_what_is_wrong(self, tmp_path: Path) -> None:
        self._python(tmp_path, "echo 'No package metadata was found for rasa' >&2; exit 1")
        with pytest.raises(ConfigurationError, match=r"found for rasa.*make stock-rasa"):
            Environment.find()

    def test_nothing_of_our_own_environment_is_passed_on(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PYTHONPATH", "/ours")
        assert "PYTHONPATH" not in variables()
        assert variables()["RASA_TELEMETRY_ENABLED"] == "false"
        assert variables()["PATH"] == os.environ["PATH"]
