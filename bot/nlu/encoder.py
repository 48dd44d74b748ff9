"""The sentence encoder as a Rasa featurizer: what a message means, as a list of numbers."""

from __future__ import annotations

import hashlib
import inspect
import io
import json
import logging
import os
import zipfile
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Any
from weakref import WeakValueDictionary

import numpy as np
import numpy.typing as npt
import onnxruntime
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.featurizers.dense_featurizer.dense_featurizer import DenseFeaturizer
from rasa.shared.exceptions import InvalidConfigException
from rasa.shared.nlu.constants import INTENT, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData
from rich.console import Console
from rich.progress import track

from bot.nlu import signs
from bot.nlu.encoder_files import EncoderFiles, cache_folder, write_whole
from bot.nlu.languages import report_foreign_examples
from bot.nlu.reading import readable_text
from bot.nlu.signs import Signs
from bot.nlu.text_features import readable_name
from bot.nlu.word_pieces import word_pieces

_logger = logging.getLogger(__name__)

Vector = npt.NDArray[np.float32]

# The last layer, and the middle one, which says less on its own. By cross-validation.
_LAYER_WEIGHTS = (np.float32(1.0), np.float32(0.5))
_REMEMBERED = 1024  # vectors of recent messages, some 3 MB
_CACHED_ON_DISK = 50_000
_SHOW_PROGRESS_FROM = 200
_SAVED = "encoder.json"
# The encoder's vocabulary has hardly any emoji, and an assistant may have no MessageNormalizer.
_SIGNS = Signs()


class Encoder:
    """Texts to vectors; the same text gives the same vector, whatever else is encoded with it.

    Texts are encoded one at a time: in a batch, the scale of the 8-bit numbers would depend on the
    other texts, and on one thread a batch is no faster (measured: 900 texts a second either way).
    """

    def __init__(self, files: EncoderFiles) -> None:
        """Loads an encoder, and builds its graph on first use.

        Raises:
            InvalidConfigException: A file is missing, altered or broken.
        """
        self.identity = files.identity
        files.check(files.tokenizer)
        try:
            self._tokenizer = word_pieces(files.tokenizer.read_bytes())
            self._session = _session(files.graph())
        except InvalidConfigException:
            raise
        except Exception as error:  # both libraries raise bare exceptions for broken files
            raise InvalidConfigException(
                f"The sentence encoder in {files.folder} cannot be loaded: {error}. If it worked "
                f"before, delete {cache_folder()}. {files.next_step}"
            ) from error
        self._inputs = {node.name for node in self._session.get_inputs()}
        self.encode = lru_cache(maxsize=_REMEMBERED)(self._encode)

    @classmethod
    def shared(cls, files: EncoderFiles) -> Encoder:
        """The encoder of these files, loaded once for all models of a process.

        While one model takes another's place both are loaded, and an encoder is most of a model's
        memory and of the time for which loading stops all other threads.

        Raises:
            InvalidConfigException: As the constructor.
        """
        with _loading:
            known = _in_use.get(files.identity)
            if known is None:
                known = _in_use[files.identity] = cls(files)
            return known

    def _encode(self, text: str) -> Vector:
        ids = np.array([self._tokenizer.encode(_SIGNS.read(text)).ids], np.int64)
        feed = {
            "input_ids": ids,
            "attention_mask": np.ones_like(ids),
            "token_type_ids": np.zeros_like(ids),
        }
        outputs = self._session.run(None, {k: v for k, v in feed.items() if k in self._inputs})
        parts = zip(_LAYER_WEIGHTS, outputs, strict=False)
        vector: Vector = np.concatenate([weight * _unit(output) for weight, output in parts])
        vector.setflags(write=False)  # it is shared with whoever asks next
        return vector


_in_use: WeakValueDictionary[str, Encoder] = WeakValueDictionary()
_loading = Lock()


def _session(graph: Path | bytes) -> Any:
    options = onnxruntime.SessionOptions()
    # Many replicas share a machine, and a sentence is too small to split.
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    source = graph if isinstance(graph, bytes) else str(graph)
    return onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])


def _unit(output: npt.NDArray[Any]) -> Vector:
    """One vector of length one; an encoder of one's own may give a vector for every token."""
    vector = np.asarray(output[0], np.float32)
    if vector.ndim == 2:
        vector = vector.mean(axis=0)
    return np.asarray(vector / max(float(np.linalg.norm(vector)), 1e-12), np.float32)


