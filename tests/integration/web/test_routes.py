from __future__ import annotations

from typing import Any

import pytest
from aiohttp.test_utils import TestClient

from bridge.cli.address import Address
from bridge.cli.client import RestServices
from bridge.core.model import EvseStatus
from bridge.core.modes import Mode
from bridge.web.evse_query import EvseQuery
from bridge.web.health_shapes import Component, Health, Readiness
from bridge.web.routes import create_app
from bridge.web.services import Unavailable, ValueRefused
from bridge.web.shapes import RowError

Headers = dict[str, str]


def routes_of(services: Any) -> list[tuple[str, str]]:
    app = create_app(services, "x" * 40)
    return sorted(
        (route.method, route.resource.canonical.replace("{name}", "hubject"))
        for route in app.router.routes()
        if route.resource is not None
    )


async def test_without_a_key_every_route_is_401_or_leads_to_the_login_page_but_for_a_few(
    client: TestClient, services: Any
) -> None:
    seen = {}
    for method, path in [*routes_of(services), ("GET", "/nowhere"), ("DELETE", "/api/v1/status"), ("PUT", "/livez/x")]:
        response = await client.request(method, path, allow_redirects=False)
        seen[(method, path)] = response.status
    opened = {path for (_, path), status in seen.items() if status not in (401, 303)}
    led = {path for (_, path), status in seen.items() if status == 303}
    documents = {"/openapi.json", "/docs"}
    assert opened == {"/livez", "/readyz", "/session", "/login", "/public", "/public.json"} | documents
    assert led >= {"/session/end", "/"}
    assert not any(path.startswith(("/api/", "/v2/", "/metrics")) for path in led)
    assert len(seen) >= 15
    assert services.orders == []


@pytest.mark.parametrize(
    "value",
    [
        pytest.param("Bearer wrong", id="wrong"),
        pytest.param("Bearer ", id="empty"),
        pytest.param("Basic {token}", id="other-scheme"),
        pytest.param("{token}", id="no-scheme"),
        pytest.param("Bearer {token}x", id="longer"),
        pytest.param("Bearer \u00e9", id="not-ascii"),
    ],
)
async def test_a_wrong_token_is_401_and_names_the_scheme(client: TestClient, token: str, value: str) -> None:
    response = await client.get("/api/v1/status", headers={"Authorization": value.format(token=token)})
    assert response.status == 401
    assert response.headers["WWW-Authenticate"] == 'Bearer realm="ocpp-bridge"'
    assert token not in await response.text()


async def test_two_authorization_headers_are_401(client: TestClient, token: str) -> None:
    headers = [("Authorization", f"Bearer {token}"), ("Authorization", f"Bearer {token}")]
    response = await client.get("/api/v1/status", headers=headers)
    assert response.status == 401


async def test_the_probes_need_no_token(client: TestClient, services: Any) -> None:
    assert (await client.get("/livez")).status == 200
    ready = await client.get("/readyz")
    assert (ready.status, await ready.json()) == (200, {"ready": True, "why": ""})
    services.readiness = Readiness(ready=False, why="the disk is full")
    unready = await client.get("/readyz")
    assert (unready.status, await unready.json()) == (503, {"ready": False, "why": "the disk is full"})


async def test_a_problem_is_as_rfc_9457_says(client: TestClient, admin: Headers) -> None:
    response = await client.get("/api/v1/nothing", headers={**admin, "X-Request-ID": "abc-1"})
    assert response.status == 404
    assert response.content_type == "application/problem+json"
    assert await response.json() == {
        "type": "about:blank",
        "title": "Not Found",
        "status": 404,
        "detail": "there is nothing at /api/v1/nothing",
        "instance": "/api/v1/nothing",
        "request_id": "abc-1",
        "errors": [],
    }


async def test_a_wrong_method_is_a_problem_that_says_what_is_allowed(client: TestClient, admin: Headers) -> None:
    response = await client.delete("/api/v1/inventory", headers=admin)
    assert (response.status, response.content_type) == (405, "application/problem+json")
    assert set(response.headers["Allow"].split(",")) == {"GET", "HEAD", "POST"}


