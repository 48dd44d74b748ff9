"""How far messages of several parts have got, so that a retry neither repeats nor skips a part."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field

_KEPT = 2000


@dataclass(slots=True)
class Progress:
    """One message.

    Attributes:
        sids: Twilio's ids of the parts that were taken, in order.
        doubtful_since: Unix time of an attempt at the next part of which it is not known whether
            Twilio took it; None when there was none.
    """

    sids: list[str] = field(default_factory=list)
    doubtful_since: float | None = None


class ProgressBook:
    """Progress of the messages under way, and whose the latest SIDs are.

    Kept in memory and bounded: it serves retries in the life of one process. After a crash,
    `TwilioChannel.find_sent` fills it again.
    """

    def __init__(self) -> None:
        self._open: OrderedDict[str, Progress] = OrderedDict()
        self._owners: OrderedDict[str, str] = OrderedDict()

    def of(self, message_id: str) -> Progress:
        """The message's progress, begun when there is none."""
        progress = self._open.setdefault(message_id, Progress())
        if len(self._open) > _KEPT:
            self._open.popitem(last=False)
        return progress

    def add(self, message_id: str, progress: Progress, sid: str) -> None:
        """Notes that Twilio took the message's next part under this id."""
        progress.sids.append(sid)
        progress.doubtful_since = None
        self._owners[sid] = message_id
        if len(self._owners) > _KEPT:
            self._owners.popitem(last=False)

    def close(self, message_id: str) -> None:
        """Forgets a message that is sent: sending it again is then meant."""
        self._open.pop(message_id, None)

    def is_free(self, sid: str, message_id: str) -> bool:
        """Whether the id may be that of the message's next part: no known part has it."""
        owner = self._owners.get(sid)
        return owner is None or (owner == message_id and sid not in self.of(message_id).sids)
