"""A stream of events lasts no longer than the key that opened it. Real keys, real events, both databases."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from bridge.app.services import StoreServices
from bridge.core.roles import Role
from bridge.store.engine import Store
from bridge.store.writer import Writer
from bridge.web.access import ACCESS, Access, AccessOptions
from bridge.web.auth import is_still_good, require_key
from bridge.web.event_routes import PATH, EventRoutes, StreamOptions
from bridge.web.key_shapes import KeyMade, KeyWish
from bridge.web.problems import problems, request_ids
from bridge.web.route_table import add_routes
from tests.integration.web.real_services import real_services

OFTEN = StreamOptions(ping=timedelta(milliseconds=50), look=timedelta(milliseconds=20))


@pytest.fixture
async def services(store: Store, writer: Writer, tmp_path: Path) -> StoreServices:
    return real_services(store, writer, tmp_path, without_stations=False)


@pytest.fixture
async def client(services: StoreServices, token: str) -> AsyncIterator[TestClient]:
    guard = Access(token, AccessOptions(ring=services.key_ring))
    app = web.Application(middlewares=[request_ids, problems, require_key(guard)])
    app[ACCESS] = guard
    add_routes(app, EventRoutes(services.events, is_still_good, OFTEN).routes())
    telling = asyncio.create_task(services.events.run(), name="events")
    async with TestClient(TestServer(app, host="127.0.0.1")) as client:
        yield client
    telling.cancel()


async def made(services: StoreServices, name: str, lasts: timedelta | None = None) -> KeyMade:
    end = None if lasts is None else datetime.now(UTC) + lasts
    return await services.api_keys.create(KeyWish(name=name, role=Role.VIEWER, expires_at=end), by="test")


async def test_a_stream_ends_when_its_key_is_revoked_and_no_other_does(
    client: TestClient, services: StoreServices
) -> None:
    key, other = await made(services, "screen"), await made(services, "other")
    async with (
        client.get(PATH, headers={"X-API-Key": key.key}) as stream,
        client.get(PATH, headers={"X-API-Key": other.key}) as stays,
    ):
        assert b"event: reset" in await stream.content.readuntil(b"\n\n")
        await services.api_keys.revoke(key.item.id)
        async with asyncio.timeout(20):
            await stream.read()
        assert (await client.get(PATH, headers={"X-API-Key": key.key})).status == 401
        assert not stays.content.at_eof()


async def test_a_stream_ends_when_its_key_expires(client: TestClient, services: StoreServices) -> None:
    key = await made(services, "screen", timedelta(seconds=1))
    async with client.get(PATH, headers={"X-API-Key": key.key}) as stream:
        assert stream.status == 200
        async with asyncio.timeout(20):
            await stream.read()
    assert (await client.get(PATH, headers={"X-API-Key": key.key})).status == 401
