"""A component that needs TensorFlow, in an environment that has the stand-in."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path

import pytest
from rasa.shared.exceptions import RasaException

from bot.tensorflow_check import has_tensorflow

pytestmark = pytest.mark.skipif(has_tensorflow(), reason="the real TensorFlow is installed")

CONFIG = """
recipe: default.v1
assistant_id: small
language: en
pipeline:
- name: WhitespaceTokenizer
- name: CountVectorsFeaturizer
- name: DIETClassifier
  epochs: 1
"""
DATA = """
version: "3.1"
nlu:
- intent: greet
  examples: |
    - hello
    - hi there
- intent: bye
  examples: |
    - bye
    - see you
"""


def test_rasas_own_command_says_in_its_last_line_how_to_have_it(tmp_path: Path) -> None:
    (tmp_path / "config.yml").write_text(CONFIG)
    (tmp_path / "nlu.yml").write_text(DATA)
    rasa = Path(sys.executable).with_name("rasa")
    command = [str(rasa), "train", "nlu", "--nlu", "nlu.yml"]
    ended = subprocess.run(
        command,
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    last = ended.stdout.strip().splitlines()[-1]
    assert ended.returncode == 1
    assert "TensorFlowAbsentError: 'DIET' needs TensorFlow" in last
    assert "make tensorflow" in last


@pytest.mark.parametrize(
    ("module", "name"), [("tensorflow", "constant"), ("tensorflow.keras.layers", "Dense")]
)
def test_the_error_is_of_a_kind_that_rasa_does_not_hide(module: str, name: str) -> None:
    used = getattr(importlib.import_module(module), name)
    with pytest.raises(RasaException, match="make tensorflow") as raised:
        used(1)
    # Rasa's runner hides the one, and DIET takes the other for "not trained" and loads without it.
    assert not isinstance(raised.value, RuntimeError | ValueError)