class EmbeddingCache:
    """Vectors of training texts on disk, by the texts' hashes; without it, all is computed anew."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known = self._read()

    def _read(self) -> dict[bytes, Vector]:
        try:
            with np.load(self._path, allow_pickle=False) as stored:
                keys, vectors = stored["keys"], stored["vectors"]
                return {key.tobytes(): vector for key, vector in zip(keys, vectors, strict=True)}
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            return {}  # not there yet, or broken

    def encode(self, texts: list[str], encoder: Encoder) -> dict[str, Vector]:
        """The vector of each text; those not yet known are computed, with progress shown."""
        wanted = {text: _key(text) for text in dict.fromkeys(texts)}
        missing = {text: key for text, key in wanted.items() if key not in self._known}
        progress = track(
            missing.items(),
            "Encoding new training examples",
            console=Console(stderr=True),
            disable=len(missing) < _SHOW_PROGRESS_FROM,
        )
        # A sentence is too small to split; sentences beside each other keep all processors busy.
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            vectors = pool.map(encoder.encode, missing)
            for (_, key), vector in zip(progress, vectors, strict=True):
                self._known[key] = vector
        if missing:
            self._write()
        return {text: self._known[key] for text, key in wanted.items()}

    def _write(self) -> None:
        newest = list(self._known.items())[-_CACHED_ON_DISK:]
        file = io.BytesIO()
        np.savez(
            file,
            keys=np.array([np.frombuffer(key, np.uint8) for key, _ in newest]),
            vectors=np.array([vector for _, vector in newest]),
        )
        write_whole(self._path, file.getvalue())


def _key(text: str) -> bytes:
    # Other words for an emoji are another text.
    return hashlib.blake2b(_SIGNS.read(text).encode(), digest_size=16).digest()


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.MESSAGE_FEATURIZER, is_trainable=True)
class SentenceEncoder(DenseFeaturizer, GraphComponent):
    """Gives each message dense sentence features (1 x 768: the last and the middle layer).

    Options:
        model_dir: A folder with another encoder: ``tokenizer.json`` and either ``model.onnx`` or a
            BERT encoder's ``model.safetensors`` and ``config.json``. Default: all-MiniLM-L6-v2.
        alias: As in all of Rasa's featurizers.
    """

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """The options and their defaults."""
        return {**DenseFeaturizer.get_default_config(), "model_dir": None}

    def __init__(
        self,
        config: dict[str, Any],
        name: str,
        model_storage: ModelStorage,
        resource: Resource,
    ) -> None:
        super().__init__(name, config)
        self._storage, self._resource = model_storage, resource
        self._encoder = Encoder.shared(EncoderFiles.find(config["model_dir"]))
        self._english = config["model_dir"] is None

    @classmethod
    def validate_config(cls, config: dict[str, Any]) -> None:
        """What is wrong shows when the encoder is loaded, just after."""

    @classmethod
    def fingerprint_addon(cls, config: dict[str, Any]) -> str | None:
        """Other files under the same name, or other words for emoji, mean training anew."""
        read = hashlib.sha256(inspect.getsource(signs).encode()).hexdigest()
        return EncoderFiles.find(config.get("model_dir")).identity + read

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> SentenceEncoder:
        """A new featurizer, before training."""
        return cls(config, execution_context.node_name, model_storage, resource)

    @classmethod
    def load(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> SentenceEncoder:
        """The featurizer that the model was trained with.

        Raises:
            InvalidConfigException: The encoder is another one than in training.
        """
        component = cls.create(config, model_storage, resource, execution_context)
        with model_storage.read_from(resource) as folder:
            trained = json.loads((folder / _SAVED).read_text(encoding="utf-8"))["identity"]
        if trained != component._encoder.identity:
            raise InvalidConfigException(
                f"The model was trained with the sentence encoder {trained}, installed is "
                f"{component._encoder.identity}. Train it again: frontdesk train"
            )
        return component

    @staticmethod
    def required_packages() -> list[str]:
        """Packages that must be importable."""
        return ["onnxruntime", "onnx", "tokenizers", "safetensors"]

    def train(self, training_data: TrainingData) -> Resource:
        """Nothing is learned; the model keeps which encoder it belongs to."""
        if self._english:
            report_foreign_examples([str(m.get(TEXT)) for m in training_data.intent_examples])
        with self._storage.write_to(self._resource) as folder:
            content = json.dumps({"identity": self._encoder.identity})
            (folder / _SAVED).write_text(content, encoding="utf-8")
        return self._resource

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        """Adds features to all examples and to their intents; known vectors come from the disk."""
        messages = [m for m in training_data.training_examples if readable_text(m)]
        texts = [readable_text(m) for m in messages]
        names = [readable_name(str(m.get(INTENT) or "")) for m in messages]
        cache = EmbeddingCache(cache_folder() / f"{self._encoder.identity}-examples.npz")
        vectors = cache.encode([*texts, *filter(None, names)], self._encoder)
        for message, text, name in zip(messages, texts, names, strict=True):
            self._add(message, vectors[text])
            if name:
                self._add(message, vectors[name], INTENT)
        return training_data

    def process(self, messages: list[Message]) -> list[Message]:
        """Adds features to each message that has text."""
        for message in messages:
            if text := readable_text(message):
                self._add(message, self._encoder.encode(text))
        return messages

    def _add(self, message: Message, vector: Vector, attribute: str = TEXT) -> None:
        self.add_features_to_message(None, vector[np.newaxis], attribute, message)
