"""The runner gives what Rasa's own gives, on the same graph."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from rasa.engine.exceptions import GraphRunError
from rasa.engine.graph import ExecutionContext, GraphComponent, GraphSchema, SchemaNode
from rasa.engine.runner.dask import DaskGraphRunner
from rasa.engine.runner.interface import GraphRunner
from rasa.engine.storage.local_model_storage import LocalModelStorage
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage

from bot.dialogue.runner import SequentialAgent, SequentialGraphRunner, SequentialProcessor
from tests.process import trained_model


class Arithmetic(GraphComponent):
    """Adds what it gets, and what the configuration says."""

    runs = 0

    def __init__(self, plus: int) -> None:
        self._plus = plus

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> Arithmetic:
        return cls(config["plus"])

    def add(self, first: int, second: int = 0) -> int:
        Arithmetic.runs += 1
        return first + second + self._plus


def node(plus: int, **needs: str) -> SchemaNode:
    return SchemaNode(
        needs=needs,
        uses=Arithmetic,
        constructor_name="create",
        fn="add",
        config={"plus": plus},
        eager=True,
    )


SCHEMA = GraphSchema(
    {
        "sum": SchemaNode(**{**vars(node(100, first="left", second="right")), "is_target": True}),
        "left": node(1, first="__input__"),
        "right": node(10, first="left"),
        "alone": node(1000, first="__input__"),
    }
)


def made(runner: type[GraphRunner], folder: Path) -> GraphRunner:
    folder.mkdir()
    return runner.create(SCHEMA, LocalModelStorage(folder), ExecutionContext(SCHEMA))


@pytest.mark.parametrize("targets", [None, ["sum"], ["alone", "right"]])
def test_the_same_as_rasas_runner(tmp_path: Path, targets: list[str] | None) -> None:
    ours = made(SequentialGraphRunner, tmp_path / "ours")
    rasas = made(DaskGraphRunner, tmp_path / "rasas")
    for value in (1, 2):  # the second run takes the plan of the first
        inputs = {"__input__": value}
        assert ours.run(inputs, targets) == rasas.run(inputs, targets)


def test_a_node_runs_once_and_only_where_it_is_needed(tmp_path: Path) -> None:
    runner = made(SequentialGraphRunner, tmp_path / "ours")
    Arithmetic.runs = 0
    assert runner.run({"__input__": 5}, ["sum"]) == {"sum": 6 + 16 + 100}
    assert Arithmetic.runs == 3


def test_wrong_inputs(tmp_path: Path) -> None:
    runner = made(SequentialGraphRunner, tmp_path / "ours")
    with pytest.raises(GraphRunError, match="'left' has the name of a node"):
        runner.run({"left": 1, "__input__": 1})
    with pytest.raises(GraphRunError, match="Missing input"):
        runner.run({})


def test_a_loaded_agent_has_this_runner() -> None:
    agent = SequentialAgent.load(trained_model())
    assert isinstance(agent, SequentialAgent)
    assert isinstance(agent.processor, SequentialProcessor)
    assert isinstance(agent.processor.graph_runner, SequentialGraphRunner)
