"""When an account may send: its breaker and its rate, together, for every account in use."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import inf

from bot.core.errors import DeliveryError
from bot.core.messages import Address
from bot.flow.breaker import Breaker
from bot.flow.rate import TokenBucket

Account = tuple[str, str]
_SPARE = 2


@dataclass(slots=True)
class Passage:
    """One message on its way through a gate."""

    gate: Gate
    conversation: str
    probe: bool

    def answered(self) -> None:
        """The platform took the message, or refused it for its own sake."""
        self.gate.breaker.answered()

    def failed(self, error: DeliveryError) -> bool:
        """The platform could not take it now.

        Returns:
            Whether that says nothing of the message, which then loses no attempt.
        """
        if error.whole_account:
            self.gate.breaker.refused(error.retry_after, probe=self.probe)
            return True
        self.gate.breaker.failed(self.conversation, probe=self.probe)
        return self.probe


class Gate:
    """Where the messages of one account pass."""

    def __init__(self, rate: float | None, clock: Callable[[], float]) -> None:
        self.breaker, self._bucket = Breaker(clock), TokenBucket(rate, clock)

    def wait(self) -> float:
        """Seconds until a message may pass; infinite while one must come back first."""
        return max(self.breaker.wait(), self._bucket.wait())

    def room(self) -> float:
        """How many may pass at once; infinite where nothing limits them."""
        return 1.0 if self.breaker.is_open else self._bucket.room()

    @contextmanager
    def passing(self, conversation: str) -> Iterator[Passage | None]:
        """A message passes, or None must wait. Nothing may be awaited before it is entered."""
        if self.wait() > 0:
            yield None
            return
        self._bucket.take()
        passage = Passage(self, conversation, self.breaker.begin())
        try:
            yield passage
        finally:
            self.breaker.end(probe=passage.probe)


class Gates:
    """The gates of this process; another replica learns for itself.

    Args:
        rates: Messages a second of each account, by channel; a channel that is not named has no
            limit.
        clock: Seconds that only grow.
    """

    def __init__(
        self, rates: Mapping[str, float], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._rates, self._clock = rates, clock
        self._gates: dict[Account, Gate] = {}

    def of(self, address: Address) -> Gate:
        """The gate of the account to which this customer wrote."""
        account = (address.channel, address.account)
        if account not in self._gates:
            self._gates[account] = Gate(self._rates.get(address.channel), self._clock)
        return self._gates[account]

    def held(self) -> list[Account]:
        """The accounts whose messages must wait now."""
        return [account for account, gate in self._gates.items() if gate.wait() > 0]

    def admitted(self, waiting: Sequence[tuple[str, Address]]) -> list[str]:
        """Of these conversations, in their order, those that have a chance to pass.

        More than may pass: another replica may be at work on the first of them.
        """
        room: dict[Gate, float] = {}
        admitted = []
        for conversation, address in waiting:
            gate = self.of(address)
            room[gate] = room.get(gate, gate.room() + _SPARE) - 1
            if room[gate] >= 0:
                admitted.append(conversation)
        return admitted

    def opens_in(self, held: Sequence[Account]) -> float:
        """Seconds until the first of these accounts may send; infinite when there is none."""
        return min((self._gates[account].wait() for account in held), default=inf)
