"""The message path with a monitor on it, for the tests of metrics and traces."""

from __future__ import annotations

from typing import Any, cast

from prometheus_client.parser import text_string_to_metric_families

from bot.core.messages import Inbound, WebhookRequest, WebhookResult
from bot.core.shop import Crm, Pos
from bot.core.transcript import conversation_id
from bot.dialogue.brain import Brain
from bot.flow.deliver import Deliveries
from bot.flow.hub import LocalHub
from bot.flow.notices import Notices
from bot.flow.receive import Receiver
from bot.flow.turn import Shop, Turns
from bot.monitoring.monitor import Monitor
from bot.monitoring.routes import read_queues
from bot.store.database import Database
from connectors.handoff.desk import DeskHandoff
from tests.scripted import ADDRESS, ScriptedBrain, ScriptedChannel


class Observed:
    """The message path with a monitor, on a real database."""

    def __init__(self, database: Database, monitor: Monitor) -> None:
        self.database, self.monitor = database, monitor
        self.brain, self.channel = ScriptedBrain(), ScriptedChannel()
        hub, notices = LocalHub(), Notices(lambda: {})
        shop = Shop(cast(Crm, None), cast(Pos, None), "Europe/London")
        channels: Any = {self.channel.name: self.channel}
        self.receiver = Receiver(database, hub, monitor)
        self.turns = Turns(
            database,
            hub,
            lambda: cast(Brain, self.brain),
            shop,
            channels,
            DeskHandoff(),
            notices,
            monitor,
        )
        self.deliveries = Deliveries(database, hub, channels, observer=monitor)

    async def receive(self, *messages: Inbound, error: Exception | None = None) -> None:
        """As one webhook."""

        async def result(request: WebhookRequest) -> WebhookResult:
            if error:
                raise error
            return WebhookResult(status=202, inbound=messages)

        self.channel.receive = result  # type: ignore[method-assign]
        await self.receiver.receive(self.channel, WebhookRequest("POST", "", "", {}, b""))

    async def say(self, *messages: Inbound) -> None:
        """Receives, answers and delivers."""
        await self.receive(*messages)
        await self.turns.run(conversation())
        await self.deliveries.run(conversation())

    async def values(self) -> dict[str, float]:
        """Every sample by its name and labels, as a scraper reads them."""
        text = self.monitor.metrics.exposition(await read_queues(self.database)).decode()
        return {
            sample.name + "".join(f",{v}" for _, v in sorted(sample.labels.items())): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }


def conversation() -> str:
    """The conversation of the one customer."""
    return conversation_id(ADDRESS)
