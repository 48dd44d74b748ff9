"""The intent classifier as a Rasa component: trains, stores and answers in Rasa's form."""

from __future__ import annotations

import hashlib
import inspect
import io
import json
import logging
import zipfile
from typing import Any

import numpy as np
import numpy.typing as npt
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.classifiers.classifier import IntentClassifier as RasaIntentClassifier
from rasa.nlu.featurizers.dense_featurizer.dense_featurizer import DenseFeaturizer
from rasa.shared.exceptions import InvalidConfigException, RasaException
from rasa.shared.nlu.constants import INTENT, INTENT_RANKING_KEY, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from bot.nlu import intent_model, intent_training, neighbours, scope, text_features
from bot.nlu.intent_model import IntentModel
from bot.nlu.intent_training import Options, fit
from bot.nlu.reading import readable_text

_logger = logging.getLogger(__name__)

_LISTED = 5
_ARRAYS, _FACTS = "intents.npz", "intents.json"


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class IntentClassifier(RasaIntentClassifier, GraphComponent):
    """Sets ``intent`` and ``intent_ranking`` from the sentence features and the words.

    ``confidence`` is calibrated: of the messages that get 0.8, about 8 of 10 are right. An unknown
    message gets a low confidence for every intent; where the training data has the intent
    ``out_of_scope``, its confidence says how probably the message is foreign.

    Options:
        regularisation: Values of C that cross-validation chooses from, where there are several.
        out_of_scope_share: How many messages of real life belong to no intent, 0 to 1.
        ranking_length: How many intents ``intent_ranking`` lists.
        seed: For the folds of cross-validation.
    """

    @classmethod
    def required_components(cls) -> list[type]:
        """A dense featurizer must come before it."""
        return [DenseFeaturizer]

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """The options and their defaults."""
        options = Options()
        return {
            "regularisation": list(options.regularisation),
            "out_of_scope_share": options.out_of_scope_share,
            "ranking_length": 10,
            "seed": options.seed,
        }

    def __init__(
        self,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        model: IntentModel | None = None,
    ) -> None:
        self._options, self._listed = _options(config), config["ranking_length"]
        self._storage, self._resource, self._model = model_storage, resource, model

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> IntentClassifier:
        """A new classifier, before training."""
        return cls(config, model_storage, resource)

    @classmethod
    def load(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> IntentClassifier:
        """The classifier as it was trained.

        Raises:
            RasaException: Its files are broken or of another version.
        """
        try:
            with model_storage.read_from(resource) as folder:
                facts = json.loads((folder / _FACTS).read_text(encoding="utf-8"))
                with np.load(folder / _ARRAYS, allow_pickle=False) as arrays:
                    model = IntentModel.restore(arrays, facts) if facts else None
        except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
            raise RasaException(
                f"The trained intent classifier cannot be read ({error!r}): the model is broken or "
                "of another version. Train it again: frontdesk train"
            ) from error
        return cls(config, model_storage, resource, model)

    @classmethod
    def fingerprint_addon(cls, config: dict[str, Any]) -> str | None:
        """Changed mathematics mean training anew; Rasa itself looks at this class only."""
        modules = (intent_model, intent_training, neighbours, scope, text_features)
        source = "".join(inspect.getsource(module) for module in modules)
        return hashlib.sha256(source.encode()).hexdigest()

    @staticmethod
    def required_packages() -> list[str]:
        """Packages that must be importable."""
        return ["sklearn", "scipy"]

    def train(self, training_data: TrainingData) -> Resource:
        """Learns from all examples that have a text and an intent.

        Raises:
            InvalidConfigException: Examples have no dense features.
        """
        examples = [m for m in training_data.intent_examples if m.get(INTENT) and _text(m)]
        if examples:
            vectors = np.array([_vector(m) for m in examples], np.float32)
            labels = [str(m.get(INTENT)) for m in examples]
            texts = [_text(m) for m in examples]
            _report_conflicts(texts, labels)
            self._model = fit(vectors, texts, labels, self._options, _names(examples))
        else:
            _logger.warning("There are no examples of intents; none will be recognised.")
        self._save()
        return self._resource

    def _save(self) -> None:
        file = io.BytesIO()
        np.savez_compressed(file, **(self._model.arrays() if self._model else {}))
        facts = self._model.facts() if self._model else {}
        with self._storage.write_to(self._resource) as folder:
            (folder / _ARRAYS).write_bytes(file.getvalue())
            (folder / _FACTS).write_text(json.dumps(facts, ensure_ascii=False), encoding="utf-8")

    def process(self, messages: list[Message]) -> list[Message]:
        """Sets the intent of each message; None with confidence 0 where there is no text."""
        for message in messages:
            ranking = self._ranking(message)
            best = ranking[0] if ranking else {"name": None, "confidence": 0.0}
            message.set(INTENT, dict(best), add_to_output=True)
            message.set(INTENT_RANKING_KEY, ranking, add_to_output=True)
        return messages

    def _ranking(self, message: Message) -> list[dict[str, Any]]:
        text = _text(message)
        if self._model is None or not text:
            return []
        vector = _vector(message)
        if len(vector) != self._model.width:
            raise InvalidConfigException(
                f"IntentClassifier was trained on {self._model.width} dense features and got "
                f"{len(vector)}: the encoder has changed. Train again: frontdesk train"
            )
        probabilities = self._model.predict(vector[np.newaxis], [text])[0]
        order = np.argsort(-probabilities, kind="stable")[: self._listed]
        return [
            {"name": self._model.intents[i], "confidence": float(probabilities[i])} for i in order
        ]


def _options(config: dict[str, Any]) -> Options:
    share, grid = config["out_of_scope_share"], config["regularisation"]
    if not 0 < share < 1:
        raise InvalidConfigException(
            f"IntentClassifier in config.yml: out_of_scope_share is {share!r}. Give the share of "
            "foreign messages, more than 0 and less than 1."
        )
    if not grid or not all(c > 0 for c in grid):
        raise InvalidConfigException(
            f"IntentClassifier in config.yml: regularisation is {grid!r}. Give a list of numbers "
            "above 0."
        )
    return Options(tuple(grid), share, config["seed"])


def _text(message: Message) -> str:
    return readable_text(message)


def _report_conflicts(texts: list[str], labels: list[str]) -> None:
    """Warns of texts that are examples of several intents: one of them must be wrong."""
    owners: dict[str, set[str]] = {}
    for text, label in zip(texts, labels, strict=True):
        owners.setdefault(" ".join(text.casefold().split()), set()).add(label)
    conflicts = [(text, sorted(names)) for text, names in owners.items() if len(names) > 1]
    if conflicts:
        listed = "; ".join(f"{text!r} in {' and '.join(n)}" for text, n in conflicts[:_LISTED])
        more = f" and {len(conflicts) - _LISTED} more" if len(conflicts) > _LISTED else ""
        _logger.warning(
            "Examples of several intents: %s%s. Leave each in the one that it should start.",
            listed,
            more,
        )


def _names(examples: list[Message]) -> dict[str, npt.NDArray[np.float32]]:
    """Vectors of the intents' names, where the featurizer gave them."""
    names = {}
    for message in examples:
        _, features = message.get_dense_features(INTENT)
        if features is not None:
            names[str(message.get(INTENT))] = np.asarray(features.features[0], np.float32)
    return names


def _vector(message: Message) -> npt.NDArray[np.float32]:
    _, features = message.get_dense_features(TEXT)
    if features is None:
        raise InvalidConfigException(
            "IntentClassifier in config.yml finds no dense sentence features. Put a featurizer "
            "before it: bot.nlu.encoder.SentenceEncoder"
        )
    return np.asarray(features.features[0], np.float32)
