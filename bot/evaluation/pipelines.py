"""The pipelines that are measured, and the environments that can run them."""

from __future__ import annotations

import copy
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.core.errors import ConfigurationError
from bot.project import read_yaml
from bot.tensorflow_check import has_tensorflow, needs_tensorflow

ENVIRONMENT = ".venv-tensorflow"
_CODE = Path(__file__).parent.parent.parent

_SPARSE: list[dict[str, Any]] = [
    {"name": "WhitespaceTokenizer"},
    {"name": "RegexFeaturizer"},
    {"name": "LexicalSyntacticFeaturizer"},
    {"name": "CountVectorsFeaturizer"},
    {"name": "CountVectorsFeaturizer", "analyzer": "char_wb", "min_ngram": 1, "max_ngram": 4},
]
_AFTER: list[dict[str, Any]] = [
    {"name": "EntitySynonymMapper"},
    {"name": "FallbackClassifier", "threshold": 0.3, "ambiguity_threshold": 0.1},
]


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A pipeline to measure.

    Attributes:
        name: What figures are reported under.
        config: What Rasa reads as config.yml, without policies.
        root: Its folder: components and files that it names are found from there.
    """

    name: str
    config: dict[str, Any]
    root: Path

    @property
    def components(self) -> list[str]:
        """The names of its components."""
        return [str(component.get("name")) for component in self.config["pipeline"]]


def read_pipeline(config: Path, name: str) -> Pipeline:
    """The pipeline of a config.yml.

    Raises:
        ConfigurationError: There is no such file, or it has no pipeline.
    """
    data = read_yaml(config)
    steps: Any = data.get("pipeline")
    listed = isinstance(steps, list) and all(isinstance(step, str | dict) for step in steps)
    if not steps or not listed:
        raise ConfigurationError(
            str(config), "has no list 'pipeline'", "Name a config.yml with --config or --vs."
        )
    return Pipeline(
        name,
        _config(data.get("language"), [_component(step) for step in steps]),
        config.resolve().parent,
    )


def known_pipeline(name: str, epochs: int) -> Pipeline:
    """`rasa-default`, `rasa-sparse`, or the path of a config.yml.

    Args:
        name: Which.
        epochs: Of DIET in `rasa-default`; 100 in the config.yml that `rasa init` writes.

    Raises:
        ConfigurationError: It is none of them.
    """
    diet = {"name": "DIETClassifier", "epochs": epochs, "constrain_similarities": True}
    classifiers: dict[str, dict[str, Any]] = {
        "rasa-default": diet,
        "rasa-sparse": {"name": "LogisticRegressionClassifier"},
    }
    if name in classifiers:
        steps = copy.deepcopy([*_SPARSE, classifiers[name], *_AFTER])
        return Pipeline(name, _config(None, steps), Path.cwd())
    if not Path(name).is_file():
        known = ", ".join(classifiers)
        raise ConfigurationError(
            "--vs", "no such pipeline", f"Give {known}, or the path of a config.yml.", name
        )
    return read_pipeline(Path(name), name)


def _component(step: str | dict[str, Any]) -> dict[str, Any]:
    return {"name": step} if isinstance(step, str) else step


def _config(language: object, components: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "recipe": "default.v1",
        "assistant_id": "measured",
        "language": language or "en",
        "pipeline": components,
    }


def interpreter(pipeline: Pipeline) -> Path:
    """The Python that can run a pipeline: this one, or the one with TensorFlow where it needs that.

    Raises:
        ConfigurationError: It needs TensorFlow, and the environment is not there.
    """
    wanting = needs_tensorflow(pipeline.components)
    if not wanting or has_tensorflow():
        return Path(sys.executable)
    for folder in (Path.cwd(), _CODE):
        python = folder / ENVIRONMENT / "bin" / "python"
        if python.exists():
            return python
    raise ConfigurationError(
        pipeline.name,
        f"{wanting[0]} needs TensorFlow, and there is no environment {ENVIRONMENT}",
        "Make it with `make tensorflow` (Python 3.11; docs/tensorflow.md), then run this again.",
    )
