"""The assistant's actions behind rasa_sdk's own action server, as a process.

`rasa run actions` in stock Rasa's environment cannot run them: they are written for Python 3.11 and
ask the engine for the shop. This is the same server with the shop around each call, in this
environment.

python -m bot.benchmarking.stock.actions PORT ENDPOINTS SHOP_URL
"""

from __future__ import annotations

import importlib
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rasa_sdk.endpoint import create_app
from sanic import Request

from bot.core.actions import ActionContext, current_action
from bot.core.shop import Crm, Pos
from bot.project import read_yaml
from bot.store.engine import async_url


def app(endpoints: Path, shop_url: str) -> Any:
    """rasa_sdk's server, with the shop's systems for every action.

    Args:
        endpoints: The file that names them.
        shop_url: The database of those that name none.
    """
    sections = read_yaml(endpoints)
    crm: Crm = _system("crm", sections, shop_url)
    pos: Pos = _system("pos", sections, shop_url)
    timezone = str((sections.get("shop") or {}).get("timezone", "Europe/London"))

    async def prepare(_: object) -> None:
        await crm.prepare()
        await pos.prepare()

    async def context(request: Request) -> None:
        if request.path == "/webhook":
            message = request.json["tracker"]["latest_message"]
            key, now = str(message.get("message_id")), datetime.now(UTC)
            current_action.set(ActionContext(crm, pos, key, now, "rest", timezone=timezone))

    server = create_app("actions")
    server.register_listener(prepare, "before_server_start")
    server.register_middleware(context, "request")
    return server


def _system(kind: str, sections: dict[str, Any], shop_url: str) -> Any:
    section = dict(sections.get(kind) or {})
    connector = str(section.pop("type", "sql"))
    url = str(section.pop("url", "") or shop_url)
    module = importlib.import_module(f"connectors.{kind}.{connector}")
    return module.create(async_url(url) if connector == "sql" else url, section)


def main() -> None:
    """Serves until it is told to stop."""
    port, endpoints, shop_url = sys.argv[1:]
    # One process, as the Sanic that Rasa pins has it.
    app(Path(endpoints), shop_url).run("127.0.0.1", int(port), single_process=True, motd=False)


if __name__ == "__main__":
    main()
