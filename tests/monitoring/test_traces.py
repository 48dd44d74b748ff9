"""Spans of webhooks, turns and deliveries: kept in memory, and sent to a collector's port."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from opentelemetry.trace import StatusCode

from bot.core.errors import SignatureError
from bot.monitoring.metrics import Metrics
from bot.monitoring.monitor import Monitor
from bot.store.database import Database
from tests.monitoring.observed import Observed, conversation
from tests.process import ROOT
from tests.scripted import inbound

sdk = pytest.importorskip("opentelemetry.sdk.trace", reason="the extra otel is not installed")
export = pytest.importorskip("opentelemetry.sdk.trace.export")
memory = pytest.importorskip("opentelemetry.sdk.trace.export.in_memory_span_exporter")

EMAIL = "maya.okafor@example.com"


class Traced:
    """A message path whose spans are kept."""

    def __init__(self, database: Database) -> None:
        self._kept = memory.InMemorySpanExporter()
        provider = sdk.TracerProvider()
        provider.add_span_processor(export.SimpleSpanProcessor(self._kept))
        self.path = Observed(database, Monitor(Metrics(), provider.get_tracer("test")))

    @property
    def spans(self) -> dict[str, Any]:
        """The newest span of each name."""
        return {span.name: span for span in self._kept.get_finished_spans()}

    def written(self) -> str:
        """All of them, as an exporter would write them."""
        return "".join(span.to_json() for span in self._kept.get_finished_spans())


@pytest.fixture
def traced(database: Database) -> Traced:
    return Traced(database)


async def test_the_way_of_a_message(traced: Traced) -> None:
    await traced.path.say(inbound("hello"))
    spans = traced.spans
    assert set(spans) == {"receive", "turn", "claim", "answer", "commit", "deliver"}
    turn = spans["turn"]
    assert turn.attributes["frontdesk.outcome"] == "answered"
    for step in ("claim", "answer", "commit"):
        assert spans[step].parent.span_id == turn.context.span_id
        assert turn.start_time <= spans[step].start_time <= spans[step].end_time <= turn.end_time
    assert spans["receive"].attributes["http.response.status_code"] == 202
    assert spans["deliver"].attributes == {
        "frontdesk.channel": "scripted",
        "frontdesk.outcome": "sent",
    }


async def test_a_turn_for_which_nothing_waits_has_none(traced: Traced) -> None:
    await traced.path.turns.run(conversation())
    assert not traced.spans


async def test_what_fails_is_marked_and_quotes_nothing(traced: Traced) -> None:
    traced.path.brain.script = lambda m: ValueError(m.text)
    await traced.path.say(inbound(f"I am {EMAIL}"))
    with pytest.raises(SignatureError):
        await traced.path.receive(error=SignatureError(EMAIL))
    for name in ("turn", "receive"):
        assert traced.spans[name].status.status_code is StatusCode.ERROR
    assert traced.spans["receive"].attributes["error.type"] == "SignatureError"
    assert EMAIL not in traced.written()


class Collector(BaseHTTPRequestHandler):
    """An OTLP collector that keeps what it is sent."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.received.append((self.path, json.loads(body)))  # type: ignore[attr-defined]
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture
def collector() -> Iterator[Any]:
    """A collector on a free port."""
    server: Any = HTTPServer(("127.0.0.1", 0), Collector)
    server.received = []
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


_ONE_SPAN = """
from bot.monitoring.metrics import Metrics
from bot.monitoring.monitor import Monitor
from bot.monitoring.traces import configure

finish = configure()
with Monitor(Metrics()).delivery("webchat"):
    pass
finish()
"""


def run(program: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env=environment,
        text=True,
        capture_output=True,
        timeout=60,
        check=False,
    )


def test_a_collector_gets_them(collector: Any) -> None:
    pytest.importorskip("opentelemetry.exporter.otlp.json.http")
    url = f"http://127.0.0.1:{collector.server_port}"
    done = run(_ONE_SPAN, OTEL_EXPORTER_OTLP_ENDPOINT=url)
    assert done.returncode == 0, done.stderr
    ((path, sent),) = collector.received
    assert path == "/v1/traces"
    (resource,) = sent["resourceSpans"]
    names = {a["key"]: a["value"].get("stringValue") for a in resource["resource"]["attributes"]}
    assert names["service.name"] == "frontdesk"
    (scope,) = resource["scopeSpans"]
    assert [span["name"] for span in scope["spans"]] == ["deliver"]


def test_without_a_collector_nothing_is_recorded() -> None:
    check = "\nfrom opentelemetry import trace\n"
    check += "assert not trace.get_tracer('x').start_span('y').is_recording()\n"
    done = run(_ONE_SPAN + check)
    assert done.returncode == 0, done.stderr


def test_without_the_extra_the_error_names_it() -> None:
    hidden = "import sys\nsys.modules['opentelemetry.sdk.trace'] = None\n"
    done = run(hidden + _ONE_SPAN, OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:1")
    assert "ConfigurationError" in done.stderr
    assert "uv sync --extra otel" in done.stderr
    assert run(hidden + _ONE_SPAN).returncode == 0
