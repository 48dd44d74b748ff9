"""Runs one action of the assistant in this folder: `python -m tests.docs.run_action NAME SHOP_URL`.

Standard input holds the slots of several customers; standard output gets what each is answered. It
is a process of its own, since an action that was imported once stays known to rasa_sdk.
"""

from __future__ import annotations

import asyncio
import json
import sys
from datetime import UTC, datetime
from typing import Any

from rasa_sdk.executor import ActionExecutor

from bot.core.actions import ActionContext, current_action
from connectors.crm.sql import create as create_crm
from connectors.pos.sql import create as create_pos


async def answers(name: str, shop_url: str, customers: list[dict[str, Any]]) -> list[Any]:
    """What rasa_sdk returns for each customer's slots."""
    executor = ActionExecutor()
    executor.register_package("actions")
    crm, pos = create_crm(shop_url, {}), create_pos(shop_url, {})
    current_action.set(ActionContext(crm, pos, key="tour", now=datetime.now(UTC)))
    try:
        return [await executor.run(_call(name, slots)) for slots in customers]
    finally:
        await crm.close()
        await pos.close()


def _call(name: str, slots: dict[str, Any]) -> dict[str, Any]:
    tracker = {
        "sender_id": "tour",
        "slots": slots,
        "latest_message": {},
        "events": [],
        "paused": False,
        "followup_action": None,
        "active_loop": {},
        "latest_action_name": None,
    }
    return {"next_action": name, "sender_id": "tour", "tracker": tracker, "domain": {}}


if __name__ == "__main__":
    found = asyncio.run(answers(sys.argv[1], sys.argv[2], json.load(sys.stdin)))
    json.dump(found, sys.stdout)
