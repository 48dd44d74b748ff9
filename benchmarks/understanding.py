"""The trained assistant on messages that training never saw.

.venv/bin/python -m benchmarks.understanding models/NAME.tar.gz
"""

from __future__ import annotations

import asyncio
import logging
import statistics
import time
from pathlib import Path
from typing import Annotated

import typer
from rasa.core.agent import Agent
from rasa.shared.nlu.training_data.loading import load_data

from bot.dialogue.logs import quieten_rasa

KEPT = Path("tests/nlu/held_out")
STRANGE = Path("tests/nlu/out_of_scope.yml")
NOT_ANSWERED = {"nlu_fallback", "out_of_scope"}


def main(model: Annotated[Path, typer.Argument(help="A trained model")]) -> None:
    """Prints how many messages are understood, and how long one takes."""
    quieten_rasa(logging.ERROR)
    asyncio.run(_measure(Agent.load(model)))


def _examples(path: Path) -> list[tuple[str, str]]:
    return [(m.get("intent"), m.get("text")) for m in load_data(str(path)).intent_examples]


async def _measure(agent: Agent) -> None:
    first = right = asked = 0
    seconds = []
    kept = _examples(KEPT)
    for intent, text in kept:
        began = time.perf_counter()
        parsed = await agent.parse_message(text)
        seconds.append(time.perf_counter() - began)
        ranking = [i["name"] for i in parsed["intent_ranking"] if i["name"] != "nlu_fallback"]
        first += ranking[0] == intent
        right += parsed["intent"]["name"] == intent
        # A message that is taken for foreign is asked about too.
        asked += parsed["intent"]["name"] in NOT_ANSWERED - {intent}
    strange = [text for _, text in _examples(STRANGE)]
    caught = [(await agent.parse_message(t))["intent"]["name"] in NOT_ANSWERED for t in strange]
    wrong = len(kept) - right - asked
    print(
        f"{len(kept)} held-out messages: first choice right {first / len(kept):.1%}; "
        f"answered right {right / len(kept):.1%}, asked back {asked / len(kept):.1%}, "
        f"answered wrong {wrong / len(kept):.1%}\n"
        f"{len(strange)} messages out of scope: not answered {sum(caught) / len(strange):.1%}\n"
        f"one message: median {statistics.median(seconds) * 1000:.1f} ms"
    )


if __name__ == "__main__":
    typer.run(main)
