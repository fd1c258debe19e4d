"""docs/hubs.md says what the code does with Chargeprice: every row is tried, and every HTTP status has one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from bridge.core.documents import DocumentKind, Remote
from bridge.upstreams.chargeprice import Chargeprice, ChargepriceOptions
from bridge.upstreams.chargeprice_answers import judge
from bridge.upstreams.port import Document
from tests.architecture.hubs_tables import PAGE, Hub, documented_statuses, named_in, of_rows, said, statuses

NOW = datetime(2026, 5, 1, tzinfo=UTC)
UUID = "20006f18-3ed4-4715-92b5-08e37e6dd18c"
CHARGEPRICE_ERRORS = json.dumps({"errors": [{"status": "400", "code": "BAD_REQUEST", "title": "bad"}]})
CONFLICT = json.dumps({"errors": [{"status": "409", "code": "VERSION_CONFLICT", "title": "wrong version"}]})
CHARGEPRICE_BODIES = {
    "nothing": [""],
    "JSON": [json.dumps({"data": {}})],
    "a page": [PAGE],
    "errors": [CHARGEPRICE_ERRORS, CONFLICT],
    "NO_ROUTE_FOUND": [json.dumps({"errors": [{"code": "NO_ROUTE_FOUND"}]})],
    "any": ["", PAGE, CHARGEPRICE_ERRORS],
}


@pytest.mark.parametrize("row", of_rows("chargeprice http"))
def test_every_http_status_of_chargeprice_does_what_is_written(row: list[str]) -> None:
    for status in statuses(row[0], named_in("chargeprice http")):
        for text in (text for body in row[1].split("; ") for text in CHARGEPRICE_BODIES[body]):
            outcome, _ = judge(status, {}, text, ids=(), now=NOW)
            assert said(outcome) == row[2], (status, text)


def test_every_http_status_of_chargeprice_is_written_down() -> None:
    assert documented_statuses("chargeprice http") == set(range(200, 600))


STATION = Document(
    DocumentKind.STATION,
    UUID,
    json.dumps({"id": UUID, "type": "charging_station", "attributes": {}, "relationships": {}}),
    remote=Remote(version=1),
)
HELD_THERE = json.dumps({"data": {"id": UUID, "type": "charging_station", "attributes": {"version": 7}}})
CHARGEPRICE_ANSWERS: Mapping[str, Mapping[str, list[tuple[int, str]]]] = {
    "409 VERSION_CONFLICT once, and it can be read": {
        "PUT": [(409, CONFLICT), (200, "{}")],
        "GET": [(200, HELD_THERE)],
    },
    "409 VERSION_CONFLICT once, and reading is 403": {"PUT": [(409, CONFLICT), (200, "{}")], "GET": [(403, "{}")]},
    "409 VERSION_CONFLICT each time": {"PUT": [(409, CONFLICT)], "GET": [(200, HELD_THERE)]},
    "404": {"DELETE": [(404, CHARGEPRICE_ERRORS)]},
}


@pytest.mark.parametrize("row", of_rows("chargeprice resources"))
def test_conflicts_of_chargeprice_are_answered_as_written(row: list[str]) -> None:
    content = STATION.content if row[0] == "PUT" else ""
    document = Document(STATION.kind, STATION.key, content, remote=STATION.remote)

    def question(url: str) -> Any:
        upstream = Chargeprice(ChargepriceOptions(url, UUID, "key"))
        return upstream, upstream.push_document(document)

    hub = Hub(CHARGEPRICE_ANSWERS[row[1]])
    outcome = hub.ask(question).outcome
    assert [", ".join(hub.methods), said(outcome)] == row[2:]
