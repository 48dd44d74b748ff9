"""The observer of the message path: counts and times it, and draws its spans."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry import trace
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer

from bot.core.errors import PayloadError, SignatureError, StoreUnavailableError
from bot.core.observer import DeliveryOutcome, TurnOutcome
from bot.monitoring.metrics import Metrics

_STATUS_OF_ERROR: dict[type[Exception], int] = {
    SignatureError: 403,
    PayloadError: 400,
    StoreUnavailableError: 503,
}


class Monitor:
    """`bot.core.observer.Observer`, on metrics and on OpenTelemetry's tracer.

    Args:
        tracer: Where spans go; the one that `bot.monitoring.traces.configure` set by default.
    """

    def __init__(self, metrics: Metrics, tracer: Tracer | None = None) -> None:
        self.metrics = metrics
        self._tracer = tracer or trace.get_tracer("frontdesk")

    @contextmanager
    def webhook(self, channel: str) -> Iterator[_Webhook]:
        """As `bot.core.observer.Observer.webhook`."""
        watch, began = _Webhook(), time.perf_counter()
        with self._span("receive", SpanKind.SERVER, channel=channel) as span:
            try:
                yield watch
            except Exception as error:
                watch.status = _STATUS_OF_ERROR.get(type(error), 500)
                _blame(span, error)
                raise
            finally:
                span.set_attribute("http.response.status_code", watch.status)
                seconds = time.perf_counter() - began
                self.metrics.webhook_seconds.labels(channel, str(watch.status)).observe(seconds)

    def repeated(self, channel: str, count: int) -> None:
        """As `bot.core.observer.Observer.repeated`."""
        if count:
            self.metrics.duplicates.labels(channel).inc(count)

    @contextmanager
    def turn(self, turn: str) -> Iterator[_Turn]:
        """As `bot.core.observer.Observer.turn`."""
        span = self._tracer.start_span("turn", attributes={"frontdesk.turn": turn})
        watch = _Turn()
        try:
            with trace.use_span(span, record_exception=False, set_status_on_exception=False):
                yield watch
        except Exception as error:
            watch.ended(TurnOutcome.ERROR)
            _blame(span, error)
            raise
        finally:
            # A span that is not ended is never sent: there was no turn.
            if watch.outcome is not None:
                self._note(span, watch, watch.outcome)

    def _note(self, span: Span, watch: _Turn, outcome: TurnOutcome) -> None:
        self.metrics.turns.labels(outcome).inc()
        context = trace.set_span_in_context(span)
        for step, began, ended in watch.steps:
            self.metrics.step_seconds.labels(step).observe((ended - began) / 1e9)
            part = self._tracer.start_span(step, context, start_time=began)
            part.end(ended)
        span.set_attribute("frontdesk.outcome", outcome)
        if outcome is TurnOutcome.FAILED:
            span.set_status(Status(StatusCode.ERROR))
        span.end()

    def understood(self, confidence: float) -> None:
        """As `bot.core.observer.Observer.understood`."""
        self.metrics.confidence.observe(confidence)

    def handed_over(self, reason: str) -> None:
        """As `bot.core.observer.Observer.handed_over`."""
        self.metrics.handoffs.labels(reason).inc()

    @contextmanager
    def delivery(self, channel: str) -> Iterator[_Delivery]:
        """As `bot.core.observer.Observer.delivery`."""
        watch = _Delivery()
        with self._span("deliver", SpanKind.CLIENT, channel=channel) as span:
            try:
                yield watch
            except Exception as error:
                _blame(span, error)
                raise
            if watch.outcome is not None:
                self.metrics.deliveries.labels(channel, watch.outcome).inc()
                span.set_attribute("frontdesk.outcome", watch.outcome)

    @contextmanager
    def _span(self, name: str, kind: SpanKind, *, channel: str) -> Iterator[Span]:
        # Exceptions are not recorded as they are: their messages may quote a customer.
        with self._tracer.start_as_current_span(
            name,
            kind=kind,
            attributes={"frontdesk.channel": channel},
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            yield span


class _Webhook:
    status = 500

    def answered(self, status: int) -> None:
        self.status = status


class _Delivery:
    outcome: DeliveryOutcome | None = None

    def ended(self, outcome: DeliveryOutcome) -> None:
        self.outcome = outcome


class _Turn:
    def __init__(self) -> None:
        self.outcome: TurnOutcome | None = None
        self.steps: list[tuple[str, int, int]] = []
        self._began = time.time_ns()

    def passed(self, step: str) -> None:
        now = time.time_ns()
        self.steps.append((step, self._began, now))
        self._began = now

    def ended(self, outcome: TurnOutcome) -> None:
        self.outcome = outcome


def _blame(span: Span, error: Exception) -> None:
    span.set_attribute("error.type", type(error).__name__)
    span.set_status(Status(StatusCode.ERROR))
