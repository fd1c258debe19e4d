"""Spans of statuses and pushes: in memory, and to a real receiver of OTLP over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from tests_bridge import FakeUpstream, running, until

from bridge.app.observed import ObservedRecorder, Observers
from bridge.app.tracing import Traces, open_traces, traces_to
from bridge.core.model import Accepted, Deferred
from bridge.lane import AccountLane
from bridge.settings.telemetry import TelemetrySection
from bridge.upstreams.said import said_of
from csms.events import Epoch, OcppVersion, ReportedStatus, StationId, StatusReported

NOON_NS = 1_763_640_000_000_000_000
OFF = TelemetrySection()
KEY = "s3cret-of-the-account"


@pytest.fixture
def spans() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def traces(spans: InMemorySpanExporter) -> Traces:
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(spans))
    return Traces(provider, lambda: NOON_NS)


def traced_lane(bridge, upstream: FakeUpstream, traces: Traces) -> AccountLane:
    return bridge.lane(upstream, told=Observers([traces]).pushed)


def status(epoch: Epoch) -> StatusReported:
    return StatusReported(StationId("one"), epoch, OcppVersion.V16, 0, 1, ReportedStatus("Charging"))


async def test_a_status_is_a_span_from_its_receipt_to_its_commit(bridge, spans, traces) -> None:
    moments = iter((5.0, 5.002))
    recorder = ObservedRecorder(bridge.intake, Observers([traces]), lambda: next(moments))
    await recorder.record(status(await bridge.connect("one")))
    (span,) = spans.get_finished_spans()
    assert (span.name, span.kind.name, span.end_time) == ("status", "SERVER", NOON_NS)
    assert span.start_time is not None
    assert NOON_NS - span.start_time == pytest.approx(2_000_000, abs=10_000)
    assert dict(span.attributes or {}) == {
        "ocpp.version": "ocpp1.6",
        "ocpp.station": "one",
        "ocpp.evse": 0,
        "ocpp.connector": 1,
        "ocpp.status": "Charging",
    }


async def test_a_push_is_a_span_with_its_outcome_and_a_masked_address(bridge, spans, traces) -> None:
    said = (said_of("POST", f"https://hub.example/?api_key={KEY}", {"Api-Key": KEY}, b"{}", status=200),)
    outcomes = iter([Accepted(), Deferred("503")])
    upstream = FakeUpstream(answer=lambda _record: next(outcomes, Accepted()), said=said)
    async with running(traced_lane(bridge, upstream, traces)):
        await until(lambda: len(spans.get_finished_spans()) >= 2)
    first, second = spans.get_finished_spans()[:2]
    assert (first.name, first.kind.name, first.status.is_ok) == ("push status", "CLIENT", True)
    found = dict(first.attributes or {})
    assert (found["ocpp_bridge.account"], found["ocpp_bridge.outcome"], found["http.response.status_code"]) == (
        "hubject",
        "accepted",
        200,
    )
    assert found["url.full"] == "https://hub.example/?api_key=***"
    assert (second.status.is_ok, second.status.description) == (False, "deferred")
    assert KEY not in "".join(span.to_json() for span in spans.get_finished_spans())


def test_nothing_is_made_unless_an_endpoint_is_configured() -> None:
    assert open_traces(OFF) is None


# --- a real receiver ------------------------------------------------------------------------------------------------


@asynccontextmanager
async def receiver(taken: list[ExportTraceServiceRequest], answer: int = 200) -> AsyncIterator[str]:
    async def take(request: web.Request) -> web.Response:
        taken.append(ExportTraceServiceRequest.FromString(await request.read()))
        return web.Response(status=answer)

    app = web.Application()
    app.router.add_post("/v1/traces", take)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/v1/traces"
    finally:
        await runner.cleanup()


async def test_a_collector_gets_the_spans_with_the_services_name(bridge) -> None:
    taken: list[ExportTraceServiceRequest] = []
    async with receiver(taken) as endpoint:
        traces = open_traces(TelemetrySection(endpoint=endpoint, service_name="bridge-of-acme"))
        assert traces is not None
        traces.recorded(status(Epoch(1)), 0.003)
        await traces.close()
    (resource,) = taken[0].resource_spans
    assert {each.key: each.value.string_value for each in resource.resource.attributes}["service.name"] == (
        "bridge-of-acme"
    )
    assert [span.name for span in resource.scope_spans[0].spans] == ["status"]


class Broken(SpanExporter):
    """Raises, or says that it failed."""

    def __init__(self, *results: SpanExportResult | Exception) -> None:
        self.results = list(results)

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        result = self.results.pop(0)
        if isinstance(result, Exception):
            raise result
        return result


async def test_a_collector_that_is_away_is_told_of_once_and_disturbs_nothing(capsys) -> None:
    broken = Broken(OSError("refused"), SpanExportResult.FAILURE, SpanExportResult.SUCCESS)
    traces = traces_to(broken, OFF)
    for _ in range(3):
        traces.recorded(status(Epoch(1)), 0.0)
        await asyncio.to_thread(traces.provider.force_flush)
    await traces.close()
    said = capsys.readouterr().out
    assert (said.count("telemetry_failed"), said.count("telemetry_recovered")) == (1, 1)
    assert broken.results == []
