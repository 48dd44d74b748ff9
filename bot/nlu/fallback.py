"""Names a message not understood when a question is expected to cost less than an answer.

It does what Rasa's FallbackClassifier does, with expected costs in place of a threshold: the intent
becomes ``nlu_fallback``, which stories, rules and the slots of forms refer to. Rasa fills a form's
slots before any policy runs, so a policy alone would come too late for "12 Mill Lane" to be taken
for the address that was asked for. `EscalationPolicy` decides with the same function and the same
costs, and looks at the conversation as well.
"""

from __future__ import annotations

from typing import Any

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.classifiers.classifier import IntentClassifier
from rasa.shared.nlu.constants import INTENT, INTENT_RANKING_KEY
from rasa.shared.nlu.training_data.message import Message

from bot.core.decision import FOREIGN, NOT_UNDERSTOOD, Kind, weigh
from bot.nlu.costs import read_costs


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=False)
class ExpectedCostFallback(GraphComponent, IntentClassifier):
    """Sets the intent to ``nlu_fallback`` where asking is cheaper than answering.

    Its confidence is the probability that the best guess is wrong; the guesses follow it in
    ``intent_ranking``.

    Options:
        costs: What outcomes cost, see `bot.core.decision.Costs`; the same as EscalationPolicy's.
    """

    @classmethod
    def required_components(cls) -> list[type]:
        """Something must have ranked the intents."""
        return [IntentClassifier]

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """The options and their defaults."""
        return {"costs": None}

    def __init__(self, config: dict[str, Any]) -> None:
        self._costs = read_costs("ExpectedCostFallback", config["costs"])

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> ExpectedCostFallback:
        """The component; it needs no training.

        Raises:
            InvalidConfigException: A cost is wrong.
        """
        return cls(config)

    def process(self, messages: list[Message]) -> list[Message]:
        """Renames the intent of messages that a question should come before."""
        for message in messages:
            ranking = list(message.get(INTENT_RANKING_KEY) or [])
            weighed = weigh(
                [(str(g["name"]), float(g["confidence"])) for g in ranking], self._costs
            )
            # A foreign message keeps its name: rules may treat it in their own way.
            if weighed.kind is Kind.ASK and (weighed.best is None or weighed.best[0] != FOREIGN):
                wrong = 1.0 - weighed.best[1] if weighed.best else 1.0
                fallback = {"name": NOT_UNDERSTOOD, "confidence": wrong}
                message.set(INTENT, dict(fallback), add_to_output=True)
                message.set(INTENT_RANKING_KEY, [fallback, *ranking], add_to_output=True)
        return messages
