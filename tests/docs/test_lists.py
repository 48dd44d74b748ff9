"""Lists and tables of the documentation hold all that the code has, and nothing else."""

from __future__ import annotations

import re
from dataclasses import fields
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import typer.main
from fastapi.routing import APIRoute

from bot.bootstrap import connect_shop
from bot.cli import app
from bot.core.conversation import TRANSITIONS, HandoffReason, State
from bot.core.decision import Costs, Grievances, Kind, Weighed, decide
from bot.core.identity import Identity
from bot.core.time_limits import TimeLimits
from bot.flow.desk import Desk, StoredTranscript
from bot.flow.hub import LocalHub
from bot.flow.notices import Notices
from bot.flow.receive import Receiver
from bot.flow.time_limits import KEYS, read_time_limits
from bot.project import read_yaml
from bot.settings import Settings, load
from bot.store import tables
from bot.store.database import Database
from bot.tensorflow_check import NEEDS_TENSORFLOW
from connectors.channels import webchat
from connectors.channels.twilio.payload import _KEYWORDS
from connectors.channels.webchat.routes import create_router
from connectors.sql.entities import CRM_ENTITIES, POS_ENTITIES
from connectors.sql.fields import Entity
from desk.api import create_api
from desk.api_errors import _STATUS
from tests.docs.markdown import ROOT, code, page
from tests.docs.sources import environment_variables, fault_points


def first_codes(name: str, *header: str) -> list[str]:
    """The code spans in the first column of a table."""
    return [span for row in page(name).rows(*header) for span in code(row[0])]


class TestSettings:
    def test_every_variable(self) -> None:
        assert set(first_codes("settings.md", "Variable")) == environment_variables()

    @pytest.mark.parametrize("name", ["host", "port", "state_dir", "credentials", "endpoints"])
    def test_defaults(self, name: str) -> None:
        default = {code(row[0])[0]: row[1] for row in page("settings.md").rows("Variable")}
        expected = Settings.model_fields[name].default
        assert code(default[f"FRONTDESK_{name.upper()}"]) == [str(expected)]

    def test_every_command(self) -> None:
        named = {span.removeprefix("frontdesk ") for span in first_codes("settings.md", "Command")}
        assert named == commands().keys()

    def test_every_flag(self) -> None:
        named = {
            (command, flag)
            for row in page("settings.md").rows("Flag", "Of")
            for command in code(row[1])
            for flag in code(row[0])
        }
        assert named == {(name, flag) for name, flags in commands().items() for flag in flags}


def commands() -> dict[str, set[str]]:
    """Every command of `frontdesk`, with its flags."""
    return dict(_walk(typer.main.get_command(app), ""))


def _walk(group: Any, prefix: str) -> Any:
    for name, command in group.commands.items():
        is_group = hasattr(command, "commands")
        if is_group:
            yield from _walk(command, f"{prefix}{name} ")
        if not is_group or command.invoke_without_command:
            spelt = [flag for p in command.params for flag in (*p.opts, *p.secondary_opts)]
            yield prefix + name, {flag for flag in spelt if flag.startswith("-")}


class TestTheMessagePath:
    def test_fault_points(self) -> None:
        assert sorted(first_codes("testing.md", "Point")) == fault_points()

    def test_tables(self) -> None:
        assert set(first_codes("architecture.md", "Table")) == set(tables.metadata.tables)

    def test_the_diagram_of_ownership(self) -> None:
        diagrams = [b.text for b in page("architecture.md").blocks if b.language == "mermaid"]
        drawn = next(d for d in diagrams if d.startswith("stateDiagram"))
        arrows = re.findall(r"^ *(\w+) --> (\w+): (\w+)$", drawn, re.MULTILINE)
        assert sorted(arrows) == sorted(
            (str(before), str(after), str(trigger))
            for (before, trigger), after in TRANSITIONS.items()
        )

    def test_identities(self) -> None:
        named = first_codes("architecture.md", "Identity")
        assert named == [identity.name.lower() for identity in Identity]

    def test_test_folders(self) -> None:
        kept = {p.name for p in (ROOT / "tests").iterdir() if p.is_dir() and _is_kept(p)}
        assert {Path(span).name for span in first_codes("testing.md", "Folder")} == kept


def _is_kept(folder: Path) -> bool:
    return not folder.name.startswith(("_", ".")) and any(folder.rglob("*.*"))


