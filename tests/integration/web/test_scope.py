"""A key that is bound to an operator: others' EVSEs are as if they did not exist. Real services, both databases."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from aiohttp.test_utils import TestClient, TestServer

from bridge.app.ownership import StoreOwnership
from bridge.core.model import AccountName
from bridge.core.roles import Role
from bridge.store.delivery_log import LoggedRequest, log_requests
from bridge.store.engine import Store
from bridge.store.tables import delivery_log, evse
from bridge.store.writer import Writer
from bridge.web.access import AccessOptions
from bridge.web.key_shapes import KeyWish
from bridge.web.route_table import ROUTES
from bridge.web.routes import create_app
from tests.integration.web.real_services import HEAD, real_services

EVSES = "/api/v1/evses"
OURS = "/api/v1/temporary-statuses"
SPIRII = "/v2/temporary-evse-statuses"
INVENTORY = f"""{HEAD}CS-1,1.6,,insecure,,1,DE*ABC*E1*11,acme
CS-1,,,,,2,DE*ABC*E2,acme
CS-2,1.6,,insecure,,1,DE*XYZ*E3,other
CS-2,,,,,2,DE*ABC*E11*1,other
"""
OWN, TWIN, FOREIGN = "DE*ABC*E2", "DE*ABC*E1*11", "DE*XYZ*E3"


class Asker:
    """Asks with one key."""

    def __init__(self, client: TestClient, key: str) -> None:
        self.client = client
        self.headers = {"X-API-Key": key, "X-Request-ID": "r", "If-Match": "*"}

    async def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        response = await self.client.request(method, path, json=body, headers=self.headers)
        text = await response.text()
        return response.status, await response.json() if text else None


@pytest.fixture
async def askers(store: Store, writer: Writer, token: str, tmp_path: Path) -> AsyncIterator[dict[str, Asker]]:
    services = real_services(store, writer, tmp_path, without_stations=False, told=("hubject",))
    app = create_app(services, token, access=AccessOptions(ring=services.key_ring, ownership=StoreOwnership(store)))
    async with TestClient(TestServer(app, host="127.0.0.1")) as client:
        admin = Asker(client, token)
        assert (await admin.ask("POST", "/api/v1/inventory", {"csv": INVENTORY}))[0] == 200

        telling = asyncio.create_task(services.events.run(), name="events")

        async def made(name: str, role: Role, *operators: str) -> Asker:
            wish = KeyWish(name=name, role=role, operators=operators or None)
            return Asker(client, (await services.api_keys.create(wish, by="test")).key)

        yield {
            "admin": admin,
            "acme": await made("acme-app", Role.OPERATOR, "acme"),
            "other": await made("other-app", Role.OPERATOR, "other"),
            "both": await made("both-app", Role.OPERATOR, "acme", "other"),
            "bound admin": await made("bound-admin", Role.ADMIN, "acme"),
        }
        telling.cancel()


async def ids(asker: Asker, path: str = EVSES) -> list[str]:
    status, body = await asker.ask("GET", path)
    assert status == 200
    return [item["evse_id"] for item in body["items"]]


async def test_a_bound_key_is_shown_its_operators_evses(askers: dict[str, Asker]) -> None:
    assert await ids(askers["acme"]) == [TWIN, OWN]
    assert await ids(askers["other"]) == ["DE*ABC*E11*1", FOREIGN]
    assert len(await ids(askers["both"])) == len(await ids(askers["admin"])) == 4
    assert await ids(askers["acme"], f"{EVSES}?operator=other") == []
    assert await ids(askers["acme"], f"{EVSES}?q=XYZ") == []
    assert await ids(askers["acme"], f"{EVSES}?station=CS-2") == []


async def test_pages_hold_only_own_ones(askers: dict[str, Asker]) -> None:
    status, first = await askers["acme"].ask("GET", f"{EVSES}?limit=1")
    assert (status, [item["evse_id"] for item in first["items"]]) == (200, [TWIN])
    _, second = await askers["acme"].ask("GET", f"{EVSES}?limit=1&cursor={first['next_cursor']}")
    assert ([item["evse_id"] for item in second["items"]], second["next_cursor"]) == ([OWN], None)


async def test_another_s_evse_is_answered_like_one_that_does_not_exist(askers: dict[str, Asker]) -> None:
    acme = askers["acme"]
    assert (await acme.ask("GET", f"{EVSES}/{OWN}"))[0] == 200
    assert (await acme.ask("GET", f"{EVSES}/de.abc.e2"))[0] == 200
    for spelled in (FOREIGN, FOREIGN.lower(), "DEXYZE3", "DE*NONE*E1"):
        status, body = await acme.ask("GET", f"{EVSES}/{spelled}")
        assert (status, body["detail"]) == (404, f"there is no EVSE {spelled!r}")
    assert (await askers["admin"].ask("GET", f"{EVSES}/{FOREIGN}"))[0] == 200


async def test_of_ids_that_differ_in_separators_alone_the_exact_one_is_found(askers: dict[str, Asker]) -> None:
    assert (await askers["acme"].ask("GET", f"{EVSES}/{TWIN}"))[0] == 200
    assert (await askers["acme"].ask("GET", f"{EVSES}/DE*ABC*E11*1"))[0] == 404
    assert (await askers["acme"].ask("GET", f"{EVSES}/DEABCE111"))[0] == 404


async def temporary(asker: Asker, *evse_ids: str) -> tuple[int, Any]:
    return await asker.ask("POST", OURS, {"evse_ids": evse_ids, "status": "BLOCKED"})


async def test_temporary_statuses_of_others_are_neither_made_seen_changed_nor_ended(
    askers: dict[str, Asker],
) -> None:
    acme, other = askers["acme"], askers["other"]
    status, body = await temporary(acme, OWN, FOREIGN)
    assert (status, body["detail"]) == (404, f"there is no EVSE {FOREIGN!r}")
    assert await ids(askers["admin"], OURS) == []
    own = (await temporary(acme, OWN))[1]["items"][0]
    foreign = (await temporary(other, FOREIGN))[1]["items"][0]
    assert (own["created_by"], foreign["created_by"]) == ("acme-app", "other-app")
    assert await ids(acme, OURS) == [OWN]
    assert await ids(acme, f"{OURS}?evse_id={FOREIGN}") == []
    assert await ids(askers["both"], f"{OURS}?limit=1") == [OWN]
    number = foreign["id"]
    for method, path, change in (
        ("GET", f"{OURS}/{number}", None),
        ("PATCH", f"{OURS}/{number}", {"status": "MAINTENANCE"}),
        ("POST", f"{OURS}/end", {"ids": [own["id"], number]}),
    ):
        status, body = await acme.ask(method, path, change)
        assert (status, body["detail"]) == (404, f"there is no temporary status '{number}'"), path
    assert len(await ids(askers["admin"], OURS)) == 2
    assert (await acme.ask("PATCH", f"{OURS}/{own['id']}", {"status": "MAINTENANCE"}))[0] == 200
    assert (await acme.ask("POST", f"{OURS}/end", {"ids": [own["id"]]}))[0] == 200


async def test_in_spirii_s_contract_others_evses_do_not_exist_either(askers: dict[str, Asker]) -> None:
    acme, other = askers["acme"], askers["other"]
    wish = {"evseId": FOREIGN, "temporaryStatus": "BLOCKED"}
    refused = await acme.ask("POST", SPIRII, wish)
    assert refused == (
        404,
        {
            "error": {
                "type": "not_found_error",
                "code": "not_found",
                "message": f"there is no EVSE {FOREIGN!r}",
                "param": "evseId",
                "request_id": "r",
            }
        },
    )
    number = (await other.ask("POST", SPIRII, wish))[1]["id"]
    assert await acme.ask("GET", SPIRII) == (200, [])
    assert [item["id"] for item in (await other.ask("GET", SPIRII))[1]] == [number]
    for method, body in (("GET", None), ("PATCH", {"temporaryStatus": "MAINTENANCE"}), ("DELETE", None)):
        assert (await acme.ask(method, f"{SPIRII}/{number}", body))[0] == 404
    assert (await other.ask("DELETE", f"{SPIRII}/{number}"))[0] == 204


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", f"{EVSES}/{{}}/explain", None),
        ("GET", f"{EVSES}/{{}}/history", None),
        ("GET", "/api/v1/deliveries?evse_id={}", None),
        ("GET", "/api/v1/events?evse_id={}", None),
        ("POST", f"{EVSES}/{{}}/retry", {"account": "hubject"}),
    ],
)
async def test_whatever_is_asked_about_another_s_evse_is_as_of_none(
    askers: dict[str, Asker], method: str, path: str, body: Any
) -> None:
    acme = askers["acme"]
    for spelled in (FOREIGN, FOREIGN.lower(), "DE*NONE*E1"):
        status, answer = await acme.ask(method, path.format(spelled), body)
        assert status == 404
        assert FOREIGN not in answer["detail"].replace(repr(spelled), "")


async def test_what_is_asked_about_an_own_evse_is_answered(askers: dict[str, Asker]) -> None:
    acme = askers["acme"]
    status, explained = await acme.ask("GET", f"{EVSES}/{OWN}/explain")
    assert (status, [hub["account"] for hub in explained["hubs"]]) == (200, ["hubject"])
    assert len((await askers["admin"].ask("GET", f"{EVSES}/{OWN}/explain"))[1]["hubs"]) == 3
    assert (await acme.ask("GET", f"{EVSES}/{OWN}/history"))[0] == 200
    status, body = await acme.ask("POST", f"{EVSES}/{OWN}/retry", {"account": "hubject"})
    assert (status, body["detail"].split(":")[0]) == (409, f"status of {OWN} at hubject")
    assert (await acme.ask("GET", f"/api/v1/deliveries?evse_id={OWN}"))[0] == 200


async def test_a_preview_is_for_own_evses_alone(askers: dict[str, Asker]) -> None:
    wish = {"evse_ids": [OWN], "status": "BLOCKED"}
    status, body = await askers["acme"].ask("POST", f"{OURS}/preview", wish)
    assert (status, [item["evse_id"] for item in body["items"]]) == (200, [OWN])
    status, body = await askers["acme"].ask("POST", f"{OURS}/preview", wish | {"evse_ids": [OWN, FOREIGN]})
    assert (status, body["detail"]) == (404, f"there is no EVSE {FOREIGN!r}")


async def test_of_connectors_and_counts_there_are_own_ones(askers: dict[str, Asker]) -> None:
    assert await ids(askers["acme"], "/api/v1/connectors") == [TWIN, OWN]
    assert await ids(askers["acme"], "/api/v1/connectors?station=CS-2") == []
    assert await ids(askers["acme"], f"/api/v1/connectors?evse_id={FOREIGN}") == []
    assert len(await ids(askers["admin"], "/api/v1/connectors")) == 4
    until = (datetime.now(UTC) + timedelta(minutes=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert (await askers["acme"].ask("GET", f"/api/v1/status/history?buckets=1&until={until}"))[0] == 200


async def test_of_the_delivery_log_there_is_what_is_about_own_evses(askers: dict[str, Asker], writer: Writer) -> None:
    def log(conn: Any, _: Any) -> list[dict[str, int]]:
        keys = dict(conn.execute(sa.select(evse.c.evse_id, evse.c.id)).all())
        about = {OWN: keys[OWN], FOREIGN: keys[FOREIGN], "fullLoad": None}
        pushes = [
            LoggedRequest(
                account=AccountName("hubject"),
                epoch=1,
                number=number,
                kind="status" if key else "full_load",
                sent_at=datetime.now(UTC),
                outcome="refused",
                why="no",
                evse=key,
            )
            for number, key in enumerate(about.values())
        ]
        log_requests(conn, pushes)
        rows = conn.execute(sa.select(delivery_log.c.id).order_by(delivery_log.c.id)).scalars()
        return [dict(zip(about, rows, strict=True))]

    number = await writer.submit(log, None)
    acme = askers["acme"]
    assert await ids(acme, "/api/v1/deliveries") == [OWN]
    assert len((await askers["admin"].ask("GET", "/api/v1/deliveries"))[1]["items"]) == 3
    assert (await acme.ask("GET", f"/api/v1/deliveries/{number[OWN]}"))[0] == 200
    for hidden in (FOREIGN, "fullLoad"):
        status, body = await acme.ask("GET", f"/api/v1/deliveries/{number[hidden]}")
        assert (status, body["detail"]) == (404, f"there is no delivery '{number[hidden]}'")


async def test_events_are_of_own_evses(askers: dict[str, Asker]) -> None:
    acme, other = askers["acme"], askers["other"]
    async with acme.client.get("/api/v1/events", headers=acme.headers) as stream:
        assert stream.status == 200
        told = await until(stream, "reset")
        assert '"why": "what was before is not known, or more changed than is told one by one"' in told
        assert (await temporary(other, FOREIGN))[0] == 200
        assert (await temporary(acme, OWN))[0] == 200
        told = await until(stream, "event: temporary")
    assert OWN in told
    assert FOREIGN not in told
    assert "event: upstream" not in told
    status, body = await acme.ask("GET", "/api/v1/events?events=status,station,upstream")
    assert (status, body["detail"]) == (
        403,
        "station, upstream events are about all operators; a key that is bound to some is told of "
        "status, delivery, temporary, reset",
    )


async def until(stream: Any, what: str) -> str:
    """Read the stream up to the end of the event in which this comes."""
    told = ""
    async with asyncio.timeout(10):
        while what not in told or not told.endswith("\n\n"):
            told += (await stream.content.readline()).decode()
    return told


async def test_what_is_about_all_operators_is_refused_whatever_the_role(askers: dict[str, Asker]) -> None:
    bound = askers["bound admin"]
    asked = 0
    for route in bound.client.app[ROUTES].values():  # type: ignore[union-attr]
        if route.scoped or route.role is None:
            continue
        path = route.template.replace("{id}", "1").replace("{", "").replace("}", "")
        status, body = await bound.ask(route.method, path, {})
        asked += 1
        assert status == 403, f"{route.method} {path}"
        assert body["detail"] == "this is about all operators, and the key 'bound-admin' is bound to acme"
    assert asked > 30
