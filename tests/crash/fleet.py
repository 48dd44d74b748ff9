"""Replicas of `frontdesk serve` that are killed and started again."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from tests.crash.platform import SHOP
from tests.crash.traffic import Kill
from tests.process import Server, free_port, prepared_state
from tests.standins.twilio import TwilioStandin

_LOOK_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Death:
    """A process that was killed.

    Attributes:
        replica: Which.
        where: The named point, or ``any moment``.
        acknowledged: Messages acknowledged until then.
    """

    replica: int
    where: str
    acknowledged: int


@dataclass(slots=True)
class Fleet:
    """All replicas on one database.

    Attributes:
        deaths: The kills so far.
        surprises: Processes that ended without being killed, with the end of what they printed.
    """

    servers: list[Server]
    deaths: list[Death] = field(default_factory=list)
    surprises: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, folder: Path, twilio: TwilioStandin, database: str, replicas: int) -> Fleet:
        """Replicas that are not started yet, with Twilio as their only platform."""
        credentials = folder / "credentials.yml"
        credentials.write_text(json.dumps({"twilio": twilio.credentials(SHOP)}))
        environment = {
            "FRONTDESK_CREDENTIALS": str(credentials),
            "FRONTDESK_DATABASE_URL": database,
        }
        states = [prepared_state(folder / f"replica{number}") for number in range(replicas)]
        return cls([Server(state, free_port(), environment, forked=True) for state in states])

    @property
    def webhooks(self) -> list[str]:
        """Where each takes messages."""
        return [f"{server.url}/webhooks/twilio/webhook" for server in self.servers]

    def start(self, armed: Kill | None = None) -> None:
        """Starts all; the first dies by itself when it is armed with a named point."""
        for number, server in enumerate(self.servers):
            server.start(FRONTDESK_KILL_AT=armed.variable if armed and number == 0 else "")

    async def wait_ready(self) -> None:
        """Returns when every replica is ready."""
        await asyncio.gather(*(asyncio.to_thread(server.wait_ready) for server in self.servers))

    async def kill(
        self, planned: Sequence[Kill], random: Random, progress: Callable[[], int]
    ) -> None:
        """Kills as planned, one after the other, and starts each victim again at once.

        Args:
            planned: The first is what `start` was given.
            progress: How many messages were acknowledged so far.
        """
        armed = 0
        for kill, following in zip(planned, [*planned[1:], None], strict=True):
            victim = armed if kill.point else random.randrange(len(self.servers))
            await self._until_due(kill, victim, progress)
            # One that never came to its point is killed wherever it is.
            there = self._ended(victim) and kill.point
            self.servers[victim].stop(signal.SIGKILL)
            self.deaths.append(Death(victim, there or "any moment", progress()))
            self.servers[victim].start(FRONTDESK_KILL_AT=following.variable if following else "")
            armed = victim

    async def _until_due(self, kill: Kill, victim: int, progress: Callable[[], int]) -> None:
        while progress() < kill.after and not (kill.point and self._ended(victim)):
            self.revive(expected=victim if kill.point else None)
            await asyncio.sleep(_LOOK_SECONDS)

    def revive(self, expected: int | None = None) -> None:
        """Notes processes that ended by themselves, and starts them again."""
        for number, server in enumerate(self.servers):
            if number != expected and self._ended(number):
                assert server.process is not None
                code = server.process.returncode
                self.surprises.append(f"replica {number} ended with {code}: {server.log[-600:]}")
                server.start()

    def _ended(self, number: int) -> bool:
        process = self.servers[number].process
        return process is not None and process.poll() is not None

    async def stop(self) -> None:
        """Ends all as an operator would."""
        await asyncio.gather(*(asyncio.to_thread(server.stop) for server in self.servers))

    def end(self) -> None:
        """Ends what may still run, at once."""
        for server in self.servers:
            server.stop(signal.SIGKILL)