async def test_a_harmless_request_id_is_echoed_and_another_is_replaced(client: TestClient, admin: Headers) -> None:
    echoed = await client.get("/api/v1/status", headers={**admin, "X-Request-ID": "job_7.a"})
    assert echoed.headers["X-Request-ID"] == "job_7.a"
    for bad in ("a b", "x" * 65, "<script>"):
        replaced = await client.get("/api/v1/status", headers={**admin, "X-Request-ID": bad})
        assert replaced.headers["X-Request-ID"] != bad
        assert len(replaced.headers["X-Request-ID"]) == 16


async def test_a_failure_inside_tells_nothing_but_its_request_id(
    client: TestClient, admin: Headers, services: Any
) -> None:
    services.failure = RuntimeError("password=hunter2")
    response = await client.get("/api/v1/status", headers={**admin, "X-Request-ID": "r1"})
    body = await response.text()
    assert response.status == 500
    assert "hunter2" not in body
    assert '"request_id":"r1"' in body
    assert response.headers["X-Request-ID"] == "r1"


async def test_a_store_that_cannot_answer_is_503(client: TestClient, admin: Headers, services: Any) -> None:
    services.failure = Unavailable("database unavailable: busy")
    response = await client.get("/api/v1/status", headers=admin)
    assert (response.status, response.headers["Retry-After"]) == (503, "1")
    assert (await response.json())["detail"] == "database unavailable: busy"


async def test_evses_show_reported_effective_and_acknowledged(client: TestClient, admin: Headers) -> None:
    response = await client.get("/api/v1/evses?limit=1", headers=admin)
    assert await response.json() == {
        "items": [
            {
                "evse_id": "DE*ABC*E1",
                "station": "CS-1",
                "connected": True,
                "reported": [
                    {
                        "evse": 0,
                        "connector": 1,
                        "status": "Charging",
                        "received_at": "2026-11-20T12:00:00Z",
                        "stale": False,
                    }
                ],
                "effective": "charging",
                "live": "charging",
                "rule": "connector 1 reported Charging",
                "changed_at": "2026-11-20T12:00:00Z",
                "deliveries": {
                    "hubject": {
                        "desired": "Occupied",
                        "acked": "Available",
                        "acked_at": "2026-11-20T12:00:00Z",
                        "state": "pending",
                        "why": "",
                        "http": 200,
                        "code": "000",
                        "reference": "0b59fa4a-4f4b-4a6b-9f9d-0a1a1f0a2c11",
                    }
                },
                "operator": "",
                "problems": [],
            }
        ],
        "next_cursor": "WyJFVlNFcyIsICJERSpBQkMqRTEiXQ",
    }


async def test_pages_join_to_the_whole_list(client: TestClient, admin: Headers) -> None:
    seen: list[str] = []
    cursor = None
    while True:
        params = {"limit": "2"} | ({"cursor": cursor} if cursor else {})
        page = await (await client.get("/api/v1/evses", params=params, headers=admin)).json()
        seen += [item["evse_id"] for item in page["items"]]
        if (cursor := page["next_cursor"]) is None:
            break
    assert seen == [f"DE*ABC*E{number}" for number in range(1, 6)]


@pytest.mark.parametrize("limit", ["0", "1001", "-1", "x", "1.5", "٣", ""])
async def test_an_impossible_limit_is_400(client: TestClient, admin: Headers, limit: str) -> None:
    response = await client.get("/api/v1/evses", params={"limit": limit}, headers=admin)
    assert response.status == 400
    assert (await response.json())["detail"] == "limit should be a whole number from 1 to 1000"


async def test_chargeprice_is_shown_as_experimental_with_the_reason(client: TestClient, admin: Headers) -> None:
    items = (await (await client.get("/api/v1/upstreams", headers=admin)).json())["items"]
    assert {item["name"]: item["experimental"] for item in items} == {
        "hubject": None,
        "chargeprice": "the page that describes this interface is a draft, and Chargeprice's own guide names OCPI "
        "as the road for live statuses",
    }


