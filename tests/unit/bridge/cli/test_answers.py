"""What the answers of a running bridge mean to the command line."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bridge.cli.answers import classified, failure_of
from bridge.cli.failures import Missing, Unexpected
from bridge.web.connector_shapes import ConnectorPage
from bridge.web.services import Changed, Conflict, NeedsYes, RowsRefused, Unavailable, ValueRefused

ROW = {"line": 2, "column": "key", "value": "", "problem": "is too short"}
FAILURES = [
    pytest.param(404, {}, Missing, id="missing"),
    pytest.param(409, {}, Conflict, id="conflict"),
    pytest.param(409, {"report": {"applied": False}}, NeedsYes, id="needs a yes"),
    pytest.param(412, {}, Changed, id="changed"),
    pytest.param(400, {}, ValueRefused, id="wrong query"),
    pytest.param(422, {}, ValueRefused, id="wrong value"),
    pytest.param(422, {"errors": [{"pointer": "/status", "detail": "is none"}]}, ValueRefused, id="wrong member"),
    pytest.param(422, {"errors": [ROW]}, RowsRefused, id="wrong rows"),
    pytest.param(503, {}, Unavailable, id="unavailable"),
    pytest.param(403, {}, Unexpected, id="not allowed"),
    pytest.param(500, {}, Unexpected, id="failed"),
]


@pytest.mark.parametrize(("status", "more", "meant"), FAILURES)
def test_a_failure_is_what_the_services_inside_the_bridge_raise(
    status: int, more: dict[str, Any], meant: type[Exception]
) -> None:
    text = json.dumps({"title": "Title", "status": status, "detail": "why it is so", **more})
    found = failure_of(status, text)
    assert type(found) is meant
    assert meant is RowsRefused or "why it is so" in str(found)


@pytest.mark.parametrize("status", [200, 201])
def test_an_answer_is_read_whether_something_was_made_or_not(status: int) -> None:
    assert classified(status, '{"items": [], "next_cursor": null}', ConnectorPage) == ConnectorPage(items=())


@pytest.mark.parametrize("text", ["", "<html>", "[]", "\x00"])
def test_what_no_bridge_says_is_not_understood(text: str) -> None:
    with pytest.raises(Unexpected, match="is not understood"):
        classified(200, text, ConnectorPage)
    with pytest.raises(Unexpected, match="is not understood"):
        failure_of(404, text)