class TestTheDesk:
    def test_states(self) -> None:
        assert first_codes("desk.md", "State") == list(State)

    def test_reasons(self) -> None:
        assert first_codes("desk.md", "Reason") == list(HandoffReason)

    def test_errors(self) -> None:
        named = {(row[0], code(row[1])[0]) for row in page("desk.md").rows("Status", "Code")}
        coded = {(str(status), name) for _, status, name, _ in _STATUS}
        assert named == coded | {("422", "invalid")}

    def test_requests(self, tmp_path: Path) -> None:
        assert set(first_codes("desk.md", "Request")) == offered(tmp_path, "/api/v1/")

    def test_time_limits(self) -> None:
        rows = page("time.md").rows("Key", "Unit", "Default")
        units = {"minutes": timedelta(minutes=1), "hours": timedelta(hours=1)}
        shown = [int(row[2].partition(",")[0]) * units[row[1]] for row in rows]
        assert tuple(code(row[0])[0] for row in rows) == KEYS
        assert TimeLimits(*shown) == TimeLimits()
        # What the project's own file says is what it would be without.
        assert read_time_limits(read_yaml(ROOT / "endpoints.yml")["handoff"]) == TimeLimits()


class TestEscalation:
    def test_what_speaks_against_the_bot(self) -> None:
        named = {code(r[0])[0]: code(r[2])[0] for r in page("escalation.md").rows("Sign")}
        weights = Grievances()
        assert set(named) == {field.name for field in fields(weights)}
        sure = Weighed(Kind.ASK, None, (), 0.0, 0.0)
        for sign, reason in named.items():
            assert decide(sure, Costs(), weights.of({sign: 99})).reason == reason

    def test_keys_to_change(self) -> None:
        section = page("escalation.md").text.partition("## Change it")[2].partition("An intent")[0]
        config = read_yaml(ROOT / "config.yml")
        policy = next(p for p in config["policies"] if p["name"].endswith("EscalationPolicy"))
        known = {*policy, *policy["costs"], "out_of_scope"}
        named = {span for span in code(section) if re.fullmatch(r"[a-z_]+", span)}
        assert named <= known
        assert set(policy["costs"]) == {field.name for field in fields(Costs)}


class TestChannels:
    def test_web_chat_requests(self, tmp_path: Path) -> None:
        named = set(first_codes("web-chat.md", "Request"))
        assert named == offered(tmp_path, "/webhooks/webchat/")

    def test_web_chat_attributes(self) -> None:
        widget = ROOT / "connectors/channels/webchat/static/widget.js"
        read = re.findall(r"\bdata\.(\w+)", widget.read_text(encoding="utf-8").split("--- the")[0])
        named = {span.removeprefix("data-") for span in first_codes("web-chat.md", "Attribute")}
        assert {"title", "server"} <= set(read)
        assert named == set(read)

    def test_twilio_keywords(self) -> None:
        section = page("connect-twilio.md").text.partition("## Keywords")[2].partition("##")[0]
        assert set(re.findall(r"\b[A-Z]{3,}\b", section)) - {"SMS"} == _KEYWORDS


def offered(folder: Path, prefix: str) -> set[str]:
    """The requests that the desk's API and the web chat take, as ``POST /path``."""
    database = Database(f"sqlite:///{folder}/frontdesk.db")
    shop = connect_shop(load(state_dir=folder))
    hub = LocalHub()
    desk = Desk(database, hub, shop.crm, shop.pos, Notices(dict))
    channel = webchat.create("webchat", {"secret": "s" * 32}, "http://127.0.0.1:8000")
    receiver = Receiver(database, hub)
    api = create_api(desk, database)
    chat = create_router(
        channel,
        StoredTranscript(database),
        hub,
        lambda request: receiver.receive(channel, request),
    )
    return {
        f"{method} {route.path.replace('{conversation}', '{id}')}"
        for route in (*api.routes, *chat.routes)
        if isinstance(route, APIRoute) and route.include_in_schema
        for method in route.methods or ()
        if route.path.startswith(prefix)
    }


class TestTheShop:
    @pytest.mark.parametrize(
        ("heading", "entities"), [("### crm", CRM_ENTITIES), ("### pos", POS_ENTITIES)]
    )
    def test_entities_and_fields(self, heading: str, entities: tuple[Entity, ...]) -> None:
        part = page("connect-your-shop.md").text.partition(heading)[2].partition("\n#")[0]
        for entity in entities:
            assert _row(entity) in part.splitlines()
        assert part.count("\n| `") >= len(entities)

    def test_values(self) -> None:
        named = {
            code(row[0])[0]: tuple(code(row[1]))
            for row in page("connect-your-shop.md").rows("Field", "Values")
        }
        assert named == {
            f"{entity.name}.{name}": field.choices
            for entity in (*CRM_ENTITIES, *POS_ENTITIES)
            for name, field in entity.fields.items()
            if field.choices
        }


def _row(entity: Entity) -> str:
    fields = ", ".join(
        f"*`{name}`*" if field.optional else f"`{name}`" for name, field in entity.fields.items()
    )
    absent = "yes" if entity.optional else "no"
    return f"| `{entity.name}` | `{entity.table}` | {absent} | {fields} |"


def test_components_that_need_tensorflow() -> None:
    first = page("tensorflow.md").text.partition("\n\n")[2].partition("\n\n")[0]
    assert {span for span in code(first) if span[0].isupper()} == NEEDS_TENSORFLOW