@pytest.mark.parametrize(
    ("body", "order"),
    [
        pytest.param(None, (Mode.LIVE, False), id="no-body-is-live"),
        pytest.param({"mode": "live", "confirm_full_load": True}, (Mode.LIVE, True), id="live-with-full-load"),
        pytest.param({"mode": "dry_run"}, (Mode.DRY_RUN, False), id="dry-run"),
    ],
)
async def test_enable_stores_the_mode(
    client: TestClient, admin: Headers, services: Any, body: Any, order: tuple[Mode, bool]
) -> None:
    response = await client.post("/api/v1/upstreams/hubject/enable", json=body, headers=admin)
    assert response.status == 200
    assert (await response.json())["mode"] == order[0].value
    assert services.orders == [("hubject", *order, "admin")]


async def test_disable_switches_off(client: TestClient, admin: Headers, services: Any) -> None:
    response = await client.post("/api/v1/upstreams/hubject/disable", headers=admin)
    assert (response.status, services.orders) == (200, [("hubject", Mode.OFF, False, "admin")])


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        pytest.param('{"mode": "off"}', "mode: Input should be 'live' or 'dry_run'", id="off-is-disable"),
        pytest.param('{"mod": "live"}', "mod: Extra inputs are not permitted", id="unknown-member"),
        pytest.param('{"confirm_full_load": 1}', "confirm_full_load: Input should be a valid boolean", id="number"),
        pytest.param("[]", "body: Input should be an object", id="array"),
    ],
)
async def test_a_wrong_body_is_400_and_orders_nothing(
    client: TestClient, admin: Headers, services: Any, body: str, detail: str
) -> None:
    headers = {**admin, "Content-Type": "application/json"}
    response = await client.post("/api/v1/upstreams/hubject/enable", data=body, headers=headers)
    assert (response.status, (await response.json())["detail"], services.orders) == (400, detail, [])


async def test_an_unknown_account_is_404(client: TestClient, admin: Headers) -> None:
    for method, path in (("GET", "preview"), ("POST", "enable"), ("POST", "disable")):
        response = await client.request(method, f"/api/v1/upstreams/hubjekt/{path}", headers=admin)
        assert (response.status, (await response.json())["detail"]) == (404, "there is no account 'hubjekt'")


async def test_an_account_that_is_forced_off_is_409(client: TestClient, admin: Headers, services: Any) -> None:
    services.needs_yes = True
    response = await client.post("/api/v1/upstreams/chargeprice/enable", headers=admin)
    assert response.status == 409
    assert (await response.json())["detail"] == "the configuration forces chargeprice off"


async def test_an_import_returns_its_diff(client: TestClient, admin: Headers, services: Any) -> None:
    body = {"csv": "station\nCS-9\n", "prune": True, "dry_run": True}
    response = await client.post("/api/v1/inventory", json=body, headers=admin)
    report = await response.json()
    assert (response.status, report["applied"], report["stations_added"]) == (200, False, ["CS-9"])
    assert services.orders == [("station\nCS-9\n", True, False, True)]


async def test_an_import_with_bad_rows_is_422_with_every_row(client: TestClient, admin: Headers, services: Any) -> None:
    services.row_errors = (
        RowError(line=2, column="evse_id", value="x", problem="should be an EVSE id"),
        RowError(line=7, column="connector", value="-1", problem="should be 1 or more"),
    )
    response = await client.post("/api/v1/inventory", json={"csv": "x"}, headers=admin)
    body = await response.json()
    assert (response.status, body["detail"]) == (422, "2 mistakes in the inventory; nothing was changed")
    assert body["errors"] == [
        {"line": 2, "column": "evse_id", "value": "x", "problem": "should be an EVSE id"},
        {"line": 7, "column": "connector", "value": "-1", "problem": "should be 1 or more"},
    ]


async def test_an_import_that_removes_much_is_409_with_its_diff(
    client: TestClient, admin: Headers, services: Any
) -> None:
    services.needs_yes = True
    response = await client.post("/api/v1/inventory", json={"csv": "x", "prune": True}, headers=admin)
    body = await response.json()
    assert (response.status, body["detail"]) == (409, "the import would remove 1 of 5 EVSEs")
    assert (body["report"]["applied"], body["report"]["evses_removed"]) == (False, ["DE*ABC*E1"])


