"""What EVSEs were, over REST and on the command line, with the bridge running and stopped."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp.test_utils import TestClient
from test_cli_services import Desk, desk, halted, running, state  # noqa: F401 - fixtures

from bridge.core.evse_problems import EvseProblem
from bridge.web.evse_query import EvseQuery

Headers = dict[str, str]
EVSE = "/api/v1/evses/de*abc*e1/history"
ALL = "/api/v1/status/history"


async def test_spans_have_a_from_and_a_to(client: TestClient, admin: Headers, services: Any) -> None:
    response = await client.get(EVSE, params={"since": "2026-11-20T13:00:00+01:00", "limit": "2"}, headers=admin)
    body = await response.json()
    assert body["items"][0] == {
        "status": "available",
        "live": "available",
        "rule": "r0",
        "from": "2026-11-20T12:00:00Z",
        "to": "2026-11-20T12:01:00Z",
    }
    assert body["next_cursor"] == "2"
    noon = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
    assert services.history.asked == [("de*abc*e1", noon, None, 2, None, None)]


async def test_counts_are_in_buckets(client: TestClient, admin: Headers, services: Any) -> None:
    response = await client.get(ALL, params={"buckets": "7"}, headers=admin)
    assert (await response.json())["buckets"] == [{"at": "2026-11-20T12:00:00Z", "counts": {"charging": 2}}]
    assert services.history.asked == [(None, None, 7, None)]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (f"{EVSE}?since=yesterday", 400),
        (f"{EVSE}?limit=0", 400),
        (f"{EVSE}?limit=10001", 400),
        (f"{ALL}?buckets=1001", 400),
        (f"{ALL}?buckets=x", 400),
        ("/api/v1/evses/DE*ABC*E9/history", 404),
    ],
)
async def test_what_cannot_be_is_a_problem(client: TestClient, admin: Headers, path: str, status: int) -> None:
    response = await client.get(path, headers=admin)
    assert (response.status, response.content_type) == (status, "application/problem+json")


def test_the_timeline_is_for_reading(desk: Desk) -> None:  # noqa: F811
    result = desk.run("evse", "history", "de*abc*e1")
    assert result.exit_code == 0
    lines = [line.split() for line in result.stdout.splitlines()]
    assert lines[0] == ["from", "for", "status", "live", "rule"]
    assert [line[2:] for line in lines[1:]] == [
        ["1", "min", "0", "s", "available", "r0"],
        ["1", "min", "0", "s", "charging", "r1"],
        ["1", "h", "58", "min", "so", "far", "faulted", "r2"],
    ]


def test_programs_get_all_pages_in_one_document(desk: Desk) -> None:  # noqa: F811
    result = desk.run("evse", "history", "de*abc*e1", "--json")
    items = json.loads(result.stdout)["items"]
    assert [(item["status"], item["to"]) for item in items] == [
        ("available", "2026-11-20T12:01:00Z"),
        ("charging", "2026-11-20T12:02:00Z"),
        ("faulted", None),
    ]
    assert desk.run("evse", "history", "DE*ABC*E9").exit_code == 3


def test_evses_are_listed_and_chosen_by_their_status(desk: Desk) -> None:  # noqa: F811
    result = desk.run("evse", "list")
    assert result.stdout.splitlines()[1].split()[:4] == ["DE*ABC*E1", "CS-1", "yes", "charging"]
    assert len(json.loads(desk.run("evse", "list", "--json").stdout)["items"]) == 5
    assert json.loads(desk.run("evse", "list", "--status", "faulted", "--json").stdout) == {"items": []}
    chosen = desk.run("evse", "list", "--status", "faulted", "--status", "Charging", "--json")
    assert {item["effective"] for item in json.loads(chosen.stdout)["items"]} == {"charging"}
    wrong = desk.run("evse", "list", "--status", "broken")
    assert wrong.exit_code == 2
    assert "'unavailable', 'faulted', 'unknown'" in wrong.stderr


def test_evses_with_problems_are_listed_alone_and_the_most_urgent_first(desk: Desk) -> None:  # noqa: F811
    first, *others = desk.services.evses
    desk.services.evses = [first.model_copy(update={"problems": (EvseProblem.REFUSED,)}), *others]
    found = json.loads(desk.run("evse", "list", "--problems", "--json").stdout)["items"]
    assert [item["evse_id"] for item in found] == ["DE*ABC*E1"]
    assert desk.services.orders[-1] == ("list EVSEs", EvseQuery(1000, problems=True, sort="problems"))
