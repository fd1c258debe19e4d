"""docs/hubs.md says what the code does with Spirii: every row is tried, and every HTTP status has one."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from bridge.core.documents import DocumentKind, Remote
from bridge.core.model import Outcome
from bridge.upstreams import spirii_answers
from bridge.upstreams.port import Document
from bridge.upstreams.spirii import Spirii, SpiriiOptions
from tests.architecture.hubs_tables import PAGE, Hub, documented_statuses, named_in, of_rows, rows, said, statuses

NOW = datetime(2026, 5, 1, tzinfo=UTC)
WISH = {"evseId": "DK*SPI*E1", "temporaryStatus": "BLOCKED", "validFrom": "2026-05-01T00:00:00Z", "validTo": None}
ENTRY = json.dumps({"id": 7, **WISH})
LIST = f"[{ENTRY}]"
SPIRII_ERROR = json.dumps({"error": {"type": "x", "code": "y", "message": "z", "param": None, "request_id": "r"}})
SPIRII_BODIES = {
    "an entry": [ENTRY],
    "a list": [LIST],
    "nothing": [""],
    "a page": [PAGE],
    "errors": [SPIRII_ERROR],
    "any": ["", PAGE, SPIRII_ERROR],
}


def spirii_ask(method: str, hub: Hub, lost: tuple[str, ...] = ()) -> Outcome:
    wish, remote = json.dumps(WISH), Remote(id="" if method == "POST" else "7", lost=lost)
    document = Document(
        DocumentKind.TEMPORARY, "1", "" if method == "DELETE" else wish, acked=None if lost else wish, remote=remote
    )

    def question(url: str) -> Any:
        upstream = Spirii(SpiriiOptions(url, "key"))
        return upstream, upstream.survey() if method == "GET" else upstream.push_document(document)

    return hub.ask(question).outcome


def some(found: Sequence[int]) -> list[int]:
    """A row's statuses as far as a socket can carry them with a body: the first, one in the middle, the last."""
    able = [status for status in found if status not in (204, 304)]
    return sorted({able[0], able[len(able) // 2], able[-1]} if len(able) > 5 else set(able))


@pytest.mark.parametrize("row", of_rows("spirii http"))
def test_every_http_status_of_spirii_does_what_is_written(row: list[str]) -> None:
    for status in some(statuses(row[0], named_in("spirii http"))):
        for text in (text for body in row[1].split("; ") for text in SPIRII_BODIES[body]):
            for method, expected in zip(("POST", "PATCH", "DELETE", "GET"), row[2:], strict=True):
                if expected == "by its list":
                    continue  # the next table
                hub = Hub(
                    {"POST": [(status, text)], "PATCH": [(status, text)], "DELETE": [(status, text)]}
                    | {"GET": [(status, text)]}
                )
                assert said(spirii_ask(method, hub)) == expected, (status, text, method)


@pytest.mark.parametrize("row", of_rows("spirii http"))
def test_every_failure_of_spirii_is_classified_as_written(row: list[str]) -> None:
    for status in statuses(row[0], named_in("spirii http")):
        for text in (text for body in row[1].split("; ") for text in SPIRII_BODIES[body]):
            if not 200 <= status < 300:
                outcome, _, _ = spirii_answers.classify(status, {}, text, (), NOW)
                assert said(outcome) == row[2], (status, text)


def test_every_failure_of_spirii_is_written_down() -> None:
    assert documented_statuses("spirii http") == {200, *range(300, 600)}


@pytest.mark.parametrize("row", [pytest.param(row, id=" ".join(row[:3])) for row in rows("spirii list")])
def test_spiriis_list_decides_as_written(row: list[str]) -> None:
    request, answered, listed, methods, expected = row
    method = request.partition(",")[0]
    lost = (json.dumps(WISH),) if "lost" in request else ()
    status = int(answered) if answered.isdecimal() else 201
    hub = Hub({method: [(status, SPIRII_ERROR)], "GET": [(200, "[]" if listed.startswith("without") else LIST)]})
    outcome = spirii_ask(method, hub, lost)
    assert [", ".join(hub.methods), said(outcome, unknown="created again")] == [methods, expected]