async def test_the_inventory_can_be_listed(client: TestClient, admin: Headers) -> None:
    body = await (await client.get("/api/v1/inventory", headers=admin)).json()
    assert [(row["station"], row["evse_id"]) for row in body["items"]] == [("CS-1", "DE*ABC*E1")]


async def test_a_body_that_is_too_large_is_a_413_problem(client: TestClient, admin: Headers) -> None:
    response = await client.post("/api/v1/inventory", data=b"x" * (32 * 2**20 + 1), headers=admin)
    assert (response.status, response.content_type) == (413, "application/problem+json")


async def test_every_answer_forbids_caching_and_sniffing_and_tells_no_versions(
    client: TestClient, admin: Headers
) -> None:
    for path, headers in (("/api/v1/status", admin), ("/api/v1/status", {}), ("/livez", {}), ("/nowhere", admin)):
        response = await client.get(path, headers=headers)
        assert response.headers["Cache-Control"] == "no-store"
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["Server"] == "ocpp-bridge"


async def test_health_is_a_503_only_where_it_failed(client: TestClient, admin: Headers, services: Any) -> None:
    for word, status in (("ok", 200), ("degraded", 200), ("failed", 503)):
        services.found = Health(status=word, components={"database": Component(status=word, why="a reason")})
        response = await client.get("/healthz", headers=admin)
        assert response.status == status
        assert await response.json() == {
            "status": word,
            "components": {"database": {"status": word, "why": "a reason"}},
        }


async def test_metrics_are_prometheus_s(client: TestClient, admin: Headers) -> None:
    response = await client.get("/metrics", headers={**admin, "Accept": "text/plain;version=0.0.4"})
    assert response.status == 200
    assert response.headers["Content-Type"].startswith("text/plain; version=")
    assert 'ocpp_bridge_evses{status="charging"} 5.0' in (await response.text()).splitlines()


async def test_without_the_store_there_are_no_metrics_to_believe(
    client: TestClient, admin: Headers, services: Any
) -> None:
    services.failure = Unavailable("the database is locked")
    assert (await client.get("/metrics", headers=admin)).status == 503


async def test_an_alarm_hears_from_the_metrics_that_the_store_is_away(
    client: TestClient, admin: Headers, services: Any
) -> None:
    services.failure = Unavailable("the connection failed")
    services.readiness = Readiness(ready=False, why="the connection failed")
    response = await client.get("/metrics", headers=admin)
    text = await response.text()
    assert response.status == 200
    assert "ocpp_bridge_ready 0.0" in text.splitlines()
    assert "ocpp_bridge_backlog" not in text
    assert "ocpp_bridge_evses" not in text


async def test_a_listing_s_mistakes_are_422_with_their_places(
    client: TestClient, admin: Headers, services: Any
) -> None:
    place = 'hubject.evse "DE*ABC*E1" Address.City'
    services.row_errors = (RowError(line=0, column=place, value="", problem="is missing: text in quotes"),)
    response = await client.post("/api/v1/listings", json={"toml": "x"}, headers=admin)
    body = await response.json()
    assert (response.status, body["detail"]) == (422, "1 mistake in the listing; nothing was changed")
    assert body["errors"] == [{"line": 0, "column": place, "value": "", "problem": "is missing: text in quotes"}]


async def test_listings_are_shown_with_their_content(client: TestClient, admin: Headers) -> None:
    response = await client.get("/api/v1/listings", headers=admin)
    content = {"EvseID": "DE*ABC*E1", "IsOpen24Hours": True}
    assert await response.json() == {
        "items": [{"kind": "evse_data", "key": "DE*ABC*E1", "reference": "", "content": content}],
        "next_cursor": None,
    }


