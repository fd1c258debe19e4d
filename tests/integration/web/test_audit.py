"""Each order leaves one line that says who gave it and how it ended, and nothing that was in it."""

from __future__ import annotations

from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer
from structlog.testing import capture_logs

from bridge.core.api_keys import digest_of
from bridge.core.roles import Role
from bridge.web.access import AccessOptions
from bridge.web.routes import create_app
from tests.integration.web.fake_keys import FakeRing, known

TOKEN = "test-token-of-more-than-thirty-two-characters"


@pytest.fixture
async def client(services: Any) -> Any:
    ring = FakeRing(known(3, digest_of("ocppb_viewer"), Role.VIEWER))
    async with TestClient(
        TestServer(create_app(services, TOKEN, access=AccessOptions(ring=ring)), host="127.0.0.1")
    ) as found:
        yield found


def orders(lines: list[Any]) -> list[dict[str, Any]]:
    return [dict(line) for line in lines if line["event"].startswith("order_")]


async def test_an_order_is_one_line_without_what_it_says(client: TestClient, admin: dict[str, str]) -> None:
    with capture_logs() as lines:
        await client.post("/api/v1/inventory", json={"csv": "canary"}, headers=admin)
        await client.post("/api/v1/upstreams/canary/disable", headers=admin)
        await client.post("/api/v1/upstreams/hubject/sync", json={"canary": 1}, headers={"X-API-Key": "ocppb_viewer"})
    common = {"log_level": "info", "address": "127.0.0.1", "method": "POST"}
    by_admin = {"by": "admin", "role": "admin"}
    assert orders(lines) == [
        {**common, **by_admin, "event": "order_taken", "path": "/api/v1/inventory", "status": 200},
        {
            **common,
            **by_admin,
            "event": "order_refused",
            "path": "/api/v1/upstreams/{name}/disable",
            "status": 404,
        },
        {
            **common,
            "by": "key-3",
            "role": "viewer",
            "event": "order_refused",
            "path": "/api/v1/upstreams/{name}/sync",
            "status": 403,
        },
    ]
    assert "canary" not in repr(lines)


async def test_who_looks_or_is_not_let_in_gives_no_order(client: TestClient, admin: dict[str, str]) -> None:
    with capture_logs() as lines:
        await client.get("/api/v1/status", headers=admin)
        await client.post("/api/v1/inventory", json={})
        await client.post("/api/v1/inventory", json={}, headers={"X-API-Key": "ocppb_wrong"})
        await client.post("/nowhere", json={}, headers=admin)
    assert orders(lines) == []


async def test_spirii_s_orders_leave_a_line_too(client: TestClient, admin: dict[str, str]) -> None:
    with capture_logs() as lines:
        await client.delete("/v2/temporary-evse-statuses/999", headers=admin)
    assert [(line["event"], line["path"], line["status"]) for line in orders(lines)] == [
        ("order_refused", "/v2/temporary-evse-statuses/{id}", 404)
    ]
