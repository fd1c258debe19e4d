"""Hand spans to an OpenTelemetry collector: one for each status that is stored, one for each push to a hub.

Off unless an endpoint is configured; the library is imported only then, and nobody else knows it. A span is made once
what it tells of is over, so that nothing waits for it; a collector that is away costs spans and nothing else. Before
it: `observed`. After it: the collector (OTLP over HTTP).

A status and the push that tells a hub are two traces: a push carries what is desired by then, which may come of many
statuses or of none. Nothing of a trace goes to hubs: they have no use for our ids, and a header that they do not know
is one more thing that they could refuse.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from bridge.app.observed import Observer
from bridge.lane.answered import Answered
from bridge.settings.telemetry import TelemetrySection
from csms.events import StatusReported

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
    from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
    from opentelemetry.trace import SpanKind

log = structlog.get_logger(__name__)

_EXPORT_TIMEOUT_S = 5
_STOP_TIMEOUT_S = 2.0


class Traces:
    """Makes spans; an observer like any other."""

    def __init__(self, provider: TracerProvider, now_ns: Callable[[], int] = time.time_ns) -> None:
        """`now_ns`: wall time in nanoseconds since 1970."""
        from opentelemetry.trace import SpanKind, Status, StatusCode

        self.provider = provider
        self._tracer = provider.get_tracer("ocpp-bridge")
        self._now_ns = now_ns
        self._server, self._client = SpanKind.SERVER, SpanKind.CLIENT
        self._failed: Callable[[str], Status] = lambda why: Status(StatusCode.ERROR, why)

    def recorded(self, event: StatusReported, took_s: float) -> None:
        """Make the span of a status, from its receipt to its commit: its answer leaves right after."""
        self._span(
            "status",
            self._server,
            timedelta(seconds=took_s),
            {
                "ocpp.version": event.version.value,
                "ocpp.station": event.station,
                "ocpp.evse": event.evse,
                "ocpp.connector": event.connector,
                "ocpp.status": event.status.value,
            },
        )

    def pushed(self, push: Answered) -> None:
        """Make the span of a push; its address is masked as in the delivery log."""
        first = push.said[0] if push.said else None
        attributes: dict[str, str | int | float] = {
            "ocpp_bridge.account": push.account,
            "ocpp_bridge.kind": push.kind,
            "ocpp_bridge.outcome": push.outcome,
            "ocpp_bridge.records": push.records,
            "ocpp_bridge.requests": push.requests,
        }
        if push.lags:
            attributes["ocpp_bridge.lag_s"] = max(push.lags).total_seconds()
        if push.http is not None:
            attributes["http.response.status_code"] = push.http
        if first is not None:
            attributes |= {"http.request.method": first.method, "url.full": first.url}
        failed = "" if push.outcome == "accepted" else push.outcome
        self._span(f"push {push.kind}", self._client, push.took, attributes, failed)

    def _span(
        self, name: str, kind: SpanKind, took: timedelta, attributes: Mapping[str, str | int | float], failed: str = ""
    ) -> None:
        end = self._now_ns()
        span = self._tracer.start_span(
            name,
            kind=kind,
            attributes=attributes,
            start_time=end - round(took.total_seconds() * 1e9),
        )
        if failed:
            span.set_status(self._failed(failed))
        span.end(end)

    async def close(self) -> None:
        """Hand over what is left, for two seconds at most: a collector that is away keeps nobody."""
        loop, done = asyncio.get_running_loop(), asyncio.Event()

        def shut_down() -> None:
            self.provider.shutdown()
            try:
                loop.call_soon_threadsafe(done.set)
            except RuntimeError:
                return  # the loop has ended meanwhile: nobody waits

        threading.Thread(target=shut_down, name="end of traces", daemon=True).start()
        try:
            await asyncio.wait_for(done.wait(), _STOP_TIMEOUT_S)
        except TimeoutError:
            log.warning("telemetry_failed", why="the last spans were not taken in time")


def open_traces(options: TelemetrySection) -> Traces | None:
    """Return what makes spans; None where no endpoint is configured. An endpoint without the library is a mistake."""
    if options.endpoint is None:
        return None
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)  # one line when it breaks is ours
    return traces_to(OTLPSpanExporter(endpoint=options.endpoint, timeout=_EXPORT_TIMEOUT_S), options)


def traces_to(exporter: SpanExporter, options: TelemetrySection) -> Traces:
    """Return what makes spans for this exporter, which gets them in batches, in a thread of their own."""
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
    from opentelemetry.sdk.trace.sampling import TraceIdRatioBased

    provider = TracerProvider(
        resource=Resource.create({"service.name": options.service_name}),
        sampler=TraceIdRatioBased(options.percent / 100),
        shutdown_on_exit=False,
    )
    provider.add_span_processor(BatchSpanProcessor(_told_once(exporter)))
    return Traces(provider)


def _told_once(exporter: SpanExporter) -> SpanExporter:
    """Return the exporter with one line in the log when it breaks, and one when it is good again."""
    from opentelemetry.sdk.trace.export import SpanExporter as Base
    from opentelemetry.sdk.trace.export import SpanExportResult as Result

    class ToldOnce(Base):
        failing = False

        def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
            result = Result.FAILURE
            with suppress(Exception):  # of whatever HTTP library the exporter has: it is a failure like another
                result = exporter.export(spans)
            if (result is Result.FAILURE) is not self.failing:
                self.failing = not self.failing
                if self.failing:
                    log.warning("telemetry_failed", why="the collector takes no spans")
                else:
                    log.info("telemetry_recovered")
            return result

        def shutdown(self) -> None:
            exporter.shutdown()

    return ToldOnce()


def observers_of(traces: Traces | None) -> Sequence[Observer]:
    """Return the observers that traces are."""
    return () if traces is None else (traces,)
