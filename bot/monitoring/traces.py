"""Sending spans to the collector that the environment names, by the extra ``otel``."""

from __future__ import annotations

import os
from collections.abc import Callable

from opentelemetry import trace

from bot.core.errors import ConfigurationError

# OpenTelemetry's own variables: its SDK and its exporter read them, and the others of theirs.
_ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
_SERVICE = "frontdesk"


def configure() -> Callable[[], None]:
    """Begins to send spans when a collector is named; else spans cost next to nothing.

    Returns:
        What to call at the end, so that the last spans are sent.

    Raises:
        ConfigurationError: A collector is named, and the extra is not installed.
    """
    named = next((name for name in _ENDPOINTS if os.environ.get(name)), None)
    if named is None:
        return lambda: None
    try:
        # Optional: only here is it known whether they are needed.
        from opentelemetry.exporter.otlp.json.http.trace_exporter import (  # noqa: PLC0415
            OTLPSpanExporter,
        )
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
    except ImportError as error:
        raise ConfigurationError(
            named,
            "is set, and traces need the extra 'otel'",
            "Install it (uv sync --extra otel), or unset the variable.",
        ) from error
    os.environ.setdefault("OTEL_SERVICE_NAME", _SERVICE)
    provider = TracerProvider(resource=Resource.create())
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    return provider.shutdown
