"""Single rows of the inventory: looked at, made, changed and taken out, and what hubs are to be told of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from aiohttp.test_utils import TestClient, TestServer

from bridge.app.services import StoreServices
from bridge.store.engine import Store
from bridge.store.tables import delivery, evse, station
from bridge.store.working_copies import drop_copies
from bridge.store.writer import Writer
from bridge.web.routes import create_app
from bridge.web.shapes import ImportRequest
from tests.integration.web.real_services import HEAD, real_services

EVSES, STATIONS = "/api/v1/inventory/evses", "/api/v1/inventory/stations"
SECRET = "INTEGRATION-KEY-1"
# One more EVSE, or one station more, may go without a yes: a tenth.
MANY = HEAD + "".join(
    f"CS-{number:02},1.6,{SECRET if number == 1 else ''},{'' if number == 1 else 'insecure'},,{connector},"
    f"DE*ABC*E{number:02}*{connector},acme\n"
    for number in range(1, 13)
    for connector in (1, 2)
)
NONE, ANY = {"If-None-Match": "*"}, {"If-Match": "*"}


class Editor:
    """Asks as an admin."""

    def __init__(self, client: TestClient, token: str, services: StoreServices, store: Store, writer: Writer) -> None:
        self.client, self.services, self.store, self.writer = client, services, store, writer
        self.headers = {"X-API-Key": token}

    async def ask(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        async with self.client.request(method, path, json=body, headers=self.headers | headers) as response:
            text = await response.text()
            self.tag = response.headers.get("ETag")
            self.text = text
            return response.status, await response.json() if text else None

    async def lines(self) -> list[str]:
        return (await self.services.export_inventory()).splitlines()[2:]

    async def acknowledge_all(self) -> None:
        """Let every hub have what it should have."""
        known = {"acked": delivery.c.desired, "acked_seq": delivery.c.desired_seq, "due_at": None}

        def note(conn: sa.Connection, _: Sequence[None]) -> list[None]:
            conn.execute(sa.update(delivery).values(known))
            drop_copies(conn)
            return [None]

        await self.writer.submit(note, None)

    async def wanted(self, evse_id: str) -> list[tuple[str, str, bool]]:
        """What each hub that has not been told yet is to have: the account, the status, whether it is to go."""
        async with self.store.read() as connection:
            rows = await connection.execute(
                sa.select(delivery)
                .join(evse, evse.c.id == delivery.c.evse)
                .where(evse.c.evse_id == evse_id, delivery.c.due_at.is_not(None))
                .order_by(delivery.c.account)
            )
            return [(row.account, row.desired, row.tombstone) for row in rows]


@pytest.fixture
async def editor(store: Store, writer: Writer, token: str, tmp_path: Path) -> AsyncIterator[Editor]:
    services = real_services(store, writer, tmp_path, told=("hubject",))
    await services.import_inventory(ImportRequest(csv=MANY))
    async with TestClient(TestServer(create_app(services, token), host="127.0.0.1")) as client:
        yield Editor(client, token, services, store, writer)


async def test_an_evse_is_shown_as_the_file_says_it_with_an_etag(editor: Editor) -> None:
    status, shown = await editor.ask("GET", f"{EVSES}/deabce012")
    assert (status, shown) == (
        200,
        {
            "evse_id": "DE*ABC*E01*2",
            "station": "CS-01",
            "operator": "acme",
            "chargeprice_station": "",
            "chargeprice_point": "",
            "spirii": False,
            "connectors": [{"evse": None, "connector": 2}],
        },
    )
    assert editor.tag is not None
    assert (await editor.ask("GET", f"{EVSES}/DE*ABC*E99"))[0] == 404


async def test_a_station_is_shown_without_its_key(editor: Editor) -> None:
    status, shown = await editor.ask("GET", f"{STATIONS}/CS-01")
    assert (status, shown["station"], shown["version"], shown["security"]) == (200, "CS-01", "1.6", "1")
    assert [each["evse_id"] for each in shown["evses"]] == ["DE*ABC*E01*1", "DE*ABC*E01*2"]
    assert "key" not in shown
    assert SECRET not in editor.text
    assert (await editor.ask("GET", f"{STATIONS}/nobody"))[0] == 404


@pytest.mark.parametrize("path", [f"{EVSES}/DE*ABC*E01*1", f"{STATIONS}/CS-01"])
async def test_nobody_changes_what_he_has_not_seen(editor: Editor, path: str) -> None:
    before = await editor.lines()
    change = {"operator": "other"} if "evses" in path else {"strict": True}
    assert (await editor.ask("PATCH", path, change))[0] == 428
    assert (await editor.ask("DELETE", path))[0] == 428
    assert (await editor.ask("PATCH", path, change, **{"If-Match": '"other"'}))[0] == 412
    assert (await editor.ask("DELETE", path, **{"If-Match": '"other"'}))[0] == 412
    assert await editor.lines() == before


async def test_an_etag_is_good_for_one_change(editor: Editor) -> None:
    path = f"{EVSES}/DE*ABC*E01*1"
    await editor.ask("GET", path)
    seen = editor.tag or ""
    status, done = await editor.ask("PATCH", path, {"operator": "other"}, **{"If-Match": seen})
    assert (status, done["applied"], done["evses_changed"]) == (200, True, ["DE*ABC*E01*1"])
    new = editor.tag or ""
    status, problem = await editor.ask("PATCH", path, {"operator": "acme"}, **{"If-Match": seen})
    assert (status, problem["detail"]) == (
        412,
        "it has changed since you read it: read it again, and send If-Match with its new ETag",
    )
    assert (await editor.ask("PATCH", path, {"operator": "acme"}, **{"If-Match": new}))[0] == 200


async def test_of_edits_with_one_etag_at_the_same_time_one_is_made(editor: Editor) -> None:
    path = f"{STATIONS}/CS-02"
    await editor.ask("GET", path)
    headers = editor.headers | {"If-Match": editor.tag or ""}

    async def change(seconds: int) -> int:
        async with editor.client.patch(path, json={"ping_seconds": seconds}, headers=headers) as response:
            return response.status

    assert sorted(await asyncio.gather(*map(change, range(10, 16)))) == [200, 412, 412, 412, 412, 412]


async def test_a_new_evse_is_made_and_hubs_are_to_be_told(editor: Editor) -> None:
    path, wish = f"{EVSES}/de*abc*e01*3", {"station": "CS-01", "operator": "acme", "connectors": [{"connector": 3}]}
    assert (await editor.ask("PUT", path, wish))[0] == 428
    assert (await editor.ask("PUT", path, wish, **ANY))[0] == 412
    status, done = await editor.ask("PUT", path, wish, **NONE)
    assert (status, done["evses_added"], done["stations_changed"]) == (201, ["DE*ABC*E01*3"], [])
    made = editor.tag
    assert (await editor.ask("GET", f"{EVSES}/DE*ABC*E01*3"))[1]["connectors"] == [{"evse": None, "connector": 3}]
    assert editor.tag == made
    assert (await editor.ask("GET", "/api/v1/evses/DE*ABC*E01*3"))[1]["effective"] == "unknown"
    status, problem = await editor.ask("PUT", path, wish, **NONE)
    assert (status, problem["detail"]) == (
        412,
        "it is there already: read it, and send If-Match with its ETag to change it",
    )


async def test_an_evse_that_goes_leaves_its_station_and_comes_back(editor: Editor) -> None:
    path = f"{EVSES}/DE*ABC*E01*2"
    blocked = {"evse_ids": ["DE*ABC*E01*2"], "status": "BLOCKED"}
    assert (await editor.ask("POST", "/api/v1/temporary-statuses", blocked))[0] == 200
    assert await editor.wanted("DE*ABC*E01*2") == [("hubject", "Occupied", False)]
    await editor.acknowledge_all()
    status, done = await editor.ask("DELETE", path, **ANY)
    assert (status, done["evses_removed"], done["stations_removed"]) == (200, ["DE*ABC*E01*2"], [])
    assert await editor.wanted("DE*ABC*E01*2") == [("hubject", "", True)]
    assert (await editor.ask("GET", path))[0] == 404
    assert (await editor.ask("DELETE", path, **ANY))[0] == 404
    assert (await editor.ask("GET", f"{STATIONS}/CS-01"))[0] == 200
    assert len(await editor.lines()) == 23
    wish = {"station": "CS-01", "operator": "acme", "connectors": [{"connector": 2}]}
    assert (await editor.ask("PUT", path, wish, **NONE))[0] == 201
    assert await editor.wanted("DE*ABC*E01*2") == [("hubject", "Occupied", False)]


async def test_a_station_whose_last_evse_went_takes_a_new_one(editor: Editor) -> None:
    for number in (1, 2):
        assert (await editor.ask("DELETE", f"{EVSES}/DE*ABC*E01*{number}", **ANY))[0] == 200
    status, shown = await editor.ask("GET", f"{STATIONS}/CS-01")
    assert (status, shown["version"], shown["evses"]) == (200, None, [])
    status, problem = await editor.ask("PATCH", f"{STATIONS}/CS-01", {"strict": True}, **ANY)
    assert (status, problem["detail"]) == (422, "version, evses: should be given: the station has no EVSE now")
    wish = {"station": "CS-01", "operator": "acme", "connectors": [{"evse": 1, "connector": 1}]}
    assert (await editor.ask("PUT", f"{EVSES}/DE*ABC*E01*9", wish, **NONE))[0] == 201
    assert (await editor.ask("GET", f"{STATIONS}/CS-01"))[1]["version"] == "2.0.1"


async def test_more_than_a_tenth_goes_only_with_a_yes(editor: Editor) -> None:
    await editor.services.import_inventory(
        ImportRequest(csv=HEAD + "CS-01,1.6,,,,1,DE*ABC*E01*1,acme\n", prune=True, yes=True)
    )
    for path in (f"{EVSES}/DE*ABC*E01*1", f"{STATIONS}/CS-01"):
        status, problem = await editor.ask("DELETE", path, **ANY)
        assert (status, problem["report"]["evses_removed"]) == (409, ["DE*ABC*E01*1"])
        assert problem["detail"].endswith("more than 10 %; confirm it with yes=true")
        status, done = await editor.ask("DELETE", f"{path}?dry_run=true", **ANY)
        assert (status, done["applied"], len(done["warnings"])) == (200, False, 1)
    assert len(await editor.lines()) == 1
    assert (await editor.ask("DELETE", f"{STATIONS}/CS-01?yes=true", **ANY))[0] == 200
    assert await editor.lines() == []


async def test_a_station_is_made_with_a_key_that_is_shown_once(editor: Editor) -> None:
    path = f"{STATIONS}/NEW"
    wish = {
        "version": "2.0.1",
        "generate_key": True,
        "evses": [{"evse_id": "DE*ABC*E90", "operator": "acme", "connectors": [{"evse": 1, "connector": 1}]}],
    }
    status, done = await editor.ask("PUT", path, wish | {"generate_key": False}, **NONE)
    assert (status, done["errors"][0]["column"]) == (422, "key")
    status, dry = await editor.ask("PUT", f"{path}?dry_run=true", wish, **NONE)
    assert (status, dry["applied"], dry["key"]) == (200, False, None)
    status, done = await editor.ask("PUT", path, wish, **NONE)
    assert (status, done["stations_added"], len(done["key"])) == (201, ["NEW"], 40)
    assert done["key"] not in str(await editor.ask("GET", path))
    async with editor.store.read() as connection:
        kept = (await connection.execute(sa.select(station.c.key_digest).where(station.c.id == "NEW"))).scalar_one()
    status, done = await editor.ask("PATCH", path, {"strict": True}, **ANY)
    assert (status, done["stations_changed"], done["key"]) == (200, ["NEW"], None)
    async with editor.store.read() as connection:
        again = (await connection.execute(sa.select(station.c.key_digest).where(station.c.id == "NEW"))).scalar_one()
    assert kept == again is not None


async def test_a_station_s_evses_are_all_that_a_put_names(editor: Editor) -> None:
    path = f"{STATIONS}/CS-03"
    shown = (await editor.ask("GET", path))[1]
    wish = {name: value for name, value in shown.items() if name != "station"}
    status, done = await editor.ask("PUT", path, wish, **ANY)
    assert (status, done["stations_changed"], done["evses_changed"]) == (200, [], [])
    status, done = await editor.ask("PUT", path, wish | {"evses": shown["evses"][:1]}, **ANY)
    assert (status, done["evses_removed"]) == (200, ["DE*ABC*E03*2"])
    status, problem = await editor.ask(
        "PUT", path, wish | {"evses": [shown["evses"][0] | {"evse_id": "DE*ABC*E04*1"}]}, **ANY
    )
    assert (status, problem["detail"]) == (
        422,
        "evses: DE*ABC*E04*1 is at station 'CS-04'; to move it here, change its station",
    )


async def test_an_evse_moves_by_another_station(editor: Editor) -> None:
    change = {"station": "CS-05", "connectors": [{"connector": 7}]}
    status, done = await editor.ask("PATCH", f"{EVSES}/DE*ABC*E04*1", change, **ANY)
    assert (status, done["evses_changed"]) == (200, ["DE*ABC*E04*1"])
    assert len((await editor.ask("GET", f"{STATIONS}/CS-05"))[1]["evses"]) == 3
    assert len((await editor.ask("GET", f"{STATIONS}/CS-04"))[1]["evses"]) == 1


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"operator": "nobody"}, "is no configured operator; configured: acme, other"),
        ({"connectors": [{"evse": 1, "connector": 1}]}, "must be empty: OCPP 1.6 knows connectors only"),
        (
            {"connectors": [{"connector": 1}]},
            "of station 'CS-01' is claimed for DE*ABC*E01*2 here and belongs to DE*ABC*E01*1 in the store; "
            "list that EVSE with its connectors too, or import with --prune",
        ),
    ],
)
async def test_an_edit_keeps_the_rules_of_the_file(editor: Editor, change: Any, said: str) -> None:
    before = await editor.lines()
    status, problem = await editor.ask("PATCH", f"{EVSES}/DE*ABC*E01*2", change, **ANY)
    assert (status, problem["errors"][0]["line"], problem["errors"][0]["problem"]) == (422, 1, said)
    assert await editor.lines() == before


async def test_what_cannot_be_is_said(editor: Editor) -> None:
    path = f"{EVSES}/DE*ABC*E01*2"
    status, problem = await editor.ask("PATCH", path, {"station": "nobody"}, **ANY)
    assert (status, problem["detail"].split(";")[0]) == (422, "station: should be a station of the inventory")
    assert (await editor.ask("PATCH", path, {"evse_id": "DE*ABC*E77"}, **ANY))[0] == 400
    assert (await editor.ask("PATCH", path, {"connectors": []}, **ANY))[0] == 400
    wish = {"station": "CS-01", "operator": "acme", "connectors": [{"connector": 5}]}
    assert (await editor.ask("PUT", f"{EVSES}/nonsense", wish, **NONE))[0] == 422
    assert (await editor.ask("PATCH", path, {"chargeprice_point": "x\n#y"}, **ANY))[0] == 400
