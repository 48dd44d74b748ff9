"""Named points in the message path at which tests kill the process.

``FRONTDESK_KILL_AT=turn.before_commit`` ends the process by SIGKILL when it first passes that
point; ``FRONTDESK_KILL_AT=turn.before_commit:3`` the third time. Without the variable a point costs
one comparison. Points: receive.before_commit, receive.after_commit, turn.claimed, turn.answered,
turn.before_commit, turn.after_commit, deliver.before_send, deliver.after_send,
deliver.after_commit, timer.claimed, timer.before_commit, timer.after_commit.
"""

from __future__ import annotations

import os
import signal

_name, _, _count = os.environ.get("FRONTDESK_KILL_AT", "").partition(":")
_left = int(_count or 1)


def fault_point(name: str) -> None:
    """Ends the process here when the environment asks for it."""
    global _left
    if name != _name:
        return
    _left -= 1
    if _left <= 0:
        os.kill(os.getpid(), signal.SIGKILL)
