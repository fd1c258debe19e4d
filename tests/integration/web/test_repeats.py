"""Orders that are sent again with their Idempotency-Key, over real sockets and both databases."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from aiohttp.test_utils import TestClient, TestServer
from yarl import URL

from bridge.app.repeats import StoredRepeats
from bridge.core.model import Moment
from bridge.core.repeats import LARGEST_ANSWER, New
from bridge.core.roles import Role
from bridge.store.engine import Store
from bridge.store.repeats import trim_orders
from bridge.store.tables import idempotent_answer
from bridge.store.writer import Writer
from bridge.web.access import AccessOptions
from bridge.web.key_shapes import KeyWish
from bridge.web.route_table import ROUTES
from bridge.web.routes import create_app
from bridge.web.services import Unavailable
from bridge.web.station_shapes import CallResult, ResetOrder
from tests.integration.web.real_services import real_services, rows

PATH = "/api/v1/temporary-statuses"
WISH = {"evse_ids": ["DE*ABC*E1"], "status": "BLOCKED"}
NOW = datetime(2026, 12, 1, 12, 0, tzinfo=UTC)


class Clock:
    now = NOW

    def __call__(self) -> Moment:
        return Moment(self.now, self.now)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def repeats(writer: Writer, clock: Clock) -> StoredRepeats:
    return StoredRepeats(writer, clock, b"p" * 32)


@pytest.fixture
async def desk(services: Any, token: str, repeats: StoredRepeats) -> AsyncIterator[TestClient]:
    app = create_app(services, token, repeats=repeats)
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": "order-1"}
    async with TestClient(TestServer(app, host="127.0.0.1"), headers=headers) as client:
        yield client


async def test_the_same_order_again_is_answered_as_before_and_carried_out_once(desk: TestClient, services: Any) -> None:
    first = await desk.post(PATH, json=WISH)
    again = await desk.post(PATH, json=WISH, headers={"Idempotency-Key": '"order-1"'})
    assert (first.status, again.status) == (200, 200)
    assert await first.json() == await again.json()
    assert (first.headers.get("Idempotency-Replayed"), again.headers["Idempotency-Replayed"]) == (None, "true")
    assert again.content_type == "application/json"
    assert [order[0] for order in services.temporaries.orders] == ["create"]


async def test_another_key_or_none_is_another_order(desk: TestClient, services: Any) -> None:
    await desk.post(PATH, json=WISH)
    await desk.post(PATH, json=WISH, headers={"Idempotency-Key": "order-2"})
    assert [order[0] for order in services.temporaries.orders] == ["create", "create"]


@pytest.mark.parametrize(
    ("path", "body"), [(PATH, {**WISH, "status": "RESERVED"}), (f"{PATH}/end", {"ids": [7]})], ids=["body", "path"]
)
async def test_the_key_of_another_order_is_422(desk: TestClient, services: Any, path: str, body: Any) -> None:
    await desk.post(PATH, json=WISH)
    response = await desk.post(path, json=body)
    assert response.status == 422
    assert (await response.json())["detail"] == "this Idempotency-Key was used for another order: take another one"
    assert [order[0] for order in services.temporaries.orders] == ["create"]


async def test_a_reset_that_is_sent_again_meanwhile_is_409_and_happens_once(
    repeats: StoredRepeats, services: Any
) -> None:
    begun, go_on, resets = asyncio.Event(), asyncio.Event(), []
    reset = services.stations.reset

    async def slow(identity: str, order: ResetOrder) -> CallResult:
        resets.append(identity)
        begun.set()
        await go_on.wait()
        return await reset(identity, order)

    services.stations.reset = slow
    async with TestClient(
        TestServer(create_app(services, "x" * 40, repeats=repeats), host="127.0.0.1"),
        headers={"Authorization": f"Bearer {'x' * 40}", "Idempotency-Key": "reset-1"},
    ) as client:
        order = {"kind": "soft"}
        first = asyncio.create_task(client.post("/api/v1/stations/CS-1/reset", json=order))
        await asyncio.wait_for(begun.wait(), 10)
        meanwhile = await client.post("/api/v1/stations/CS-1/reset", json=order)
        assert (meanwhile.status, meanwhile.headers["Retry-After"]) == (409, "1")
        go_on.set()
        assert (await first).status == 200
        assert (await client.post("/api/v1/stations/CS-1/reset", json=order)).status == 200
    assert resets == ["CS-1"]


async def test_what_did_nothing_may_be_sent_again(desk: TestClient, services: Any) -> None:
    services.temporaries.failure = Unavailable("the disk is full")
    assert (await desk.post(PATH, json=WISH)).status == 503
    assert (await desk.post(PATH, json={})).status == 400
    services.temporaries.failure = None
    assert (await desk.post(PATH, json=WISH)).status == 200


async def test_an_order_of_unknown_outcome_is_never_carried_out_again(desk: TestClient, services: Any) -> None:
    services.temporaries.failure = RuntimeError("a defect")
    assert (await desk.post(PATH, json=WISH)).status == 500
    services.temporaries.failure = None
    again = await desk.post(PATH, json=WISH)
    assert again.status == 409
    assert (await again.json())["detail"].startswith("this order was interrupted, and nobody knows what it did")


async def test_an_order_that_a_restart_interrupted_is_never_carried_out_again(
    desk: TestClient, services: Any, writer: Writer, clock: Clock, repeats: StoredRepeats
) -> None:
    await desk.post(PATH, json=WISH)
    assert await repeats.begin("admin", "order-2", b"POST\0/api/v1/temporary-statuses\0{}") == New()
    await StoredRepeats(writer, clock, b"p" * 32).start()
    again = await desk.post(PATH, json=WISH)
    assert (again.status, again.headers["Idempotency-Replayed"]) == (200, "true")
    interrupted = await desk.post(
        PATH, data=b"{}", headers={"Idempotency-Key": "order-2", "Content-Type": "application/json"}
    )
    assert (interrupted.status, "nobody knows" in (await interrupted.json())["detail"]) == (409, True)


async def test_keys_are_kept_for_a_day_and_then_trimmed(
    desk: TestClient, services: Any, writer: Writer, clock: Clock
) -> None:
    await desk.post(PATH, json=WISH)
    assert await writer.submit(trim_orders, (NOW + timedelta(hours=23, minutes=59), 10)) == 0
    assert await writer.submit(trim_orders, (NOW + timedelta(hours=24), 10)) == 1
    await desk.post(PATH, json=WISH)
    clock.now = NOW + timedelta(hours=24)
    await desk.post(PATH, json=WISH)
    assert [order[0] for order in services.temporaries.orders] == ["create"] * 3


async def test_an_answer_with_a_key_is_not_kept(desk: TestClient, store: Store) -> None:
    path, order = "/api/v1/quarantine/A%7CB*1/map", {"evses": ["DE*ABC*E1"], "operator": "acme", "generate_key": True}
    first = await desk.post(URL(path, encoded=True), json=order)
    key = (await first.json())["key"]
    assert (first.status, len(key)) == (200, 40)
    again = await desk.post(URL(path, encoded=True), json=order)
    assert again.status == 409
    assert (await again.json())["detail"].startswith("this order was carried out; what it was answered is not kept")
    async with store.read() as conn:
        (row,) = (await conn.execute(sa.select(idempotent_answer))).all()
    assert key not in repr(tuple(row))


async def test_too_long_an_answer_is_not_kept(repeats: StoredRepeats, store: Store) -> None:
    await repeats.begin("admin", "k", b"x")
    await repeats.answered("admin", "k", 200, "x" * (LARGEST_ANSWER + 1))
    async with store.read() as conn:
        (row,) = (await conn.execute(sa.select(idempotent_answer))).all()
    assert (row.status, row.body) == (200, None)


@pytest.mark.parametrize("key", ["", " ", "ä", "a b", "x" * 256, '"', '"a', 'a"b'])
async def test_a_key_of_another_form_is_400(desk: TestClient, services: Any, key: str) -> None:
    response = await desk.post(PATH, json=WISH, headers={"Idempotency-Key": key})
    assert response.status == 400
    assert services.temporaries.orders == []


def test_every_order_whose_answer_has_a_key_is_marked(services: Any) -> None:
    for route in create_app(services, "x" * 40)[ROUTES].values():
        if route.method == "POST" and route.gives is not None:
            holds = {"key", "secret", "token", "password"} & route.gives.model_fields.keys()
            assert not holds or route.secret, route.path


async def test_a_new_key_with_a_revoked_key_s_name_is_not_given_its_answers(
    store: Store, writer: Writer, token: str, repeats: StoredRepeats, tmp_path: Path
) -> None:
    services = real_services(store, writer, tmp_path)
    app = create_app(services, token, access=AccessOptions(ring=services.key_ring), repeats=repeats)
    order = {"csv": rows(1)}
    async with TestClient(TestServer(app, host="127.0.0.1")) as client:
        added = []
        for _ in range(2):
            made = await services.api_keys.create(KeyWish(name="pipeline", role=Role.ADMIN), by="test")
            headers = {"X-API-Key": made.key, "Idempotency-Key": "order-1"}
            for _ in range(2):
                response = await client.post("/api/v1/inventory", json=order, headers=headers)
                body = await response.json()
                added.append((body["stations_added"], "Idempotency-Replayed" in response.headers))
            await services.api_keys.revoke(made.item.id)
    assert added == [(["CS-00001"], False), (["CS-00001"], True), ([], False), ([], True)]
