"""Which pipelines there are, and which Python can run them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from bot.core.errors import ConfigurationError
from bot.evaluation import pipelines
from bot.evaluation.pipelines import interpreter, known_pipeline, read_pipeline


def test_rasas_default_has_diet_with_the_epochs() -> None:
    pipeline = known_pipeline("rasa-default", 7)
    diet = next(c for c in pipeline.config["pipeline"] if c["name"] == "DIETClassifier")
    assert diet["epochs"] == 7
    assert known_pipeline("rasa-sparse", 7).components.count("DIETClassifier") == 0


def test_a_config_of_ones_own(tmp_path: Path) -> None:
    config = tmp_path / "config.yml"
    config.write_text("language: de\npipeline: [WhitespaceTokenizer, {name: KeywordIntent}]\n")
    pipeline = known_pipeline(str(config), 1)
    assert pipeline.components == ["WhitespaceTokenizer", "KeywordIntent"]
    assert (pipeline.config["language"], pipeline.root) == ("de", tmp_path)


@pytest.mark.parametrize("content", ["language: en\n", "pipeline: []\n", "pipeline: none\n"])
def test_a_config_without_pipeline(tmp_path: Path, content: str) -> None:
    (tmp_path / "config.yml").write_text(content)
    with pytest.raises(ConfigurationError, match="no list 'pipeline'"):
        read_pipeline(tmp_path / "config.yml", "mine")


def test_an_unknown_name() -> None:
    with pytest.raises(ConfigurationError, match="rasa-default, rasa-sparse"):
        known_pipeline("rasa-defautl", 1)


class TestInterpreter:
    @pytest.fixture(autouse=True)
    def without_tensorflow(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setattr(pipelines, "has_tensorflow", lambda: False)
        monkeypatch.setattr(pipelines, "_CODE", tmp_path / "elsewhere")
        monkeypatch.chdir(tmp_path)

    def test_this_one_where_nothing_needs_tensorflow(self) -> None:
        assert interpreter(known_pipeline("rasa-sparse", 1)) == Path(sys.executable)

    def test_the_environment_with_tensorflow(self, tmp_path: Path) -> None:
        python = tmp_path / ".venv-tensorflow" / "bin" / "python"
        python.parent.mkdir(parents=True)
        python.touch()
        assert interpreter(known_pipeline("rasa-default", 1)) == python

    def test_where_it_is_missing_the_command_that_makes_it_is_named(self) -> None:
        with pytest.raises(ConfigurationError, match="make tensorflow"):
            interpreter(known_pipeline("rasa-default", 1))
