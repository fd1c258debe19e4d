"""Every request of the OpenAPI document, as whoever reads it could send it, to the real application over a real store.

Seeded, so that a red run is red again. What is checked: no failure of ours, no answer that the document does not
describe, nothing without a key.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
import schemathesis
from aiohttp import web
from hypothesis import HealthCheck, Phase, settings
from real_services import PEPPER, real_services, rows
from schemathesis import Case
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from bridge.app.clock import SystemClock
from bridge.app.repeats import StoredRepeats
from bridge.store.engine import open_store
from bridge.store.writer import Writer
from bridge.web.openapi import document
from bridge.web.route_table import ROUTES
from bridge.web.routes import create_app
from bridge.web.shapes import ImportRequest
from tests.integration.web.conftest import FakeServices

TOKEN = "fuzz-token-of-more-than-thirty-two-characters"
KNOWN = {"evse_id": "DE*ABC*E00001", "id": "CS-00001", "station": "CS-00001", "name": "hubject"}
EXAMPLES = 6
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


@dataclass
class Running:
    """The application in a thread of its own: Schemathesis asks synchronously."""

    folder: Path
    url: str = ""

    def __post_init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._started, self._stop = threading.Event(), asyncio.Event()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=[self._run()], name="application")
        self._thread.start()
        assert self._started.wait(30)

    async def _run(self) -> None:
        store = open_store(
            f"sqlite:///{self.folder / 'b.sqlite'}", state_dir=self.folder / "state", busy_timeout=timedelta(seconds=5)
        )
        store.upgrade()
        writer = Writer(store)
        writer.start()
        services = real_services(store, writer, self.folder, without_stations=False)
        await services.import_inventory(ImportRequest(csv=rows(20)))
        app = create_app(services, TOKEN, repeats=StoredRepeats(writer, SystemClock(), PEPPER))
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        telling = asyncio.create_task(services.events.run(), name="events")
        self._started.set()
        await self._stop.wait()
        telling.cancel()
        await runner.cleanup()
        await writer.stop()
        await store.close()

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(30)
        self._loop.close()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    started = Running(tmp_path_factory.mktemp("fuzz"))
    yield started
    started.close()


schema = schemathesis.openapi.from_dict(document(create_app(FakeServices(), TOKEN)[ROUTES].values(), "0"))
schema.config.max_stream_events = 1  # each stream begins with one; the next might not come for long


def some_that_are_there(case: Case) -> None:
    """Let half of the requests name something that is there, and none wait for what will not come."""
    for name in case.path_parameters or {}:
        if name in KNOWN and len(str(case.path_parameters[name])) % 2:
            case.path_parameters[name] = KNOWN[name]
    if case.query and "wait" in case.query:
        case.query["wait"] = 0


@schema.parametrize()
@settings(
    max_examples=EXAMPLES,
    derandomize=True,
    deadline=None,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_every_request_is_answered_as_the_document_says(case: Case, running: Running) -> None:
    some_that_are_there(case)
    response = case.call(base_url=running.url, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=20)
    checks = CHECKS
    if "event-stream" in str(response.headers.get("content-type")):
        # To OpenAPI 3.1 a stream is a text; Schemathesis takes each event of it for an object.
        checks = [check for check in CHECKS if check is not response_schema_conformance]
        assert '\nevent: reset\ndata: {"why": "connected"}\n' in response.text
    case.validate_response(response, checks=checks)


@schema.parametrize()
@settings(
    max_examples=1,
    derandomize=True,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_without_a_key_nothing_but_what_is_open_is_answered(case: Case, running: Running) -> None:
    expected = (200, 400) if case.operation.definition.raw["x-role"] == "none" else (401,)
    response = case.call(base_url=running.url, timeout=20)
    assert response.status_code in expected
    case.validate_response(response, checks=CHECKS)
