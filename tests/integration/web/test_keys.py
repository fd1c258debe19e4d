"""Operators' keys through real sockets, over the real services and both databases."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from aiohttp import ClientResponse, web
from aiohttp.test_utils import TestClient, TestServer

from bridge.app.key_ring import StoreKeyRing
from bridge.app.key_services import StoreKeys
from bridge.core.model import Moment
from bridge.core.roles import Role
from bridge.edits import api_keys as edits
from bridge.store.engine import Store
from bridge.store.errors import StoreUnavailable
from bridge.store.tables import api_key
from bridge.store.writer import Writer
from bridge.web.access import AccessOptions
from bridge.web.auth import is_still_good
from bridge.web.key_shapes import KeyWish
from bridge.web.route_table import Route, add_routes
from bridge.web.routes import create_app
from bridge.web.services import Conflict

NOON = datetime(2026, 12, 1, 12, 0, tzinfo=UTC)
PATH = "/api/v1/keys"
STATUS = "/api/v1/status"


class Clock:
    now = NOON

    def __call__(self) -> Moment:
        return Moment(self.now, self.now)

    def wall(self) -> datetime:
        return self.now


@dataclass
class Site:
    """The application over the real store, its clock, and a request that stays open."""

    client: TestClient
    ring: StoreKeyRing
    keys: StoreKeys
    clock: Clock
    admin: dict[str, str]
    held: web.Request | None = None

    async def make(self, name: str, role: str = "viewer", **members: Any) -> dict[str, Any]:
        response = await self.client.post(PATH, json={"name": name, "role": role, **members}, headers=self.admin)
        assert response.status == 201, await response.text()
        return dict(await response.json())

    async def ask(self, key: str, path: str = STATUS, **options: Any) -> ClientResponse:
        return await self.client.get(path, headers={"X-API-Key": key}, **options)


@pytest.fixture
async def site(store: Store, writer: Writer, services: Any, token: str, admin: dict[str, str]) -> AsyncIterator[Site]:
    clock = Clock()
    ring = StoreKeyRing(store, writer, clock)
    services.api_keys = StoreKeys(store, writer, ring, clock, {"acme", "volt"})
    app = create_app(services, token, access=AccessOptions(ring=ring, wall=clock.wall))

    async def hold(request: web.Request) -> web.Response:
        found.held = request
        return web.Response(text="held")

    add_routes(app, [Route("GET", "/hold", hold, Role.VIEWER, "Stay open.", "test")])
    async with TestClient(TestServer(app, host="127.0.0.1")) as client:
        found = Site(client, ring, services.api_keys, clock, admin)
        yield found


async def stored(store: Store) -> list[dict[str, Any]]:
    async with store.read() as connection:
        return [dict(row) for row in (await connection.execute(sa.select(api_key))).mappings()]


async def test_a_key_is_shown_once_and_stored_as_its_digest(site: Site, store: Store) -> None:
    made = await site.make("grafana", expires_at="2027-03-01T12:00:00Z", operators=["volt", "acme"])
    assert re.fullmatch(r"ocppb_[A-Za-z0-9_-]{43}", made["key"])
    assert made["item"] == {
        "id": made["item"]["id"],
        "name": "grafana",
        "role": "viewer",
        "operators": ["acme", "volt"],
        "state": "in force",
        "created_at": "2026-12-01T12:00:00Z",
        "created_by": "admin",
        "expires_at": "2027-03-01T12:00:00Z",
        "revoked_at": None,
        "used_at": None,
    }
    listed = await site.client.get(PATH, headers=site.admin)
    shown = await site.client.get(f"{PATH}/{made['item']['id']}", headers=site.admin)
    assert made["key"] not in await listed.text()
    assert await shown.json() == made["item"]
    (row,) = await stored(store)
    assert re.fullmatch(r"[0-9a-f]{64}", row["digest"])
    assert made["key"] not in repr(row)


async def test_a_key_counts_in_either_header_and_in_one_alone(site: Site) -> None:
    key = (await site.make("grafana"))["key"]
    bearer, plain = {"Authorization": f"Bearer {key}"}, {"X-API-Key": key}
    assert (await site.client.get(STATUS, headers=bearer)).status == 200
    assert (await site.client.get(STATUS, headers=plain)).status == 200
    assert (await site.client.get(STATUS, headers={**bearer, **plain})).status == 401
    twice = [("X-API-Key", key), ("X-API-Key", key)]
    assert (await site.client.get(STATUS, headers=twice)).status == 401
    assert (await site.client.get(f"{STATUS}?api_key={key}")).status == 401


async def test_a_key_may_do_what_its_role_says_and_the_refusal_names_both(site: Site) -> None:
    viewer, operator = (await site.make("v"))["key"], (await site.make("o", "operator"))["key"]
    path = "/api/v1/upstreams/hubject/disable"
    refused = await site.client.post(path, headers={"X-API-Key": operator})
    assert (refused.status, (await refused.json())["detail"]) == (
        403,
        "the role admin is needed for this, and the key 'o' has operator",
    )
    assert (await site.client.post("/api/v1/upstreams/hubject/sync", headers={"X-API-Key": viewer})).status == 403
    assert (await site.client.post("/api/v1/upstreams/hubject/sync", headers={"X-API-Key": operator})).status == 200
    assert (await site.ask(viewer, PATH)).status == 403
    admin = (await site.make("a", "admin"))["key"]
    assert (await site.ask(admin, PATH)).status == 200


async def test_what_a_key_orders_is_stored_under_its_name(site: Site, services: Any) -> None:
    key = (await site.make("night shift", "admin"))["key"]
    await site.client.post("/api/v1/upstreams/hubject/disable", headers={"X-API-Key": key})
    assert services.orders[-1][-1] == "night shift"
    made = await site.client.post(PATH, json={"name": "x"}, headers={"X-API-Key": key})
    assert (await made.json())["item"]["created_by"] == "night shift"


async def test_a_key_expires_to_the_moment(site: Site) -> None:
    key = (await site.make("installer", expires_at="2026-12-01T13:00:00+00:00"))["key"]
    site.clock.now = NOON + timedelta(minutes=59, seconds=59)
    assert (await site.ask(key)).status == 200
    site.clock.now = NOON + timedelta(hours=1)
    refused = await site.ask(key)
    assert (refused.status, (await refused.json())["detail"][:40]) == (401, "the key is unknown, expired or revoked: ")


async def test_a_revoked_key_counts_no_more_in_requests_sessions_and_open_streams(site: Site) -> None:
    made = await site.make("installer")
    login = await site.client.post("/session", data={"key": made["key"]}, allow_redirects=False)
    cookie = {"Cookie": login.headers["Set-Cookie"].partition(";")[0]}
    assert (await site.client.get("/hold", headers=cookie)).status == 200
    by_cookie = site.held
    assert (await site.ask(made["key"], "/hold")).status == 200
    by_key = site.held
    assert by_cookie is not None
    assert by_key is not None
    assert [await is_still_good(request) for request in (by_cookie, by_key)] == [True, True]
    gone = await site.client.delete(f"{PATH}/{made['item']['id']}", headers=site.admin)
    assert (gone.status, (await gone.json())["state"]) == (200, "revoked")
    assert (await site.ask(made["key"])).status == 401
    assert (await site.client.get(STATUS, headers=cookie)).status == 401
    assert [await is_still_good(request) for request in (by_cookie, by_key)] == [False, False]


async def test_an_open_stream_is_over_with_its_session_its_key_s_end_or_its_age(site: Site) -> None:
    key = (await site.make("wall", expires_at="2026-12-20T12:00:00Z"))["key"]
    login = await site.client.post("/session", data={"key": key}, allow_redirects=False)
    await site.client.get("/hold", headers={"Cookie": login.headers["Set-Cookie"].partition(";")[0]})
    by_cookie = site.held
    await site.ask(key, "/hold")
    by_key = site.held
    assert by_cookie is not None
    assert by_key is not None
    site.clock.now = NOON + timedelta(days=7)
    assert [await is_still_good(request) for request in (by_cookie, by_key)] == [False, True]
    site.clock.now = NOON + timedelta(days=19)
    assert not await is_still_good(by_key)


async def test_revoked_ones_are_listed_where_they_are_wanted_and_stay_revoked(site: Site) -> None:
    number = (await site.make("old"))["item"]["id"]
    await site.client.delete(f"{PATH}/{number}", headers=site.admin)
    site.clock.now = NOON + timedelta(hours=1)
    again = await site.client.delete(f"{PATH}/{number}", headers=site.admin)
    assert (await again.json())["revoked_at"] == "2026-12-01T12:00:00Z"
    assert (await (await site.client.get(PATH, headers=site.admin)).json())["items"] == []
    listed = await (await site.client.get(f"{PATH}?revoked=true", headers=site.admin)).json()
    assert [item["name"] for item in listed["items"]] == ["old"]
    assert (await site.make("old"))["item"]["id"] > number


@pytest.mark.parametrize("path", ["/999", "/0", "/999999999999999999"])
async def test_there_is_no_other_key(site: Site, path: str) -> None:
    for method in ("GET", "DELETE"):
        response = await site.client.request(method, PATH + path, headers=site.admin)
        assert (response.status, (await response.json())["detail"]) == (404, f"there is no key {path[1:]!r}")


@pytest.mark.parametrize(
    ("wish", "status", "said"),
    [
        ({"name": "taken"}, 409, "there is a key 'taken' already"),
        ({"name": "admin"}, 422, "name: should be 1 to 64 letters"),
        ({"name": "Admin"}, 422, "name: should be 1 to 64 letters"),
        ({"name": "42"}, 422, "name: should be 1 to 64 letters"),
        ({"name": ""}, 422, "name: should be 1 to 64 letters"),
        ({"name": " a"}, 422, "name: should be 1 to 64 letters"),
        ({"name": "a\nb"}, 422, "name: should be 1 to 64 letters"),
        ({"name": "x" * 65}, 422, "name: should be 1 to 64 letters"),
        ({"name": "a", "expires_at": "2026-12-01T12:00:00Z"}, 422, "expires_at: should be in the future"),
        ({"name": "a", "operators": ["nobody"]}, 422, "operators: there is no operator 'nobody'; the configuration"),
        ({"name": "a", "operators": []}, 400, "operators: "),
        ({"name": "a", "role": "root"}, 400, "role: "),
        ({"name": "a", "expires_at": "2027-01-01T00:00:00"}, 400, "expires_at: "),
        ({"name": "a", "key": "ocppb_mine"}, 400, "key: "),
        ({}, 400, "name: "),
    ],
)
async def test_what_cannot_be_a_key_is_refused(site: Site, wish: dict[str, Any], status: int, said: str) -> None:
    await site.make("taken")
    response = await site.client.post(PATH, json=wish, headers=site.admin)
    assert response.status == status
    assert (await response.json())["detail"].startswith(said)


async def test_an_expired_key_s_name_is_free_again(site: Site) -> None:
    await site.make("installer", expires_at="2026-12-02T12:00:00Z")
    site.clock.now = NOON + timedelta(days=2)
    await site.make("installer")


async def test_no_request_waits_for_storage_to_know_its_key(site: Site, store: Store, writer: Writer) -> None:
    key = (await site.make("grafana"))["key"]
    assert (await site.ask(key)).status == 200
    await writer.submit(_rename, "api_key TO api_key_away")
    try:
        assert (await site.ask(key)).status == 200
        assert (await site.ask("ocppb_wrong")).status == 401
    finally:
        await writer.submit(_rename, "api_key_away TO api_key")


async def test_where_the_keys_cannot_be_read_the_admin_token_still_counts(
    services: Any, token: str, admin: dict[str, str]
) -> None:
    class Busy:
        def read(self) -> Any:
            raise StoreUnavailable("database unavailable: busy")

    ring = StoreKeyRing(Busy(), None, Clock())  # type: ignore[arg-type]
    async with TestClient(TestServer(create_app(services, token, access=AccessOptions(ring=ring)))) as client:
        refused = await client.get(STATUS, headers={"X-API-Key": "ocppb_right"})
        assert (refused.status, refused.headers["Retry-After"]) == (503, "1")
        assert (await client.get(STATUS, headers=admin)).status == 200


def _rename(conn: sa.Connection, tables: Any) -> list[None]:
    for what in tables:
        conn.execute(sa.text(f"ALTER TABLE {what.replace(' TO ', ' RENAME TO ')}"))
    return [None] * len(tables)


async def test_the_last_use_is_shown_at_once_and_written_later(site: Site, store: Store) -> None:
    made = await site.make("grafana")
    site.clock.now = NOON + timedelta(minutes=5)
    await site.ask(made["key"])
    item = await (await site.client.get(f"{PATH}/{made['item']['id']}", headers=site.admin)).json()
    assert item["used_at"] == "2026-12-01T12:05:00Z"
    assert (await stored(store))[0]["used_at_w"] is None
    await site.ring.write()
    assert (await stored(store))[0]["used_at_w"] == 1_796_126_700_000_000
    site.ring.forget()
    item = await (await site.client.get(f"{PATH}/{made['item']['id']}", headers=site.admin)).json()
    assert item["used_at"] == "2026-12-01T12:05:00Z"


async def test_there_are_never_more_keys_than_memory_is_meant_for(site: Site, writer: Writer) -> None:
    def fill(conn: sa.Connection, orders: Any) -> list[None]:
        rows = [
            {"name": f"n{n}", "digest": f"{n:064}", "role": "viewer", "created_at_w": 0, "created_by": "x"}
            for n in range(edits.MOST_KEYS)
        ]
        conn.execute(sa.insert(api_key), rows)
        return [None] * len(orders)

    await writer.submit(fill, None)
    response = await site.client.post(PATH, json={"name": "one more"}, headers=site.admin)
    assert (response.status, (await response.json())["detail"]) == (
        409,
        "there are 1000 keys: revoke those that nobody uses",
    )


async def test_of_two_keys_made_at_once_under_one_name_one_is_refused(site: Site) -> None:
    ends = await asyncio.gather(
        *(site.keys.create(KeyWish(name="same"), by="admin") for _ in range(5)), return_exceptions=True
    )
    assert sum(isinstance(end, Conflict) for end in ends) == 4
