"""The files below deploy/ can be read, and what they name exists."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from bot.app import create_app
from bot.bootstrap import build
from bot.flow.workers import DRAIN_SECONDS
from bot.monitoring.metrics import Metrics
from bot.settings import load
from bot.store.queues import Waiting
from tests.docs.markdown import ROOT, code, page

DEPLOY = ROOT / "deploy"
YAML = sorted([*DEPLOY.rglob("*.yaml"), *DEPLOY.rglob("*.yml")])
TEXTS = sorted(path for path in DEPLOY.rglob("*") if path.is_file())
_VARIABLE = re.compile(r"FRONTDESK_[A-Z_]*[A-Z]")
_METRIC = re.compile(r"\bfrontdesk_[a-z_]+(?=[\[{)\s]|$)")
# Of compose and not of Frontdesk: the name under which Caddy answers.
_OF_COMPOSE = {"FRONTDESK_DOMAIN"}


def documents(path: Path) -> list[Any]:
    return list(yaml.safe_load_all(path.read_text(encoding="utf-8")))


def named(path: Path) -> str:
    return str(path.relative_to(DEPLOY))


@pytest.mark.parametrize("path", YAML, ids=named)
def test_yaml(path: Path) -> None:
    assert all(isinstance(document, dict) for document in documents(path))


@pytest.mark.parametrize("path", TEXTS, ids=named)
def test_variables_are_settings(path: Path) -> None:
    known = {code(row[0])[0] for row in page("settings.md").rows("Variable")}
    assert set(_VARIABLE.findall(path.read_text(encoding="utf-8"))) <= known | _OF_COMPOSE


def kubernetes(kind: str) -> dict[str, Any]:
    """The one object of this kind."""
    (found,) = [
        document
        for path in sorted((DEPLOY / "kubernetes").glob("*.yaml"))
        for document in documents(path)
        if document["kind"] == kind
    ]
    return dict(found)


def container() -> dict[str, Any]:
    return dict(kubernetes("Deployment")["spec"]["template"]["spec"]["containers"][0])


@pytest.fixture
def routes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Every path that the application answers."""
    monkeypatch.chdir(ROOT)
    frontdesk = build(load(state_dir=tmp_path))
    app = create_app(frontdesk, Path("none"), lambda _: None)
    return {str(getattr(route, "path", "")) for route in _all(app.routes)}


def _all(routes: Any) -> Iterator[Any]:
    for route in routes:
        yield route
        inner = getattr(route, "original_router", None)
        yield from _all(getattr(inner, "routes", ()))


def test_probes_ask_what_exists(routes: set[str]) -> None:
    probes = [container()[f"{kind}Probe"] for kind in ("startup", "liveness", "readiness")]
    asked = {probe["httpGet"]["path"] for probe in probes}
    for path in (DEPLOY / "compose.yaml", DEPLOY / "Dockerfile"):
        asked |= set(re.findall(r"127\.0\.0\.1:8000(/\w+)", path.read_text()))
    scraped = kubernetes("Deployment")["spec"]["template"]["metadata"]["annotations"]
    asked.add(scraped["prometheus.io/path"])
    assert asked == {"/healthz", "/readyz", "/metrics"}
    assert asked <= routes


def test_probes_wait_as_long_as_the_answer_may_take() -> None:
    # The answer comes within five seconds.
    assert container()["readinessProbe"]["timeoutSeconds"] >= 5


def test_names_fit_together() -> None:
    pod = kubernetes("Deployment")["spec"]["template"]
    labels = pod["metadata"]["labels"]
    assert kubernetes("Deployment")["spec"]["selector"]["matchLabels"] == labels
    assert kubernetes("Service")["spec"]["selector"] == labels
    assert kubernetes("PodDisruptionBudget")["spec"]["selector"]["matchLabels"] == labels
    ports = {port["name"] for port in container()["ports"]}
    assert {port["targetPort"] for port in kubernetes("Service")["spec"]["ports"]} <= ports
    sources = [next(iter(source.items())) for source in container()["envFrom"]]
    kinds = {"configMapRef": "ConfigMap", "secretRef": "Secret"}
    for source, reference in sources:
        assert kubernetes(kinds[source])["metadata"]["name"] == reference["name"]
    mounted = {mount["name"] for mount in container()["volumeMounts"]}
    assert mounted == {volume["name"] for volume in pod["spec"]["volumes"]}
    listed = set(kubernetes("Kustomization")["resources"])
    assert all((DEPLOY / "kubernetes" / name).exists() for name in listed)


def test_a_budget_leaves_room_to_evict_one() -> None:
    replicas = kubernetes("Deployment")["spec"]["replicas"]
    assert kubernetes("PodDisruptionBudget")["spec"]["minAvailable"] < replicas


def test_everything_waits_until_turns_are_finished() -> None:
    pod = kubernetes("Deployment")["spec"]["template"]["spec"]
    pause = int(container()["lifecycle"]["preStop"]["exec"]["command"][-1])
    compose = documents(DEPLOY / "compose.yaml")[0]["services"]["frontdesk"]
    unit = (DEPLOY / "systemd/frontdesk.service").read_text()
    systemd = re.search(r"TimeoutStopSec=(\d+)", unit)
    assert systemd is not None
    waits = [
        pod["terminationGracePeriodSeconds"] - pause,
        int(compose["stop_grace_period"].removesuffix("s")),
        int(systemd[1]),
    ]
    assert min(waits) > DRAIN_SECONDS + 5


def test_compose() -> None:
    services = documents(DEPLOY / "compose.yaml")[0]["services"]
    assert services["frontdesk"]["deploy"]["replicas"] == 3
    assert all("healthcheck" in service for service in services.values())
    wanted = set(re.findall(r"\$\{(\w+)", (DEPLOY / "compose.yaml").read_text()))
    given = set(re.findall(r"^(\w+)=", (DEPLOY / "example.env").read_text(), re.MULTILINE))
    assert wanted == given
    # What each replica may hold fits into what the server gives.
    limit = int(services["postgres"]["command"][-1].partition("=")[2])
    assert limit > 40 * services["frontdesk"]["deploy"]["replicas"]


def metrics() -> set[str]:
    """Every metric by the names of its samples."""
    text = Metrics().exposition({"inbox": Waiting(1, 1.0)}).decode()
    names = set()
    for family in text_string_to_metric_families(text):
        suffixes = {"histogram": ("_bucket", "_sum", "_count"), "counter": ("_total",)}
        for suffix in suffixes.get(family.type, ("",)):
            names.add(family.name + suffix)
    return names


def expressions() -> Iterator[str]:
    board = json.loads((DEPLOY / "grafana/frontdesk.json").read_text())
    for panel in board["panels"]:
        for target in panel["targets"]:
            yield target["expr"]
    for group in documents(DEPLOY / "prometheus/alerts.yml")[0]["groups"]:
        for rule in group["rules"]:
            yield rule["expr"]


def test_dashboard_and_alerts_name_metrics_that_exist() -> None:
    used = {name for expression in expressions() for name in _METRIC.findall(expression)}
    assert used
    assert used <= metrics()


def test_the_dashboard_shows_every_metric() -> None:
    shown = " ".join(expressions())
    for name in metrics():
        family = re.sub(r"_(bucket|sum|count)$", "", name)
        assert family in shown


def test_the_page_lists_every_metric() -> None:
    listed = {code(row[0])[0] for row in page("operations.md").rows("Metric")}
    assert listed == {re.sub(r"_(bucket|sum|count)$", "", name) for name in metrics()}