async def test_a_full_load_shows_its_diff_and_needs_a_confirmation_where_it_is_held_back(
    client: TestClient, admin: Headers, services: Any
) -> None:
    path = "/api/v1/upstreams/hubject/full-load"
    shown = await (await client.get(f"{path}?scope=data", headers=admin)).json()
    assert (shown["scope"], shown["new"], shown["ordered"]) == ("data", ["DE*ABC*E1"], False)
    assert (await client.post(path, headers=admin)).status == 409
    assert services.orders == []
    ordered = await client.post(path, json={"scope": "data", "confirm": True}, headers=admin)
    assert (ordered.status, (await ordered.json())["ordered"]) == (200, True)
    assert services.orders == [("hubject", "data", True)]


async def test_a_full_load_of_something_else_is_400(client: TestClient, admin: Headers) -> None:
    response = await client.get("/api/v1/upstreams/hubject/full-load?scope=all", headers=admin)
    assert (response.status, (await response.json())["detail"]) == (400, "scope should be statuses or data")


async def test_one_evse_one_account_and_connectors_are_shown(client: TestClient, admin: Headers) -> None:
    one = await client.get("/api/v1/evses/DE*ABC*E2", headers=admin)
    assert (one.status, (await one.json())["station"]) == (200, "CS-2")
    assert (await client.get("/api/v1/evses/DE*ABC*E9", headers=admin)).status == 404
    account = await client.get("/api/v1/upstreams/hubject", headers=admin)
    assert (account.status, (await account.json())["kind"]) == (200, "oicp")
    assert (await client.get("/api/v1/upstreams/nobody", headers=admin)).status == 404
    connectors = await (await client.get("/api/v1/connectors?station=CS-1", headers=admin)).json()
    assert connectors["items"] == [
        {
            "station": "CS-1",
            "evse": 0,
            "connector": 1,
            "evse_id": "DE*ABC*E1",
            "operator": "acme",
            "connected": True,
            "reported": {
                "evse": 0,
                "connector": 1,
                "status": "Charging",
                "received_at": "2026-11-20T12:00:00Z",
                "stale": False,
            },
        }
    ]


async def test_filters_of_evses_reach_the_services(client: TestClient, admin: Headers, services: Any) -> None:
    asked = (
        "limit=2&status=faulted&status=unknown&station=CS-1&operator=acme&account=hubject&state=refused&state=held"
        "&connected=false&problems=true&q=e1&sort=problems"
    )
    assert (await client.get(f"/api/v1/evses?{asked}", headers=admin)).status == 200
    (order,) = services.orders
    assert order == (
        "list EVSEs",
        EvseQuery(
            limit=2,
            statuses=(EvseStatus.FAULTED, EvseStatus.UNKNOWN),
            station="CS-1",
            operator="acme",
            account="hubject",
            states=("refused", "held"),
            connected=False,
            problems=True,
            q="e1",
            sort="problems",
        ),
    )


@pytest.mark.parametrize(
    ("query", "detail"),
    [
        pytest.param(
            "stauts=faulted",
            "'stauts' is nothing that can be asked here; there is limit, cursor, status, station, operator, account, "
            "state, connected, problems, q, sort",
            id="misspelt",
        ),
        pytest.param("sort=age", "sort should be id or problems", id="choice"),
        pytest.param("connected=1", "connected should be true or false", id="boolean"),
        pytest.param("limit=1&limit=2", "limit should be given once", id="twice"),
        pytest.param("q=%00", "q should be text", id="null character"),
        pytest.param(
            "cursor=x",
            "cursor should be the next_cursor of an earlier page of this list; leave it out for the first page",
            id="cursor",
        ),
    ],
)
async def test_a_query_that_cannot_be_meant_is_400_and_says_what_there_is(
    client: TestClient, admin: Headers, query: str, detail: str
) -> None:
    response = await client.get(f"/api/v1/evses?{query}", headers=admin)
    assert (response.status, (await response.json())["detail"]) == (400, detail)


async def test_a_path_that_takes_no_query_says_so(client: TestClient, admin: Headers) -> None:
    response = await client.get("/api/v1/status?all=true", headers=admin)
    assert response.status == 400
    assert (await response.json())["detail"] == "'all' is nothing that can be asked here; nothing is"


