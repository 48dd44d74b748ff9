"""Runs a model's graph node by node, in this thread: what a turn needs, without a scheduler.

Rasa's own runner plans each run anew and hands its ten or so nodes to Dask, one after the other:
a millisecond a run, and a turn has several runs (one to understand, one for each action). Here the
order is worked out once for each kind of run.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rasa.core.actions.action import Action, RemoteAction
from rasa.core.agent import Agent
from rasa.core.channels.channel import OutputChannel
from rasa.core.nlg import TemplatedNaturalLanguageGenerator
from rasa.core.policies.policy import PolicyPrediction
from rasa.core.processor import MAX_NUMBER_OF_PREDICTIONS, MessageProcessor
from rasa.engine.exceptions import GraphRunError
from rasa.engine.graph import ExecutionContext, GraphNode, GraphNodeHook, GraphSchema
from rasa.engine.loader import load_predict_graph_runner
from rasa.engine.runner.interface import GraphRunner
from rasa.engine.storage.local_model_storage import LocalModelStorage
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.core.events import Event, ReminderCancelled, ReminderScheduled
from rasa.shared.core.trackers import DialogueStateTracker
from rasa.utils.common import TempDirectoryPath, get_temp_dir_name

from bot.dialogue.action_endpoint import InProcessActions
from bot.dialogue.in_process_action import InProcessAction

_Plan = list[tuple[str, GraphNode, list[str]]]


class SequentialGraphRunner(GraphRunner):
    """Runs each node after those that it needs; gives what Rasa's `DaskGraphRunner` gives."""

    def __init__(self, schema: GraphSchema, nodes: dict[str, GraphNode]) -> None:
        """Takes the schema's nodes, by name."""
        self._schema, self._nodes = schema, nodes
        self._plans: dict[tuple[str, ...], _Plan] = {}

    @classmethod
    def create(
        cls,
        graph_schema: GraphSchema,
        model_storage: ModelStorage,
        execution_context: ExecutionContext,
        hooks: list[GraphNodeHook] | None = None,
    ) -> SequentialGraphRunner:
        """Loads every node's component."""
        nodes = {
            name: GraphNode.from_schema_node(name, node, model_storage, execution_context, hooks)
            for name, node in graph_schema.nodes.items()
        }
        return cls(graph_schema, nodes)

    def run(
        self, inputs: dict[str, Any] | None = None, targets: list[str] | None = None
    ) -> dict[str, Any]:
        """The outputs of the target nodes, by name.

        Args:
            inputs: Values by the names under which nodes need them.
            targets: The nodes whose output is wanted; those of the schema by default.

        Raises:
            GraphRunError: An input has the name of a node, or a node needs what nobody gives.
        """
        wanted = tuple(targets or self._schema.target_names)
        if wanted not in self._plans:
            self._plans[wanted] = self._plan(wanted)
        done: dict[str, Any] = {}
        for name, value in (inputs or {}).items():
            if name in self._nodes:
                raise GraphRunError(f"The input '{name}' has the name of a node of the graph.")
            done[name] = (name, value)
        for name, node, needs in self._plans[wanted]:
            # A node takes the bare name of what is missing, and says so itself.
            done[name] = node(*(done.get(need, need) for need in needs))
        return dict(done[name] for name in wanted)

    def _plan(self, targets: tuple[str, ...]) -> _Plan:
        """The nodes that the targets need, each after what it needs itself."""
        schema = self._schema.minimal_graph_schema(list(targets))
        planned: _Plan = []
        seen: set[str] = set()

        def visit(name: str) -> None:
            if name in seen or name not in schema.nodes:
                return
            seen.add(name)
            needs = list(schema.nodes[name].needs.values())
            for need in needs:
                visit(need)
            planned.append((name, self._nodes[name], needs))

        for target in targets:
            visit(target)
        return planned


class SequentialProcessor(MessageProcessor):
    """Rasa's processor with this file's runner."""

    def __init__(self, agent: Agent, model: Path) -> None:
        """Loads a model for an agent that has none yet.

        Raises:
            OSError, tarfile.TarError, RasaException: The file cannot be read, or is of another
                version.
        """
        # All that the parent's constructor sets; that one would load the model with Dask's runner.
        self.nlg = agent.nlg
        self.tracker_store = agent.tracker_store
        self.lock_store = agent.lock_store
        self.max_number_of_predictions = MAX_NUMBER_OF_PREDICTIONS
        self.on_circuit_break = None
        self.action_endpoint = agent.action_endpoint
        self.http_interpreter = agent.http_interpreter
        with TempDirectoryPath(get_temp_dir_name()) as folder:
            self.model_metadata, self.graph_runner = load_predict_graph_runner(
                Path(folder), model, LocalModelStorage, SequentialGraphRunner
            )
        self.model_filename, self.model_path = model.name, model
        self.domain = self.model_metadata.domain

    def predict_next_with_tracker_if_should(
        self, tracker: DialogueStateTracker
    ) -> tuple[Action, PolicyPrediction]:
        """As Rasa's own; a custom action of this process is run without what a server's needs.

        Raises:
            ActionLimitReached: The turn has had as many actions as one may have.
        """
        action, prediction = super().predict_next_with_tracker_if_should(tracker)
        if isinstance(action, RemoteAction) and isinstance(self.action_endpoint, InProcessActions):
            action = InProcessAction(action.name(), self.action_endpoint)
        return action, prediction

    async def execute_side_effects(
        self, events: list[Event], tracker: DialogueStateTracker, output_channel: OutputChannel
    ) -> None:
        """As Rasa's own, without its scheduler: what it holds in memory ends with the process.

        Reminders stay in the tracker; whoever stores the turn makes timers of them.
        """
        timed = (ReminderScheduled, ReminderCancelled)
        others = [event for event in events if not isinstance(event, timed)]
        await super().execute_side_effects(others, tracker, output_channel)


class SequentialAgent(Agent):
    """Rasa's agent with this file's runner; used as `Agent` is."""

    @classmethod
    def load(cls, model_path: str | Path, **kwargs: Any) -> SequentialAgent:
        """An agent with a model; Rasa's own makes an `Agent`, whatever class is asked.

        Args:
            model_path: The model's archive.
            kwargs: As the constructor's.

        Raises:
            OSError, tarfile.TarError, RasaException: As `load_model`.
        """
        agent = cls(**kwargs)
        agent.load_model(model_path, kwargs.get("fingerprint"))
        return agent

    def load_model(self, model_path: str | Path, fingerprint: str | None = None) -> None:
        """Loads a model's archive.

        Raises:
            OSError, tarfile.TarError, RasaException: The file cannot be read, or is of another
                version.
        """
        self.processor = SequentialProcessor(self, Path(model_path))
        self.domain = self.processor.domain
        self.fingerprint = fingerprint or self.processor.model_metadata.model_id
        self.tracker_store.domain = self.domain
        if isinstance(self.nlg, TemplatedNaturalLanguageGenerator):
            self.nlg.responses = self.domain.responses
