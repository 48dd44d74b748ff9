"""The policy that answers, asks or hands over, by what each is expected to cost.

It runs once a message, before anything is said. When answering is cheapest it leaves the answer to
the other policies; it only notes its numbers. Otherwise it outvotes them: ``action_low_confidence``
asks, or hands over a message that was not understood; ``action_escalate`` hands over one that was.

A form goes first: what it takes for an answer to its question is no request to be weighed.
"""

from __future__ import annotations

from typing import Any

from rasa.core.policies.policy import Policy, PolicyPrediction, SupportedData
from rasa.engine.graph import ExecutionContext
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.core.constants import ACTION_LISTEN_NAME
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import SlotSet, UserUttered
from rasa.shared.core.generator import TrackerWithCachedStates
from rasa.shared.core.trackers import DialogueStateTracker
from rasa.shared.exceptions import InvalidConfigException

from bot.core.decision import (
    FOREIGN,
    NOT_UNDERSTOOD,
    Costs,
    Decision,
    Guess,
    Kind,
    Weighed,
    decide,
    weigh,
)
from bot.dialogue.grievances import Exchange, exchanges, signs
from bot.nlu.costs import read_costs, read_grievances, read_intents

NAME = "EscalationPolicy"
DECISION_SLOT = "decision"
ASK_ACTION, HAND_OVER_ACTION = "action_low_confidence", "action_escalate"

_UNSURE = {NOT_UNDERSTOOD, FOREIGN}
_VALUE_WORDS = 4  # a message as short as this, with a value in it, is a value
_ABOVE_RULES = 7  # RulePolicy has 6


@DefaultV1Recipe.register(
    DefaultV1Recipe.ComponentType.POLICY_WITHOUT_END_TO_END_SUPPORT, is_trainable=True
)
class EscalationPolicy(Policy):
    """Chooses between answering, asking and handing over by expected cost.

    Options:
        costs: What outcomes cost, see `bot.core.decision.Costs`.
        conversation: What makes going on dearer, see `bot.core.decision.Grievances`.
        untouched: Intents that follow rules of their own, however the conversation goes.
        priority: Against other policies that are as sure.
    """

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """The options and their defaults."""
        return {"costs": None, "conversation": None, "untouched": None, "priority": _ABOVE_RULES}

    @staticmethod
    def supported_data() -> SupportedData:
        """It learns from neither stories nor rules, and contradicts none."""
        return SupportedData.ML_AND_RULE_DATA

    def __init__(
        self,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> None:
        super().__init__(config, model_storage, resource, execution_context)
        self._costs = read_costs(NAME, config["costs"])
        self._grievances = read_grievances(NAME, config["conversation"])
        self._untouched = frozenset(read_intents(NAME, "untouched", config["untouched"]))

    @classmethod
    def load(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> EscalationPolicy:
        """The policy is its configuration; nothing was stored."""
        return cls(config, model_storage, resource, execution_context)

    def train(
        self, training_trackers: list[TrackerWithCachedStates], domain: Domain, **kwargs: Any
    ) -> Resource:
        """Checks the configuration against the domain; there is nothing to learn.

        Raises:
            InvalidConfigException: An intent is not in the domain, or the domain lacks what the
                policy needs.
        """
        _check_intents("costs.wrong_answer_of", self._costs.wrong_answer_of, domain)
        _check_intents("costs.never_offered", self._costs.never_offered, domain)
        _check_intents("untouched", self._untouched, domain)
        for action in (ASK_ACTION, HAND_OVER_ACTION):
            if action not in domain.action_names_or_texts:
                raise InvalidConfigException(
                    f"{NAME} in config.yml needs the action {action!r}. Name it under actions in "
                    "domain.yml; it is in actions/understanding.py."
                )
        if DECISION_SLOT not in {slot.name for slot in domain.slots}:
            raise InvalidConfigException(
                f"{NAME} in config.yml needs the slot {DECISION_SLOT!r}. Put it under slots in "
                "domain.yml: type any, influence_conversation false, mappings [{type: custom}]."
            )
        return self._resource

    def predict_action_probabilities(
        self,
        tracker: DialogueStateTracker,
        domain: Domain,
        rule_only_data: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> PolicyPrediction:
        """Votes for a question or a human where one is cheaper; else for nothing."""
        nothing = [0.0] * domain.num_actions
        if tracker.latest_action_name != ACTION_LISTEN_NAME:
            understood = tracker.get_last_event_for(UserUttered)
            # Where a rule was outvoted, none says that it is the customer's turn now.
            asked = tracker.latest_action_name == ASK_ACTION and understood is not None
            outvoted = asked and understood.intent_name not in _UNSURE
            return self._prediction(_vote(ACTION_LISTEN_NAME, domain) if outvoted else nothing)
        talk = exchanges(tracker.events)
        decision = self.decide(talk)
        if decision is None:
            return self._prediction(nothing)
        noted = [SlotSet(DECISION_SLOT, decision.as_facts())]
        if decision.kind is Kind.ANSWER:
            return self._prediction(nothing, events=noted)
        unsure = decision.kind is Kind.ASK or talk[-1].intent in _UNSURE
        action = ASK_ACTION if unsure else HAND_OVER_ACTION
        return self._prediction(_vote(action, domain), events=noted)

    def decide(self, talk: list[Exchange]) -> Decision | None:
        """What to do with the last message; None where there is nothing to decide.

        Args:
            talk: The conversation, from `bot.dialogue.grievances.exchanges`.
        """
        if not talk or not talk[-1].text:
            return None
        now = talk[-1]
        short = len(now.text.split()) <= _VALUE_WORDS
        value = not now.form and bool(now.values) and short and now.intent in _UNSURE
        ranking = _ranking(now)
        if now.filled or value or not ranking or now.intent in self._untouched:
            return _answered(ranking, self._costs) if ranking else None
        weighed = weigh(ranking, self._costs)
        if now.intent in _UNSURE and weighed.kind is Kind.ANSWER:
            # The pipeline's costs are not these; rules and stories already see its word.
            weighed = Weighed(Kind.ASK, weighed.best, weighed.offered, weighed.answer, weighed.ask)
        return decide(weighed, self._costs, self._grievances.of(signs(talk)))


def _answered(ranking: list[Guess], costs: Costs) -> Decision:
    """For messages that are answered whatever it costs: the numbers all the same."""
    weighed = weigh(ranking, costs)
    expected = {
        Kind.ANSWER: weighed.answer, Kind.ASK: weighed.ask, Kind.HAND_OVER: costs.hand_over
    }  # fmt: skip
    return Decision(Kind.ANSWER, weighed.offered, expected, {}, weighed=False)


def _ranking(exchange: Exchange) -> list[Guess]:
    """The guesses of a message that a model understood; none for a pressed button or a test's."""
    ranked = (exchange.message.parse_data or {}).get("intent_ranking") or []
    guesses = [(str(each["name"]), float(each["confidence"])) for each in ranked]
    return guesses if any(name != NOT_UNDERSTOOD for name, _ in guesses) else []


def _vote(action: str, domain: Domain) -> list[float]:
    votes = [0.0] * domain.num_actions
    votes[domain.index_for_action(action)] = 1.0
    return votes


def _check_intents(key: str, intents: Any, domain: Domain) -> None:
    for intent in intents:
        if intent not in domain.intents:
            raise InvalidConfigException(
                f"{NAME} in config.yml: {key} names {intent!r}, which is no intent. Correct the "
                "spelling, or name it under intents in domain.yml."
            )
