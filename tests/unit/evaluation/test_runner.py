"""The worker is told what to do, and what it says is read; a script stands for its Python."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from rasa.shared.nlu.training_data.loading import load_data

from bot.core.errors import ModelError
from bot.evaluation.examples import Example
from bot.evaluation.pipelines import Pipeline, known_pipeline
from bot.evaluation.runner import Run, Worker, fresh_cache, write_examples
from bot.nlu.encoder_files import EncoderFiles

WORKS = """#!/bin/sh
echo '{"run": 0, "stage": "ask", "done": 0, "of": 1}'
echo "$OMP_NUM_THREADS" > "$(dirname "$3")/threads"
cat > "$(dirname "$3")/result-0.json" <<END
{"versions": {"python": "3"}, "train_seconds": 1.5, "milliseconds": [2.0],
 "parsed": [{"intent": {"name": "greet", "confidence": 0.9}, "entities": []}]}
END
"""
FAILS = """#!/bin/sh
echo "DIET has no data" >&2
exit 3
"""


def _worker(folder: Path, script: str) -> Worker:
    python = folder / "python"
    python.write_text(script)
    python.chmod(0o755)
    return Worker(known_pipeline("rasa-sparse", 1), python, folder)


def test_a_run(tmp_path: Path) -> None:
    said: list[dict[str, Any]] = []
    run = Run(tmp_path / "m.tar.gz", train=tmp_path / "train.json", messages=["héllo"])
    (outcome,) = _worker(tmp_path, WORKS).run([run], said.append, one_thread=True)
    assert said == [{"run": 0, "stage": "ask", "done": 0, "of": 1}]
    assert (outcome.train_seconds, outcome.predictions[0].intent) == (1.5, "greet")
    assert (tmp_path / "threads").read_text() == "1\n"
    job = json.loads((tmp_path / "job.json").read_text())
    assert job["runs"][0]["train"] == str(tmp_path / "train.json")
    assert json.loads(Path(job["runs"][0]["messages"]).read_text()) == ["héllo"]


def test_a_failure_says_why(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="rasa-sparse failed:\nDIET has no data"):
        _worker(tmp_path, FAILS).run([Run(tmp_path / "m.tar.gz")], lambda _: None)


def test_texts_reach_training_as_they_are(tmp_path: Path) -> None:
    examples = [Example("where's [it](order) {x}", "status"), Example("/hi\tthere", "greet")]
    data = load_data(str(write_examples(examples, tmp_path / "train.json")))
    assert [(m.get("text"), m.get("intent"), m.get("entities")) for m in data.intent_examples] == [
        ("where's [it](order) {x}", "status", None),
        ("/hi\tthere", "greet", None),
    ]


def test_no_vectors_of_earlier_trainings_are_taken_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FRONTDESK_CACHE_DIR", str(tmp_path / "used"))
    identity = EncoderFiles.find().identity
    used = tmp_path / "used" / "encoder"
    used.mkdir(parents=True)
    for name in (f"{identity}.onnx", f"{identity}-examples.npz"):
        (used / name).touch()
    components = [{"name": "bot.nlu.encoder.SentenceEncoder"}]
    pipeline = Pipeline("ours", {"pipeline": components}, tmp_path)
    cache = fresh_cache(pipeline, tmp_path / "fresh")
    assert [path.name for path in cache.rglob("*.*")] == [f"{identity}.onnx"]
