"""Requests to hubs as operators see them: over REST, and by the command line with the bridge running and stopped."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp.test_utils import TestClient
from test_cli_services import Desk, desk, halted, running, state  # noqa: F401 - fixtures

Headers = dict[str, str]


async def test_every_filter_of_the_list_reaches_the_services(client: TestClient, admin: Headers, services: Any) -> None:
    path = (
        "/api/v1/deliveries?account=hubject&evse_id=DE*ABC*E1&outcome=refused&outcome=held&kind=status"
        "&since=2026-11-20T12:00:00Z&before=2026-11-20T14:00:00%2B01:00&limit=2&cursor=50"
    )
    response = await client.get(path, headers=admin)
    page = await response.json()
    assert (response.status, [item["id"] for item in page["items"]], page["next_cursor"]) == (200, [41, 40], "40")
    (asked,) = services.deliveries.asked
    assert (asked.account, asked.evse_id, asked.outcomes, asked.kind) == (
        "hubject",
        "DE*ABC*E1",
        ("refused", "held"),
        "status",
    )
    assert (asked.since, asked.before) == (
        datetime(2026, 11, 20, 12, tzinfo=UTC),
        datetime(2026, 11, 20, 13, tzinfo=UTC),
    )
    assert (asked.limit, asked.cursor) == (2, "50")


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("outcome=lost", 400),
        ("since=yesterday", 400),
        ("limit=0", 400),
        ("limit=1001", 400),
        ("account=nobody", 404),
    ],
)
async def test_a_wrong_filter_is_named(client: TestClient, admin: Headers, query: str, status: int) -> None:
    response = await client.get(f"/api/v1/deliveries?{query}", headers=admin)
    assert response.status == status


async def test_one_push_is_shown_with_what_was_said(client: TestClient, admin: Headers) -> None:
    found = await (await client.get("/api/v1/deliveries/41", headers=admin)).json()
    assert found["exchanges"][0]["body"] == '{"ActionType":"update"}'
    assert (await client.get("/api/v1/deliveries/7", headers=admin)).status == 404


async def test_a_retry_is_ordered_with_who_ordered_it(client: TestClient, admin: Headers, services: Any) -> None:
    path, body = "/api/v1/evses/DE*ABC*E1/retry", {"account": "hubject"}
    response = await client.post(path, json=body, headers=admin)
    assert (response.status, (await response.json())["was"]) == (200, "refused")
    assert services.deliveries.orders == [("DE*ABC*E1", "hubject", "admin")]
    assert (await client.post("/api/v1/evses/DE*ABC*E2/retry", json=body, headers=admin)).status == 409
    assert (await client.post(path, json={}, headers=admin)).status == 400


async def test_a_document_is_tried_again(client: TestClient, admin: Headers, services: Any) -> None:
    response = await client.post("/api/v1/upstreams/chargeprice/documents/station/20006f18/retry", headers=admin)
    assert (response.status, (await response.json())["waits"]) == (200, "the account is held (403)")
    assert services.deliveries.orders == [("chargeprice", "station", "20006f18", "admin")]


async def test_throughput_takes_a_span_and_a_number_of_buckets(
    client: TestClient, admin: Headers, services: Any
) -> None:
    path = "/api/v1/upstreams/hubject/throughput"
    response = await client.get(f"{path}?since=2026-11-20T12:00:00Z&buckets=5", headers=admin)
    assert (response.status, (await response.json())["buckets"][0]["requests"]) == (200, {"accepted": 2})
    assert services.deliveries.spans == [(datetime(2026, 11, 20, 12, tzinfo=UTC), None, 5)]
    assert (await client.get(f"{path}?buckets=501", headers=admin)).status == 400


def test_the_list_is_a_table_for_people(desk: Desk) -> None:  # noqa: F811
    result = desk.run("delivery", "list", "--outcome", "refused", "--since", "2026-11-20", "--time-zone", "UTC")
    assert result.exit_code == 0, result.stderr
    lines = result.stdout.splitlines()
    assert lines[1].split()[:5] == ["41", "2026-11-20", "12:00:00+00:00", "hubject", "DE*ABC*E1"]
    assert lines[2].split()[4:7] == ["full_load", "of", "3"]
    assert lines[-1] == "older ones: --cursor 40"
    assert desk.services.deliveries.asked[0].outcomes == ("refused",)
    assert desk.services.deliveries.asked[0].since == datetime(2026, 11, 20, tzinfo=UTC)


def test_the_list_is_one_document_for_programs(desk: Desk) -> None:  # noqa: F811
    result = desk.run("delivery", "list", "--json")
    assert [item["id"] for item in json.loads(result.stdout)["items"]] == [41, 40]


def test_one_push_is_printed_without_what_a_terminal_would_obey(desk: Desk) -> None:  # noqa: F811
    result = desk.run("delivery", "show", "41", "--time-zone", "UTC")
    assert result.exit_code == 0, result.stderr
    assert "\x1b" not in result.stdout
    assert "POST https://hub.example/api?token=***" in result.stdout
    assert "  … of 9000 bytes" in result.stdout
    assert "what was said is not kept, or no more" in desk.run("delivery", "show", "40").stdout


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("delivery", "show", "7"), 3),
        (("delivery", "list", "--outcome", "lost"), 2),
        (("delivery", "list", "--since", "soon"), 2),
        (("delivery", "list", "--account", "nobody"), 3),
        (("delivery", "retry", "hubject", "DE*ABC*E2"), 4),
        (("delivery", "retry", "hubject", "DE*ABC*E9"), 3),
    ],
)
def test_a_failure_has_its_exit_code(desk: Desk, arguments: tuple[str, ...], code: int) -> None:  # noqa: F811
    assert desk.run(*arguments).exit_code == code


def test_a_retry_says_what_happens_now(desk: Desk) -> None:  # noqa: F811
    result = desk.run("delivery", "retry", "hubject", "DE*ABC*E1")
    assert result.stdout == "DE*ABC*E1 (Occupied) is sent to hubject now; was refused: 018\n"
    result = desk.run("delivery", "retry", "chargeprice", "20006f18", "--kind", "station")
    assert result.stdout == ("station 20006f18 is due at chargeprice, but the account is held (403); was deferred\n")
