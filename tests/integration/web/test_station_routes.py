"""The REST interface about stations: what each route reads, and what is wrong with a request."""

from __future__ import annotations

from typing import Any

import pytest
from aiohttp.test_utils import TestClient

from bridge.web.services import Conflict, ValueRefused
from bridge.web.station_shapes import CallOrder, RotationOrder
from tests.integration.web.conftest import FakeServices

PATH = "/api/v1/stations"


async def test_a_page_is_chosen_by_the_query(client: TestClient, services: FakeServices, admin: dict[str, str]) -> None:
    response = await client.get(f"{PATH}?limit=2&cursor=CS-0&connected=false&version=ocpp2.0.1", headers=admin)
    assert response.status == 200
    body = await response.json()
    assert [item["station"] for item in body["items"]] == ["CS-1", "CS-2"]
    assert body["next_cursor"] == "CS-2"
    assert services.stations.orders == [("list", 2, "CS-0", False, "ocpp2.0.1")]  # type: ignore[attr-defined]


@pytest.mark.parametrize("query", ["limit=0", "limit=x", "connected=1", "version=1.6"])
async def test_an_impossible_query_is_named(client: TestClient, admin: dict[str, str], query: str) -> None:
    response = await client.get(f"{PATH}?{query}", headers=admin)
    assert response.status == 400
    assert (await response.json())["detail"].startswith(query.partition("=")[0])


async def test_ids_are_percent_decoded_once(client: TestClient, admin: dict[str, str]) -> None:
    response = await client.get(f"{PATH}/CS%2F1%7C%2525", headers=admin)
    assert response.status == 200
    assert (await response.json())["station"] == "CS/1|%25"


async def test_unknown_station_is_404(client: TestClient, admin: dict[str, str]) -> None:
    assert (await client.get(f"{PATH}/unknown", headers=admin)).status == 404


@pytest.mark.parametrize(
    ("verb", "body"),
    [
        ("calls", {"action": "Reset", "payload": {"type": "Soft"}, "timeout_s": 600}),
        ("trigger", {"message": "Heartbeat"}),
        ("availability", {"operative": True, "connector": 1}),
        ("reset", {"kind": "soft"}),
        ("configuration/get", {"keys": ["A"]}),
        ("configuration/set", {"key": "A", "value": ""}),
        ("unlock", {"connector": 1}),
        ("rotate-key", {}),
    ],
)
async def test_every_order_needs_the_token_and_is_carried_out(
    client: TestClient, services: FakeServices, admin: dict[str, str], verb: str, body: dict[str, Any]
) -> None:
    assert (await client.post(f"{PATH}/CS-1/{verb}", json=body)).status == 401
    assert services.stations.orders == []  # type: ignore[attr-defined]
    assert (await client.post(f"{PATH}/CS-1/{verb}", json=body, headers=admin)).status == 200
    assert len(services.stations.orders) == 1  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("verb", "body", "field"),
    [
        ("calls", {"payload": {}}, "action"),
        ("calls", {"action": "Reset", "payload": []}, "payload"),
        ("calls", {"action": "Reset", "timeout_s": 601}, "timeout_s"),
        ("unlock", {"connector": 0}, "connector"),
        ("reset", {"kind": "Soft"}, "kind"),
        ("configuration/set", {"key": "A", "value": 1}, "value"),
        ("rotate-key", {"key": "hush-hush" * 10}, "key"),
    ],
)
async def test_an_impossible_body_is_a_400_that_names_the_field_and_shows_no_value(
    client: TestClient, admin: dict[str, str], verb: str, body: dict[str, Any], field: str
) -> None:
    response = await client.post(f"{PATH}/CS-1/{verb}", json=body, headers=admin)
    detail = (await response.json())["detail"]
    assert response.status == 400
    assert detail.startswith(field)
    assert "hush" not in detail


async def test_what_was_not_sent_is_a_409_or_a_422(
    client: TestClient, services: FakeServices, admin: dict[str, str]
) -> None:
    for failure, status in ((Conflict("away"), 409), (ValueRefused("payload", "type is missing"), 422)):
        services.stations.failure = failure  # type: ignore[attr-defined]
        response = await client.post(f"{PATH}/CS-1/calls", json={"action": "Reset"}, headers=admin)
        assert response.status == status
        assert (await response.json())["detail"] == str(failure)


async def test_a_profile_is_put(client: TestClient, services: FakeServices, admin: dict[str, str]) -> None:
    response = await client.put(f"{PATH}/CS-1/profile", json={"profile": 2, "yes": True}, headers=admin)
    assert (await response.json())["security"]["profile"] == 2
    assert (await client.put(f"{PATH}/CS-1/profile", json={"profile": 4}, headers=admin)).status == 400


def test_no_repr_of_an_order_shows_a_key() -> None:
    assert "hush" not in repr(RotationOrder(key="hush"))
    assert CallOrder(action="Reset").payload == {}
