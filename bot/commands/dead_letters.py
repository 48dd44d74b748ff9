"""`frontdesk dead-letters …`"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from rich.console import Console

from bot.bootstrap import channel_explains
from bot.core.access import OPERATOR
from bot.core.errors import ConfigurationError, ConversationError
from bot.flow.dead_letters import DeadLetters, Explained
from bot.flow.hub import LocalHub
from bot.settings import Settings
from bot.store.database import Database
from bot.store.migrate import migrate

_AT_ONCE = 200
_Result = TypeVar("_Result")


@dataclass(slots=True)
class Replayed:
    """What became of a replay: ids that are on their way, and why others were refused."""

    done: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)


def show_list(settings: Settings, channel: str | None, limit: int, *, as_json: bool) -> None:
    """Prints dead letters, oldest first."""
    found = _run(settings, lambda letters: letters.list(OPERATOR, limit, channel=channel))
    if as_json:
        print(json.dumps([_plain(each) for each in found], indent=2))
        return
    console = Console()
    for each in found:
        letter = each.letter
        way = "in " if letter.inbound else "out"
        line = f"{letter.id}  {letter.since:%Y-%m-%d %H:%M} UTC  {way}  {letter.channel}"
        console.print(line, markup=False, soft_wrap=True)
        console.print(f"    {each.explanation.happened}", markup=False, soft_wrap=True)
    if not found:
        console.print("There are no dead letters.")


def show(settings: Settings, message: str) -> None:
    """Prints one dead letter.

    Raises:
        ConfigurationError: There is no such dead letter.
    """
    try:
        found = _run(settings, lambda letters: letters.show(OPERATOR, message))
    except ConversationError as error:
        raise _unknown(message) from error
    letter, console = found.letter, Console()
    facts = {
        "Message": letter.id,
        "Conversation": letter.conversation,
        "Channel": letter.channel,
        "Direction": "in" if letter.inbound else f"out, written by the {letter.author}",
        "Since": f"{letter.since:%Y-%m-%d %H:%M:%S} UTC",
        "Attempts": letter.attempts,
        "What happened": found.explanation.happened,
        "What to do": found.explanation.todo,
        "Try again": f"frontdesk dead-letters replay {letter.id}",
    }
    for name, value in facts.items():
        console.print(f"{name + ':':<15}{value}", markup=False, soft_wrap=True)


def replay(
    settings: Settings, messages: Sequence[str], channel: str | None, *, everything: bool
) -> bool:
    """Tries dead letters again, and prints what became of each.

    Returns:
        Whether none was refused.

    Raises:
        ConfigurationError: Neither ids nor --all, or both.
    """
    if everything == bool(messages):
        raise ConfigurationError(
            "dead-letters replay",
            "needs either ids or --all",
            "See the ids with: frontdesk dead-letters list.",
        )
    if channel is not None and not everything:
        raise ConfigurationError("--channel", "chooses among all", "Add --all.", channel)

    async def run(letters: DeadLetters) -> Replayed:
        chosen = list(messages)
        if everything:
            chosen = await _all(letters, channel)
        return await _replay(letters, chosen)

    result, console = _run(settings, run), Console()
    for message in result.done:
        console.print(f"{message}  is on its way", markup=False, soft_wrap=True)
    for message, why in result.refused.items():
        console.print(f"{message}  was left alone: {why}", markup=False, soft_wrap=True)
    if not result.done and not result.refused:
        console.print("There are no dead letters.")
    return not result.refused


async def _all(letters: DeadLetters, channel: str | None) -> list[str]:
    # Chosen before the first is replayed: what fails again meanwhile is not tried for ever.
    limit = _AT_ONCE
    while True:
        found = await letters.list(OPERATOR, limit, channel=channel)
        if len(found) < limit:
            return [each.letter.id for each in found]
        limit *= 10


async def _replay(letters: DeadLetters, messages: Sequence[str]) -> Replayed:
    result = Replayed()
    for message in messages:
        try:
            await letters.replay(OPERATOR, message)
        except ConversationError as error:
            result.refused[message] = str(error)
        else:
            result.done.append(message)
    return result


def _run(settings: Settings, do: Callable[[DeadLetters], Awaitable[_Result]]) -> _Result:
    """Does something with the dead letters of this installation's database."""

    async def run() -> _Result:
        database = Database(settings.database_url)
        try:
            await migrate(database)
            # The server's workers look for themselves: no hint reaches them from here.
            return await do(DeadLetters(database, LocalHub(), channel_explains(settings)))
        finally:
            await database.aclose()

    return asyncio.run(run())


def _unknown(message: str) -> ConfigurationError:
    return ConfigurationError(
        "dead-letters show",
        "there is no such dead letter",
        "See the ids with: frontdesk dead-letters list.",
        message,
    )


def _plain(explained: Explained) -> dict[str, object]:
    letter = explained.letter
    return {
        "id": letter.id,
        "conversation": letter.conversation,
        "channel": letter.channel,
        "direction": "in" if letter.inbound else "out",
        "author": letter.author,
        "since": letter.since.isoformat(),
        "attempts": letter.attempts,
        "error": letter.error,
        "code": letter.code,
        "happened": explained.explanation.happened,
        "todo": explained.explanation.todo,
    }
