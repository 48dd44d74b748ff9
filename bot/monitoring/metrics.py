"""The metrics, by Prometheus' client library. Labels come from small fixed sets only."""

from __future__ import annotations

import asyncio
import os
import resource
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from bot.core.conversation import HandoffReason
from bot.core.observer import TurnOutcome
from bot.store.queues import Waiting

# With several worker processes, each keeps its figures in files of this folder.
SHARED_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
STEPS = ("claim", "answer", "commit")
_MEMORY_SECONDS = 10.0
_FAST = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_TENTHS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0)


class Metrics:
    """All that is counted and timed in this process."""

    def __init__(self) -> None:
        # When a series began is of no use to anybody here, and would be as many series again.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = registry = CollectorRegistry()
        self.step_seconds = Histogram(
            "frontdesk_turn_step_seconds",
            "How long each step of a turn took",
            ("step",),
            buckets=_FAST,
            registry=registry,
        )
        self.turns = Counter(
            "frontdesk_turns_total", "Turns by how they ended", ("outcome",), registry=registry
        )
        self.deliveries = Counter(
            "frontdesk_deliveries_total",
            "Attempts to send by channel and by what they came to",
            ("channel", "status"),
            registry=registry,
        )
        self.handoffs = Counter(
            "frontdesk_handoffs_total",
            "Conversations that went to humans, by reason",
            ("reason",),
            registry=registry,
        )
        self.confidence = Histogram(
            "frontdesk_intent_confidence",
            "How sure the bot was of each message",
            buckets=_TENTHS,
            registry=registry,
        )
        self.webhook_seconds = Histogram(
            "frontdesk_webhook_seconds",
            "How long webhook requests took, by channel and HTTP status",
            ("channel", "status"),
            buckets=_FAST,
            registry=registry,
        )
        self.duplicates = Counter(
            "frontdesk_duplicates_total",
            "Messages that a platform sent again, not stored twice",
            ("channel",),
            registry=registry,
        )
        self.memory = Gauge(
            "frontdesk_process_memory_bytes",
            "Resident memory of the processes behind this address",
            registry=registry,
            multiprocess_mode="livesum",
        )
        self._begin_at_zero()

    def _begin_at_zero(self) -> None:
        """Series exist before their first event, so that the rate of the first is right."""
        for step in STEPS:
            self.step_seconds.labels(step)
        for outcome in TurnOutcome:
            self.turns.labels(outcome)
        for reason in HandoffReason:
            self.handoffs.labels(reason)

    def note_memory(self) -> None:
        """Measures this process's memory."""
        self.memory.set(resident_bytes())

    async def keep_noting_memory(self) -> None:
        """Measures it for as long as the task runs: another worker may be asked for the figures."""
        while True:
            self.note_memory()
            await asyncio.sleep(_MEMORY_SECONDS)

    def exposition(self, queues: Mapping[str, Waiting]) -> bytes:
        """Everything in Prometheus' text format.

        Args:
            queues: What waits now, by queue; empty when the database did not say.
        """
        self.note_memory()
        registry = self.registry
        if folder := os.environ.get(SHARED_FOLDER):
            registry = CollectorRegistry()
            MultiProcessCollector(registry, folder)  # type: ignore[no-untyped-call]
        waiting = CollectorRegistry()
        waiting.register(_Queues(queues))
        return generate_latest(registry) + generate_latest(waiting)


class _Queues(Collector):
    def __init__(self, queues: Mapping[str, Waiting]) -> None:
        self._queues = queues

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """The two families that are read from the database for each request."""
        oldest = GaugeMetricFamily(
            "frontdesk_queue_oldest_seconds", "How long the first has waited", labels=("queue",)
        )
        length = GaugeMetricFamily("frontdesk_queue_length", "How many wait", labels=("queue",))
        for name, waiting in self._queues.items():
            oldest.add_metric((name,), waiting.oldest)
            length.add_metric((name,), waiting.count)
        yield oldest
        yield length


def resident_bytes() -> int:
    """This process's memory; on systems without /proc its highest so far."""
    statm = Path("/proc/self/statm")
    if statm.exists():
        return int(statm.read_text().split()[1]) * resource.getpagesize()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
