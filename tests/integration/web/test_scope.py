"""A key that is bound to an operator: others' EVSEs are as if they did not exist. Real services, both databases."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from bridge.app.ownership import StoreOwnership
from bridge.core.roles import Role
from bridge.store.engine import Store
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
    services = real_services(store, writer, tmp_path)
    app = create_app(services, token, access=AccessOptions(ring=services.key_ring, ownership=StoreOwnership(store)))
    async with TestClient(TestServer(app, host="127.0.0.1")) as client:
        admin = Asker(client, token)
        assert (await admin.ask("POST", "/api/v1/inventory", {"csv": INVENTORY}))[0] == 200

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
