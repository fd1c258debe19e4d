"""Spirii's contract through real sockets, over the real services and both databases: docs/temporary.md, row by row."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import ClientResponse
from aiohttp.test_utils import TestClient, TestServer

from bridge.app.temporary_services import StoreTemporaries
from bridge.app.wakes import Wakes
from bridge.core.effective import EffectiveOptions
from bridge.core.model import Moment, TemporaryKind
from bridge.derive import DeriveOptions
from bridge.edits import ImportOrder, import_inventories
from bridge.inventory_file import parse_inventory
from bridge.store.engine import Store
from bridge.store.writer import Writer
from bridge.web.routes import create_app
from bridge.web.services import Unavailable
from csms.auth import StationKeys

PATH = "/v2/temporary-evse-statuses"
NOW = datetime(2026, 12, 1, 12, 0, 0, 123_456, tzinfo=UTC)
EVSE = "DK*SPI*E123*1"
INVENTORY = """station,version,key,evse,connector,evse_id,operator
one,1.6,0123456789abcdef,,1,DK*SPI*E123*1,demo
one,,,,2,DK*SPI*E124*1,demo
one,,,,3,DK*SPI*E5*11,demo
one,,,,4,DK*SPI*E51*1,demo
"""
DERIVE = DeriveOptions(EffectiveOptions(), {})

Call = Callable[..., Any]


class Clock:
    now = NOW

    def __call__(self) -> Moment:
        return Moment(self.now, self.now)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def call(
    store: Store, writer: Writer, services: Any, token: str, admin: dict[str, str], clock: Clock
) -> AsyncIterator[Call]:
    """Ask the application over the real store: `await call("POST", "", {...})` returns (status, body)."""
    inventory = parse_inventory(INVENTORY, operators={"demo"}, read_key_file=lambda _: b"")
    order = ImportOrder(inventory, StationKeys(b"p" * 32), False, True, False, clock(), DERIVE)
    await writer.submit(import_inventories, order)
    services.temporaries = StoreTemporaries(
        store,
        writer,
        clock=clock,
        derive=DERIVE,
        wakes=Wakes(),
        enforced=(TemporaryKind.BLOCKED,),
    )

    async with TestClient(TestServer(create_app(services, token), host="127.0.0.1")) as client:

        async def ask(method: str, path: str = "", body: Any = None, **options: Any) -> tuple[int, Any]:
            headers = {**admin, "X-Request-ID": "req-1", **options.pop("headers", {})}
            response: ClientResponse = await client.request(method, PATH + path, json=body, headers=headers, **options)
            text = await response.text()
            return response.status, json.loads(text) if text else None

        yield ask


async def create(call: Call, **members: Any) -> dict[str, Any]:
    status, body = await call("POST", "", {"evseId": EVSE, "temporaryStatus": "MAINTENANCE", **members})
    assert status == 201, body
    return dict(body)


def error(kind: str, code: str, message: str, param: str | None = None) -> dict[str, dict[str, str | None]]:
    return {"error": {"type": kind, "code": code, "message": message, "param": param, "request_id": "req-1"}}


async def test_seed_003_patch_is_answered_as_its_document_answers(call: Call) -> None:
    made = await create(call)
    literals = {
        "temporaryStatus": "MAINTENANCE",
        "validFrom": "2025-04-23T10:00:00Z",
        "validTo": "2025-04-23T18:00:00Z",
    }
    assert await call("PATCH", f"/{made['id']}", literals) == (200, {"id": made["id"], "evseId": EVSE, **literals})


async def test_created_one_begins_now_and_lasts_until_removed(call: Call) -> None:
    made = await create(call)
    assert made == {
        "id": made["id"],
        "temporaryStatus": "MAINTENANCE",
        "evseId": EVSE,
        "validFrom": "2026-12-01T12:00:00.123Z",
    }
    assert isinstance(made["id"], int)


async def test_times_of_any_offset_are_shown_in_utc(call: Call) -> None:
    made = await create(call, validFrom="2026-12-24T18:00:00+01:00", validTo="2026-12-24T14:30:00.500-04:30")
    assert (made["validFrom"], made["validTo"]) == ("2026-12-24T17:00:00Z", "2026-12-24T19:00:00.500Z")


@pytest.mark.parametrize("kind", ["MAINTENANCE", "COMMISSIONING", "BLOCKED", "RESERVED"])
async def test_every_status_of_the_enum_is_taken(call: Call, kind: str) -> None:
    assert (await create(call, temporaryStatus=kind))["temporaryStatus"] == kind


@pytest.mark.parametrize("spelling", ["dk*spi*e123*1", "DKSPIE1231", "DK.SPI.E123.1", "DK-SPI-E123-1"])
async def test_evse_is_found_in_any_spelling_and_shown_as_the_inventory_has_it(call: Call, spelling: str) -> None:
    assert (await create(call, evseId=spelling))["evseId"] == EVSE
    _, listed = await call("GET", "", params={"evseId": spelling})
    assert [item["evseId"] for item in listed] == [EVSE]


async def test_where_ids_collide_only_the_exact_spelling_is_taken(call: Call) -> None:
    assert (await create(call, evseId="DK.SPI.E51.1"))["evseId"] == "DK*SPI*E51*1"
    assert await call("POST", "", {"evseId": "DKSPIE511", "temporaryStatus": "BLOCKED"}) == (
        422,
        error(
            "validation_error",
            "invalid_value",
            "evseId 'DKSPIE511' may be DK*SPI*E5*11 and DK*SPI*E51*1: write it with its separators",
            "evseId",
        ),
    )


async def test_list_is_a_bare_array_of_what_is_in_force_unless_told_otherwise(call: Call, clock: Clock) -> None:
    active = await create(call)
    later = await create(call, validFrom="2026-12-02T08:00:00Z")
    other = await create(call, evseId="DK*SPI*E124*1")
    ended = await create(call, validTo="2026-12-01T13:00:00Z")
    clock.now = NOW + timedelta(hours=2)
    assert await call("GET") == (200, [active, other])
    assert await call("GET", "", params={"activeOnly": "true", "evseId": EVSE}) == (200, [active])
    assert await call("GET", "", params={"activeOnly": "false"}) == (200, [active, later, other, ended])
    assert await call("GET", "", params={"activeOnly": "false", "evseId": EVSE}) == (200, [active, later, ended])
    assert await call("GET", "", params={"evseId": "DK*SPI*E9"}) == (200, [])


async def test_patch_changes_what_it_names_and_null_means_until_removed(call: Call) -> None:
    made = await create(call, validFrom="2026-12-02T08:00:00Z", validTo="2026-12-02T10:00:00Z")
    place = f"/{made['id']}"
    assert await call("PATCH", place, {"temporaryStatus": "RESERVED"}) == (200, {**made, "temporaryStatus": "RESERVED"})
    assert (await call("PATCH", place, {"validTo": "2026-12-02T11:00:00Z"}))[1]["validTo"] == "2026-12-02T11:00:00Z"
    assert "validTo" not in (await call("PATCH", place, {"validTo": None}))[1]
    assert (await call("PATCH", place, {"validFrom": None}))[1]["validFrom"] == "2026-12-01T12:00:00.123Z"
    before = await call("GET", place)
    assert await call("PATCH", place, {}) == before


async def test_deleted_one_is_gone_and_its_id_is_not_given_again(call: Call) -> None:
    made = await create(call)
    place = f"/{made['id']}"
    assert await call("GET", place) == (200, made)
    assert await call("DELETE", place) == (204, None)
    gone = error("not_found_error", "not_found", f"there is no temporary status '{made['id']}'", "id")
    for method, body in (("GET", None), ("PATCH", {}), ("DELETE", None)):
        assert await call(method, place, body) == (404, gone)
    assert await call("GET", "", params={"activeOnly": "false"}) == (200, [])
    assert (await create(call))["id"] > made["id"]


async def test_exact_duplicate_is_409(call: Call) -> None:
    period = {"validFrom": "2026-12-02T08:00:00Z", "validTo": "2026-12-02T10:00:00Z"}
    made = await create(call, **period)
    body = {"evseId": "dkspie1231", "temporaryStatus": "MAINTENANCE", **period}
    message = f"temporary status {made['id']} is exactly this one: same EVSE, status, beginning and end"
    assert await call("POST", "", body) == (409, error("conflict_error", "duplicate", message))


@pytest.mark.parametrize(
    ("members", "message", "param"),
    [
        pytest.param(
            {"validFrom": "2026-12-02T08:00:00Z", "validTo": "2026-12-02T08:00:00Z"},
            "validTo should be after the beginning, 2026-12-02T08:00:00Z",
            "validTo",
            id="end-at-the-beginning",
        ),
        pytest.param(
            {"validFrom": "2026-12-01T08:00:00Z", "validTo": "2026-12-01T12:00:00Z"},
            "validTo is over already: it is 2026-12-01T12:00:00.123Z",
            "validTo",
            id="end-in-the-past",
        ),
        pytest.param(
            {"validTo": "2026-12-01T12:00:00Z"},
            "validTo should be after the beginning, 2026-12-01T12:00:00.123Z",
            "validTo",
            id="end-before-now",
        ),
        pytest.param(
            {"validFrom": "2027-02-30T08:00:00Z"},
            "validFrom is no moment of the calendar up to the year 9999: 2027-02-30T08:00:00Z",
            "validFrom",
            id="february-30",
        ),
        pytest.param(
            {"validFrom": "2026-12-02T08:00:00"},
            "validFrom has no offset from UTC: write 2026-12-02T08:00:00Z, or +01:00 instead of Z",
            "validFrom",
            id="no-offset",
        ),
        pytest.param(
            {"validTo": "tomorrow"},
            "validTo should be a date and time such as 2026-12-01T08:00:00Z or 2026-12-01T09:00:00+01:00",
            "validTo",
            id="no-time-at-all",
        ),
        pytest.param(
            {"validFrom": "12026-12-02T08:00:00Z"},
            "validFrom should be a date and time such as 2026-12-01T08:00:00Z or 2026-12-01T09:00:00+01:00",
            "validFrom",
            id="year-12026",
        ),
        pytest.param(
            {"temporaryStatus": "BROKEN"},
            "temporaryStatus should be one of MAINTENANCE, COMMISSIONING, BLOCKED, RESERVED",
            "temporaryStatus",
            id="other-status",
        ),
    ],
)
async def test_impossible_values_are_422_and_say_what_would_be_right(
    call: Call, members: dict[str, str], message: str, param: str
) -> None:
    body = {"evseId": EVSE, "temporaryStatus": "MAINTENANCE", **members}
    assert await call("POST", "", body) == (422, error("validation_error", "invalid_value", message, param))
    assert await call("GET", "", params={"activeOnly": "false"}) == (200, [])


@pytest.mark.parametrize(
    ("content", "code", "message", "param"),
    [
        pytest.param(b"{", "bad_request", "the body is no JSON document", None, id="half-a-document"),
        pytest.param(b"", "bad_request", "the body is no JSON document", None, id="nothing"),
        pytest.param(b"\xff", "bad_request", "the body is no JSON document", None, id="no-utf-8"),
        pytest.param(b"[" * 100_000, "bad_request", "the body is no JSON document", None, id="too-deep"),
        pytest.param(b"[]", "bad_request", "the body should be a JSON object", None, id="array"),
        pytest.param(b"null", "bad_request", "the body should be a JSON object", None, id="null"),
        pytest.param(
            b'{"evseId": "X", "temporaryStatus": "BLOCKED", "validUntil": "x"}',
            "parameter_unknown",
            "there is no parameter validUntil",
            "validUntil",
            id="unknown-field",
        ),
        pytest.param(
            b'{"temporaryStatus": "BLOCKED"}', "parameter_missing", "evseId is needed", "evseId", id="missing-field"
        ),
        pytest.param(
            b'{"evseId": 5, "temporaryStatus": "BLOCKED"}',
            "parameter_invalid",
            "evseId should be text in quotes",
            "evseId",
            id="number-as-evse",
        ),
        pytest.param(
            b'{"evseId": "X", "temporaryStatus": "BLOCKED", "validTo": 1764576000000}',
            "parameter_invalid",
            "validTo should be text in quotes",
            "validTo",
            id="number-as-time",
        ),
    ],
)
async def test_bodies_of_another_form_are_400(
    call: Call, content: bytes, code: str, message: str, param: str | None
) -> None:
    answer = await call("POST", "", headers={"Content-Type": "application/json"}, data=content)
    assert answer == (400, error("invalid_request_error", code, message, param))


async def test_evse_of_a_temporary_status_cannot_be_changed(call: Call) -> None:
    made = await create(call)
    assert await call("PATCH", f"/{made['id']}", {"evseId": "DK*SPI*E124*1"}) == (
        400,
        error(
            "invalid_request_error",
            "parameter_unknown",
            "evseId cannot be changed: delete this one and create another",
            "evseId",
        ),
    )


async def test_body_of_another_media_type_is_415(call: Call) -> None:
    for kind in ("application/x-www-form-urlencoded", "text/plain"):
        answer = await call("POST", "", headers={"Content-Type": kind}, data=b"{}")
        message = "send the body with Content-Type: application/json"
        assert answer == (415, error("invalid_request_error", "unsupported_media_type", message))


@pytest.mark.parametrize("evse_id", ["DK*SPI*E9", "", "ÆØÅ", "x" * 5_000, "a\x00b", "%_"])
async def test_unknown_evse_is_404_and_has_no_temporary_statuses(call: Call, evse_id: str) -> None:
    assert await call("POST", "", {"evseId": evse_id, "temporaryStatus": "BLOCKED"}) == (
        404,
        error("not_found_error", "not_found", f"there is no EVSE {evse_id[:256]!r}", "evseId"),
    )
    assert await call("GET", "", params={"evseId": evse_id}) == (200, [])


@pytest.mark.parametrize("number", ["abc", "-1", "1.0", "9" * 30, "٤"])
async def test_ids_that_are_no_numbers_are_404(call: Call, number: str) -> None:
    status, body = await call("GET", f"/{number}")
    assert (status, body["error"]["param"]) == (404, "id")


async def test_paths_and_methods_that_are_not_there_have_the_same_shape(call: Call) -> None:
    assert await call("GET", "/1/2") == (
        404,
        error("not_found_error", "not_found", f"there is nothing at {PATH}/1/2"),
    )
    assert await call("PUT", "/1", {}) == (
        405,
        error("invalid_request_error", "method_not_allowed", "PUT is not possible here"),
    )


async def test_active_only_is_true_or_false(call: Call) -> None:
    assert await call("GET", "", params={"activeOnly": "yes"}) == (
        400,
        error("invalid_request_error", "bad_request", "activeOnly should be true or false", "activeOnly"),
    )


@pytest.mark.parametrize("value", ["", "Bearer", "Bearer wrong", "Basic x"])
async def test_without_a_key_of_ours_it_is_401_in_the_same_shape(call: Call, value: str) -> None:
    for method, path in (("GET", ""), ("POST", ""), ("DELETE", "/1"), ("GET", "/1/2")):
        status, body = await call(method, path, headers={"Authorization": value})
        assert (status, body["error"]["type"], body["error"]["request_id"]) == (401, "authentication_error", "req-1")


async def test_store_that_cannot_answer_is_503_and_a_failure_of_ours_tells_nothing(
    call: Call, services: Any, client: TestClient, admin: dict[str, str]
) -> None:
    class Failing:
        def __init__(self, failure: Exception) -> None:
            self.failure = failure

        async def get(self, number: int) -> Any:
            raise self.failure

    for failure, status in ((Unavailable("database unavailable: busy"), 503), (RuntimeError("password=hunter2"), 500)):
        services.temporaries = Failing(failure)
        async with TestClient(TestServer(create_app(services, admin["Authorization"][7:]))) as other:
            response = await other.get(f"{PATH}/1", headers=admin)
            assert response.status == status
            assert (await response.json())["error"]["type"] == "api_error"
            assert "hunter2" not in await response.text()


async def test_other_paths_keep_their_own_shape_of_failures(call: Call, client: TestClient, admin: Any) -> None:
    response = await client.get("/v2/temporary-evse-statuses-2", headers=admin)
    assert (response.status, response.content_type) == (404, "application/problem+json")


async def test_our_own_resource_takes_several_and_refuses_moments_that_utc_does_not_have(
    call: Call, services: Any, client: TestClient, token: str, admin: dict[str, str]
) -> None:
    path = "/api/v1/temporary-statuses"
    async with TestClient(TestServer(create_app(services, token), host="127.0.0.1")) as other:

        async def ask(method: str, place: str = "", body: Any = None) -> tuple[int, Any]:
            response = await other.request(method, path + place, json=body, headers=admin)
            return response.status, await response.json()

        wish = {"evse_ids": [EVSE, "dkspie1241"], "status": "MAINTENANCE"}
        for moment in ("0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00"):
            assert (await ask("POST", "", {**wish, "valid_from": moment}))[0] == 422
        status, made = await ask("POST", "", {**wish, "valid_to": "9999-12-31T23:59:59Z", "enforce": True})
        assert (status, [item["evse_id"] for item in made["items"]]) == (200, [EVSE, "DK*SPI*E124*1"])
        assert made["items"][0]["station"] == "to be made inoperative"
        first, second = [item["id"] for item in made["items"]]
        assert await ask("GET", f"/{first}") == (200, made["items"][0])
        await conditional_changes(other, f"{path}/{first}", admin)
        assert (await ask("POST", "/end", {"ids": [first, 2**63]}))[0] == 400
        assert (await ask("POST", "/end", {"ids": [first, 2**63 - 1]}))[0] == 404
        assert (await ask("GET", "?all=true"))[1]["items"][1]["id"] == second
        assert (await ask("POST", "/end", {"ids": [first, second]}))[0] == 200
        assert await ask("GET") == (200, {"items": [], "next_cursor": None})


async def test_default_enforcement_is_the_configurations(call: Call, services: Any) -> None:
    await create(call, temporaryStatus="BLOCKED")
    await create(call)
    found = (await services.temporaries.list(None, "all")).items
    assert [(item.status, item.enforce, item.created_by) for item in found] == [
        ("BLOCKED", True, "admin"),
        ("MAINTENANCE", False, "admin"),
    ]


async def conditional_changes(client: TestClient, path: str, admin: dict[str, str]) -> None:
    """Change a temporary status that ends: only what was seen is changed."""
    seen = (await client.get(path, headers=admin)).headers["ETag"]
    bare = await client.patch(path, json={"valid_to": None}, headers=admin)
    assert (bare.status, (await bare.json())["detail"]) == (428, "send If-Match with the ETag of what you have seen")
    changed = await client.patch(path, json={"valid_to": None}, headers={**admin, "If-Match": seen})
    assert (changed.status, (await changed.json())["valid_to"]) == (200, None)
    assert changed.headers["ETag"] == (await client.get(path, headers=admin)).headers["ETag"] != seen
    stale = await client.patch(path, json={"status": "BLOCKED"}, headers={**admin, "If-Match": seen})
    assert (stale.status, (await client.get(path, headers=admin)).headers["ETag"]) == (412, changed.headers["ETag"])
    for wrong in ("seen", 'W/"x"', '"a" "b"', ""):
        response = await client.patch(path, json={}, headers={**admin, "If-Match": wrong})
        assert response.status == (428 if not wrong else 400), wrong
    assert (await client.patch(path, json={}, headers={**admin, "If-Match": "*"})).status == 200
