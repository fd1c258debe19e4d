"""The pages on which operators act, over services in memory: what they show, what they order, and to whom."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from aiohttp.test_utils import TestClient

from bridge.core.model import TemporaryKind
from bridge.web.pages.public import PublicOptions
from bridge.web.pages.rendering import Pages
from bridge.web.pages.tables import page_tables
from bridge.web.services import Conflict, NotFound, ValueRefused

STATIC = Path(__file__).parents[3] / "bridge/web/static"
Admin = dict[str, str]
STATION, UNKNOWN = "/stations/CP%201%7C2", "/quarantine/A%7CB*1"
PAGES = (
    "/hubs",
    "/hubs/hubject",
    "/hubs/hubject/mode?mode=live",
    "/hubs/hubject/mode?mode=off",
    "/hubs/hubject/full-load",
    "/hubs/hubject/sync",
    "/stations",
    STATION,
    "/stations/attempts",
    "/temporary",
    "/temporary/new",
    "/quarantine",
    f"{UNKNOWN}/map",
    "/plots",
)
HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"


async def page(client: TestClient, admin: Admin, path: str, code: int = 200) -> str:
    response = await client.get(path, headers=admin)
    text = await response.text()
    assert (response.status, response.content_type) == (code, "text/html"), text[:2000]
    return text


async def send(client: TestClient, admin: Admin, path: str, **fields: Any) -> tuple[int, str, str]:
    """Return the status, where it leads to, and the notice or the page."""
    response = await client.post(path, headers=admin, data=fields, allow_redirects=False)
    notice = response.cookies.get("ocpp_bridge_notice")
    said = unquote(notice.value) if notice is not None else await response.text()
    return response.status, response.headers.get("Location", ""), said


@pytest.mark.parametrize("path", PAGES)
async def test_each_page_is_shown_and_has_one_heading_and_names_its_fields(
    client: TestClient, admin: Admin, path: str
) -> None:
    text = await page(client, admin, path)
    assert text.count("<h1>") + text.count("<h1 ") == 1
    ids = re.findall(r'\sid="([^"]+)"', text)
    assert len(ids) == len(set(ids)), sorted(id_ for id_ in ids if ids.count(id_) > 1)
    for table in re.findall(r"<table class=\"table[^>]*>.*?</table>", text, re.DOTALL):
        assert "data-plot-table" in table or "<thead>" in table


def test_whatever_a_page_sends_needs_more_than_looking(services: Any) -> None:
    routes = [route for table in page_tables(services, Pages(), PublicOptions()) for route in table.routes()]
    roles = {
        f"{route.method} {route.path}": str(route.role)
        for route in routes
        if route.path.startswith(("/hubs", "/stations", "/temporary", "/quarantine"))
        and (route.method == "POST" or route.role != "viewer")
    }
    assert roles == {
        "GET /hubs/{name}/mode": "admin",
        "POST /hubs/{name}/mode": "admin",
        "POST /hubs/{name}/full-load": "operator",
        "POST /hubs/{name}/sync": "operator",
        "POST /hubs/{name}/retry": "operator",
        "POST /stations/{id}/trigger": "operator",
        "POST /stations/{id}/availability": "operator",
        "POST /stations/{id}/reset": "operator",
        "POST /stations/{id}/unlock": "operator",
        "POST /stations/{id}/configuration": "operator",
        "POST /stations/{id}/set-configuration": "admin",
        "POST /stations/{id}/call": "admin",
        "GET /temporary/new": "operator",
        "GET /temporary/evses": "operator",
        "POST /temporary/new": "operator",
        "POST /temporary/preview": "operator",
        "POST /temporary": "operator",
        "POST /temporary/end": "operator",
        "GET /quarantine/{station}/map": "admin",
        "POST /quarantine/{station}/map": "admin",
        "POST /quarantine/{station}/forget": "admin",
    }


# --- hubs ---------------------------------------------------------------------------------------------------------


async def test_an_account_is_enabled_by_who_said_so_and_the_page_says_it(
    client: TestClient, admin: Admin, services: Any
) -> None:
    asked = await page(client, admin, "/hubs/hubject/mode?mode=live")
    assert "What would be sent" in asked
    status, place, said = await send(client, admin, "/hubs/hubject/mode", mode="live", confirm_full_load="1")
    assert (status, place, said) == (303, "/hubs/hubject", "hubject is now live.")
    assert services.orders[-1][:3] == ("hubject", "live", True)


async def test_the_guard_of_a_full_load_is_explained_and_needs_its_own_yes(
    client: TestClient, admin: Admin, services: Any
) -> None:
    asked = await page(client, admin, "/hubs/hubject/full-load")
    assert "The guard would refuse it:" in asked
    assert "less than half of the 60 in the last fullLoad" in asked
    path = "/hubs/hubject/full-load"
    status, _, text = await send(client, admin, path, scope="statuses")
    assert (status, services.orders) == (409, [])
    assert 'name="confirm"' in text
    status, place, _ = await send(client, admin, path, scope="statuses", confirm="1")
    assert (status, place) == (303, "/hubs/hubject")
    assert services.orders == [("hubject", "statuses", True)]


async def test_an_account_that_there_is_not_is_404(client: TestClient, admin: Admin) -> None:
    assert (await client.get("/hubs/nobody", headers=admin)).status == 404
    assert (await client.post("/hubs/nobody/mode", headers=admin, data={"mode": "off"})).status == 404


# --- temporary statuses -------------------------------------------------------------------------------------------

WISH = {"evse_ids": "DE*ABC*E1\nDE*ABC*E2", "status": "MAINTENANCE", "zone": "Europe/Berlin"}


async def test_a_preview_creates_nothing_and_shows_each_hubs_word_and_what_overlaps(
    client: TestClient, admin: Admin, services: Any
) -> None:
    status, _, text = await send(client, admin, "/temporary/preview", **WISH)
    assert status == 200
    assert [order[0] for order in services.temporaries.orders] == ["preview"]
    for said in ("2 EVSEs", "Available", "OutOfService", "spirii_main", "Overlaps"):
        assert said in text
    assert '<input type="hidden" name="evse_ids" value="DE*ABC*E1\nDE*ABC*E2">' in text


async def test_created_for_all_of_them_by_who_asked(client: TestClient, admin: Admin, services: Any) -> None:
    status, place, said = await send(client, admin, "/temporary", **WISH)
    assert (status, place, said) == (303, "/temporary", "Created: MAINTENANCE for 2 EVSEs.")
    ((_, wish, by),) = services.temporaries.orders
    assert (wish.evse_ids, wish.status, by) == (("DE*ABC*E1", "DE*ABC*E2"), TemporaryKind.MAINTENANCE, "admin")


async def test_a_mistake_stands_beside_its_field_and_what_was_given_is_kept(
    client: TestClient, admin: Admin, services: Any
) -> None:
    wish = {**WISH, "begins": "at", "from": "2026-10-25T02:30"}
    status, _, text = await send(client, admin, "/temporary/preview", **wish)
    assert status == 422
    assert services.temporaries.orders == []
    assert 'value="2026-10-25T02:30"' in text
    assert 'aria-describedby="wrong-from"' in text
    assert "this time comes twice: choose which one" in text
    assert '<option value="+02:00">the first one, UTC+02:00</option>' in text
    assert "DE*ABC*E2" in text


@pytest.mark.parametrize(
    ("failure", "field"),
    [
        pytest.param(ValueRefused("valid_to", "is over already"), "to", id="to"),
        pytest.param(NotFound("EVSE", "DE*ABC*E2"), "evse_ids", id="evse"),
        pytest.param(Conflict("temporary status 7 is exactly this one"), "evse_ids", id="duplicate"),
    ],
)
async def test_what_the_bridge_refuses_stands_beside_its_field(
    client: TestClient, admin: Admin, services: Any, failure: Exception, field: str
) -> None:
    services.temporaries.failure = failure
    status, _, text = await send(client, admin, "/temporary", **WISH)
    assert status == 422
    assert f'id="wrong-{field}"' in text


async def test_one_is_ended_whatever_else_is_ticked(client: TestClient, admin: Admin, services: Any) -> None:
    status, place, said = await send(client, admin, "/temporary/end", id="8", only="7")
    assert (status, place, said) == (303, "/temporary", "Ended: 1 EVSE.")
    assert services.temporaries.orders == [("end", (7,))]
    assert (await send(client, admin, "/temporary/end"))[2] == "Nothing was ended: tick what should end."
    assert (await send(client, admin, "/temporary/end", id="9"))[2].startswith("Nothing was ended: there is no")


async def test_moments_are_shown_in_the_zone_that_is_chosen_which_is_kept(client: TestClient, admin: Admin) -> None:
    response = await client.get("/temporary?zone=Asia/Tokyo", headers=admin)
    assert "(UTC+09:00)" in await response.text()
    assert response.cookies["ocpp_bridge_zone"].value.strip('"') == "Asia/Tokyo"
    client.session.cookie_jar.clear()
    told = await client.get("/temporary", headers={**admin, "Cookie": "ocpp_bridge_zone=Europe%2FBerlin"})
    assert "(UTC+01:00)" in await told.text()
    wrong = await client.get("/temporary?zone=../../etc/passwd", headers=admin)
    assert "(UTC+00:00)" in await wrong.text()
    assert "ocpp_bridge_zone" not in wrong.cookies


# --- stations -----------------------------------------------------------------------------------------------------


async def test_a_station_that_answers_no_requests_is_not_said_to_be_refused(
    client: TestClient, admin: dict[str, str]
) -> None:
    """It was: "it has not been accepted" stood where stations had only been silent."""
    for path in ("/stations", STATION):
        page = await (await client.get(path, headers=admin)).text()
        assert "it answers no requests" in page
        assert "has not been accepted" not in page


async def test_an_order_answers_303_and_the_stations_page_has_the_answer(
    client: TestClient, admin: Admin, services: Any
) -> None:
    status, place, _ = await send(client, admin, f"{STATION}/reset", kind="hard")
    assert (status, place) == (303, "/stations/CS-1#answers")
    services.stations.result = services.stations.result.model_copy(update={"station": "CP 1|2"})
    await send(client, admin, f"{STATION}/reset", kind="hard")
    text = await page(client, admin, STATION)
    assert "Restart, hard" in text
    assert "The station answered: Accepted." in text
    assert "by admin" in text


async def test_what_no_station_can_be_told_stands_beside_its_field(
    client: TestClient, admin: Admin, services: Any
) -> None:
    status, _, text = await send(client, admin, f"{STATION}/call", action="Reset", payload="{no json")
    assert status == 422
    assert "should be a JSON object" in text
    assert "{no json" in text


async def test_the_wire_log_is_downloaded_as_json_lines_under_a_harmless_name(
    client: TestClient, admin: Admin, services: Any
) -> None:
    from tests.integration.web.conftest import wire_line

    services.wire_log.items = [wire_line(1, '[2,"a","Heartbeat",{}]'), wire_line(2, '[3,"a",{}]', "to_station")]
    response = await client.get(f"{STATION}/log.jsonl", headers=admin)
    lines = [json.loads(line) for line in (await response.text()).splitlines()]
    assert [line["id"] for line in lines] == [1, 2]
    assert response.headers["Content-Disposition"] == 'attachment; filename="CP_1_2.jsonl"'


async def test_what_a_station_says_is_text_and_never_markup(client: TestClient, admin: Admin, services: Any) -> None:
    from tests.integration.web.conftest import wire_line

    services.wire_log.items = [wire_line(1, json.dumps([2, "a", HOSTILE, {"x": HOSTILE}]))]
    services.quarantine.items = tuple(
        item.model_copy(update={"vendor": HOSTILE, "model": HOSTILE}) for item in services.quarantine.items
    )
    for path in (STATION, "/quarantine", f"{UNKNOWN}/map"):
        text = await page(client, admin, path)
        assert "<script>alert" not in text
        assert "<img" not in text


# --- quarantine ---------------------------------------------------------------------------------------------------


async def test_a_key_that_was_made_is_on_one_page_alone(client: TestClient, admin: Admin, services: Any) -> None:
    fields = {"evse_id": "DE*ABC*E1", "connector": "", "operator": "acme", "proof": "generate"}
    status, _, text = await send(client, admin, f"{UNKNOWN}/map", **fields)
    assert status == 200
    assert "00112233445566778899aabbccddeeff00112233" in text
    assert "mind the gap" in text


async def test_a_key_that_was_typed_is_never_shown_again(client: TestClient, admin: Admin, services: Any) -> None:
    fields = {"evse_id": "", "connector": "", "operator": "acme", "proof": "key", "key": "a-secret-of-sixteen"}
    status, _, text = await send(client, admin, f"{UNKNOWN}/map", **fields)
    assert status == 422
    assert "a-secret-of-sixteen" not in text
    assert services.quarantine.orders == []


# --- files --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["uPlot.iife.min.js", "uPlot.min.css"])
def test_the_vendored_plots_are_those_of_the_note(name: str) -> None:
    folder = STATIC / "vendor/uplot"
    digest = hashlib.sha256((folder / name).read_bytes()).hexdigest()
    assert f"| {name} | `{digest}` |" in (folder / "README.md").read_text()
