"""Trains and asks a pipeline in a process of its own: `python -m bot.evaluation.worker JOB`.

Time and memory are the pipeline's alone, and it may run in another environment: this file imports
nothing but Rasa and the standard library beside Frontdesk's log settings and graph runner. The job
is a JSON file (see `bot.evaluation.runner`); progress is printed as JSON lines.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import platform
import resource
import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import Any, TextIO

import rasa.model_training

from bot.dialogue.logs import quieten_rasa
from bot.dialogue.runner import SequentialAgent

_REPORTED = ("rasa", "numpy", "scikit-learn", "tensorflow", "onnxruntime", "frontdesk")
_EVERY = 25  # messages between two lines of progress
_WARM_UP = 20


def main(job_file: str) -> None:
    """Does the job's runs one after the other, and writes a result file for each."""
    quieten_rasa(logging.ERROR)
    warnings.simplefilter("ignore")
    job = json.loads(Path(job_file).read_text(encoding="utf-8"))
    with _own_output() as progress:
        for number, run in enumerate(job["runs"]):
            result: dict[str, Any] = {"versions": _versions()}
            if run.get("train"):
                _say(progress, run=number, stage="train")
                result |= _train(job["config"], run["train"], Path(run["model"]))
            if run.get("messages"):
                result |= _ask(Path(run["model"]), run["messages"], number, progress)
            Path(run["result"]).write_text(json.dumps(result, default=str), encoding="utf-8")


@contextmanager
def _own_output() -> Iterator[TextIO]:
    """Standard output for progress alone; what libraries print goes to standard error."""
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as progress:
        os.dup2(2, 1)
        yield progress


def _say(progress: TextIO, **line: Any) -> None:
    print(json.dumps(line), file=progress, flush=True)


def _train(config: str, data: str, model: Path) -> dict[str, Any]:
    began = time.perf_counter()
    made = rasa.model_training.train_nlu(
        config, data, str(model.parent), fixed_model_name=model.name
    )
    seconds = time.perf_counter() - began
    if made is None:
        raise SystemExit("Rasa trained no model; the lines above say why.")
    return {"train_seconds": seconds, "train_peak_mb": _peak_mb()}


def _ask(model: Path, messages: str, number: int, progress: TextIO) -> dict[str, Any]:
    texts = json.loads(Path(messages).read_text(encoding="utf-8"))
    before = _resident_mb()
    agent = SequentialAgent.load(model)
    found: list[dict[str, Any]] = []
    milliseconds: list[float] = []

    async def ask_all() -> None:
        for i in range(_WARM_UP):
            # Not one of the messages: a component may remember what it saw.
            await agent.parse_message(f"warming up, sentence number {i}" + " and so on" * (i % 5))
        for i, text in enumerate(texts):
            if i % _EVERY == 0:
                _say(progress, run=number, stage="ask", done=i, of=len(texts))
            began = time.perf_counter()
            # A leading slash would name an intent, as no customer may.
            parsed = await agent.parse_message(text.lstrip("/"))
            milliseconds.append((time.perf_counter() - began) * 1000)
            found.append(parsed)

    asyncio.run(ask_all())
    peak = _peak_mb()
    return {
        "parsed": [_kept(parsed) for parsed in found],
        "milliseconds": milliseconds,
        "peak_mb": peak,
        "added_mb": peak - before,
    }


def _kept(parsed: dict[str, Any]) -> dict[str, Any]:
    kept = ("intent", "intent_ranking", "entities", "in_scope")
    return {key: parsed[key] for key in kept if key in parsed}


def _versions() -> dict[str, str]:
    known = {name: _version(name) for name in _REPORTED}
    return {"python": platform.python_version(), **{k: v for k, v in known.items() if v}}


def _version(name: str) -> str | None:
    try:
        found = metadata.metadata(name)
    except metadata.PackageNotFoundError:
        return None
    stand_in = str(found["Summary"]).startswith("Stands in")
    return f"{found['Version']} (stand-in)" if stand_in else str(found["Version"])


def _resident_mb() -> float:
    return _status_mb("VmRSS") or _peak_mb()


def _peak_mb() -> float:
    """The most memory so far. The kernel's file is preferred: `ru_maxrss` counts the parent too."""
    unit = 1 if sys.platform == "darwin" else 1024
    usage = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return _status_mb("VmHWM") or usage * unit / 1e6


def _status_mb(key: str) -> float | None:
    """A line of /proc/self/status, which counts in kB of 1024 bytes; None where there is none."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    return next((int(li.split()[1]) * 1024 / 1e6 for li in lines if li.startswith(f"{key}:")), None)


if __name__ == "__main__":
    main(sys.argv[1])