async def test_the_client_follows_the_pages_of_every_list(client: TestClient, token: str, services: Any) -> None:
    services.rows = 2500
    found = await RestServices(Address(str(client.make_url("")).rstrip("/"), token)).list_inventory()
    assert [row.connector for row in found.items] == list(range(1, 2501))
    assert found.next_cursor is None


@pytest.mark.parametrize(
    ("body", "pointer", "detail"),
    [
        pytest.param('{"evse_ids": ["x"]}', "/status", "Field required", id="missing"),
        pytest.param(
            '{"evse_ids": ["x", 3], "status": "BLOCKED"}', "/evse_ids/1", "Input should be a valid string", id="nested"
        ),
        pytest.param(
            '{"evse_ids": ["x"], "status": "BLOCKED", "a/b~c": 1}',
            "/a~1b~0c",
            "Extra inputs are not permitted",
            id="escaped",
        ),
        pytest.param(
            '{"evse_ids": ["x"], "status": "BLOCKED", "valid_to": "0"}',
            "/valid_to",
            "should be a date and time such as 2026-12-01T08:00:00Z or 2026-12-01T09:00:00+01:00",
            id="the text 0",
        ),
        pytest.param(
            '{"evse_ids": ["x"], "status": "BLOCKED", "valid_to": 0}',
            "/valid_to",
            "should be text such as 2026-12-01T08:00:00Z",
            id="a number",
        ),
        pytest.param(
            '{"evse_ids": ["x"], "status": "BLOCKED", "valid_to": "2026-12-01T08:00:00"}',
            "/valid_to",
            "has no offset from UTC: write 2026-12-01T08:00:00Z, or +01:00 instead of Z",
            id="no offset",
        ),
    ],
)
async def test_a_mistake_in_a_body_is_named_by_its_place(
    client: TestClient, admin: Headers, body: str, pointer: str, detail: str
) -> None:
    headers = {**admin, "Content-Type": "application/json"}
    response = await client.post("/api/v1/temporary-statuses", data=body, headers=headers)
    assert response.status == 400
    assert (await response.json())["errors"] == [{"pointer": pointer, "detail": detail}]


@pytest.mark.parametrize(
    "media", ["text/plain", "application/x-www-form-urlencoded", "application/json; charset=utf-16", "application/xml"]
)
async def test_a_body_that_does_not_say_that_it_is_json_is_415(
    client: TestClient, admin: Headers, media: str, services: Any
) -> None:
    response = await client.post(
        "/api/v1/upstreams/hubject/enable", data=b'{"mode": "live"}', headers={**admin, "Content-Type": media}
    )
    assert response.status == 415
    assert (await response.json())["detail"] == "send the body with Content-Type: application/json, in UTF-8"
    assert services.orders == []


async def test_an_impossible_value_is_422_and_names_its_place(
    client: TestClient, admin: Headers, services: Any
) -> None:
    services.temporaries.failure = ValueRefused("valid_to", "should be after the beginning")
    body = {"evse_ids": ["DE*ABC*E1"], "status": "BLOCKED"}
    response = await client.post("/api/v1/temporary-statuses", json=body, headers=admin)
    assert response.status == 422
    assert (await response.json())["errors"] == [{"pointer": "/valid_to", "detail": "should be after the beginning"}]


async def test_head_is_as_get_without_a_body_and_other_methods_are_named(client: TestClient, admin: Headers) -> None:
    head = await client.head("/api/v1/evses", headers=admin)
    assert (head.status, await head.read()) == (200, b"")
    for method in ("OPTIONS", "TRACE", "PUT"):
        response = await client.request(method, "/api/v1/status", headers=admin)
        assert (response.status, response.headers["Allow"]) == (405, "GET,HEAD")


@pytest.mark.parametrize(("query", "accept"), [("?format=csv", "*/*"), ("", "text/csv")])
async def test_the_inventory_is_also_a_file(client: TestClient, admin: Headers, query: str, accept: str) -> None:
    response = await client.get(f"/api/v1/inventory{query}", headers={**admin, "Accept": accept})
    assert (response.status, response.content_type) == (200, "text/csv")
    assert response.headers["Content-Disposition"] == 'attachment; filename="inventory.csv"'
    assert await response.text() == "station,version\nCS-1,1.6\n"
