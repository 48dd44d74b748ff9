"""Starts the worker that trains and asks a pipeline, and reads what it found."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from rasa.shared.exceptions import InvalidConfigException

from bot.core.errors import ConfigurationError, ModelError
from bot.evaluation.examples import Example
from bot.evaluation.pipelines import Pipeline
from bot.evaluation.predictions import Prediction
from bot.nlu.encoder_files import EncoderFiles, cache_folder

_CODE = Path(__file__).parent.parent.parent
_ENCODER = "SentenceEncoder"
# TensorFlow reads its own variables; the others are those of the usual numeric libraries.
_THREADS = (
    "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS",
    "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS",
)  # fmt: skip

Progress = Callable[[dict[str, Any]], None]


@dataclass(frozen=True, slots=True)
class Run:
    """One thing to do for the worker.

    Attributes:
        model: The model's file: written when `train` is given, else read.
        train: A file of training data in one of Rasa's formats; None when it is trained already.
        messages: What to ask; empty for training alone.
    """

    model: Path
    train: Path | None = None
    messages: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run found; None and empty where it was not asked for.

    Attributes:
        train_seconds: From the examples to the stored model, without the imports.
        train_peak_mb: The most memory of the training process.
        predictions: One for each message.
        milliseconds: The time of each message, asked alone.
        peak_mb: The most memory of the process that loaded the model and was asked.
        added_mb: The part of it that is not Rasa's mere import.
        versions: Of Python and the libraries that count.
    """

    train_seconds: float | None
    train_peak_mb: float | None
    predictions: list[Prediction]
    milliseconds: list[float]
    peak_mb: float | None
    added_mb: float | None
    versions: dict[str, str]

    @classmethod
    def read(cls, path: Path) -> Outcome:
        """From the file that the worker wrote."""
        found = json.loads(path.read_text(encoding="utf-8"))
        return cls(
            found.get("train_seconds"),
            found.get("train_peak_mb"),
            [Prediction.of(parsed) for parsed in found.get("parsed", [])],
            found.get("milliseconds", []),
            found.get("peak_mb"),
            found.get("added_mb"),
            found["versions"],
        )


@dataclass(frozen=True, slots=True)
class Worker:
    """Runs one pipeline.

    Attributes:
        pipeline: What to run.
        python: The interpreter to run it with.
        folder: A temporary folder for all that it writes.
        cache: Where the sentence encoder keeps what it knows; None for the usual place.
    """

    pipeline: Pipeline
    python: Path
    folder: Path
    cache: Path | None = None

    def run(
        self, runs: Sequence[Run], progress: Progress, *, one_thread: bool = False
    ) -> list[Outcome]:
        """Does the runs in one process, one after the other.

        Raises:
            ModelError: The process failed; quotes the end of what it wrote.
        """
        job, results = self._write(runs)
        command = [str(self.python), "-m", "bot.evaluation.worker", str(job)]
        errors = self.folder / "errors.txt"
        with (
            errors.open("w", encoding="utf-8") as log,
            subprocess.Popen(  # noqa: S603
                command, stdout=subprocess.PIPE, stderr=log, text=True,
                cwd=self.pipeline.root, env=self._environment(one_thread),
            ) as process,
        ):  # fmt: skip
            try:
                for line in process.stdout or ():
                    progress(json.loads(line))
            except BaseException:
                process.kill()
                raise
        if process.returncode:
            end = errors.read_text(encoding="utf-8", errors="replace").strip()[-2000:]
            raise ModelError(f"{self.pipeline.name} failed:\n{end}")
        return [Outcome.read(path) for path in results]

    def _write(self, runs: Sequence[Run]) -> tuple[Path, list[Path]]:
        config = self.folder / "config.yml"
        config.write_text(yaml.safe_dump(self.pipeline.config, allow_unicode=True), "utf-8")
        listed, results = [], []
        for number, run in enumerate(runs):
            result, messages = self.folder / f"result-{number}.json", None
            if run.messages:
                messages = self.folder / f"messages-{number}.json"
                messages.write_text(json.dumps(list(run.messages)), encoding="utf-8")
            results.append(result)
            files = {"train": run.train, "model": run.model, "messages": messages, "result": result}
            listed.append({key: str(path) for key, path in files.items() if path})
        job = self.folder / "job.json"
        job.write_text(json.dumps({"config": str(config), "runs": listed}), encoding="utf-8")
        return job, results

    def _environment(self, one_thread: bool) -> dict[str, str]:
        paths = [str(_CODE), str(self.pipeline.root), os.environ.get("PYTHONPATH", "")]
        added = {
            "PYTHONPATH": os.pathsep.join(filter(None, paths)),
            "PYTHONWARNINGS": "ignore",
            "RASA_TELEMETRY_ENABLED": "false",
            # Nothing that an earlier training left makes this one faster.
            "RASA_CACHE_DIRECTORY": str(self.folder / "rasa-cache"),
            "RASA_MAX_CACHE_SIZE": "0",
            "FRONTDESK_CACHE_DIR": str(self.cache or cache_folder().parent.resolve()),
        }
        return os.environ | added | (dict.fromkeys(_THREADS, "1") if one_thread else {})


def fresh_cache(pipeline: Pipeline, folder: Path) -> Path:
    """A cache with the encoder's graph, which is made once for all, but no vectors of texts.

    Raises:
        ConfigurationError: The encoder's files are missing or broken.
    """
    if any(name.endswith(_ENCODER) for name in pipeline.components):
        try:
            graph = EncoderFiles.find(encoder_folder(pipeline)).graph()
        except InvalidConfigException as error:
            raise ConfigurationError(_ENCODER, str(error), "See frontdesk doctor.") from error
        if isinstance(graph, Path):
            (folder / "encoder").mkdir(parents=True, exist_ok=True)
            shutil.copy(graph, folder / "encoder")
    return folder


def encoder_folder(pipeline: Pipeline) -> str | None:
    """The `model_dir` of a pipeline's sentence encoder; None for the default one."""
    components: list[dict[str, Any]] = pipeline.config["pipeline"]
    named = (c.get("model_dir") for c in components if str(c.get("name")).endswith(_ENCODER))
    folder = next(named, None)
    # Rasa finds it from the folder of config.yml, in which the worker runs.
    return None if folder is None else str(pipeline.root / folder)


def write_examples(examples: Sequence[Example], path: Path) -> Path:
    """Training data without entities, in Rasa's JSON, where brackets in a text mean nothing."""
    listed = [{"text": e.text, "intent": e.intent} for e in examples]
    data = {"rasa_nlu_data": {"common_examples": listed}}
    path.write_text(json.dumps(data, ensure_ascii=False), encoding="utf-8")
    return path
