import copy
import json

import pytest

from simulators.hubs.chargeprice import Chargeprice, ChargepriceOptions
from simulators.hubs.exchange import Request
from simulators.hubs.faults import FaultSpec
from simulators.hubs.ledger import Ledger

NOW = 1546297200.0
STATION = "20006f18-3ed4-4715-92b5-08e37e6dd18c"
OLD_STATION = "1a006f18-3ed4-4715-92b5-08e37e6dd183"
OPERATOR = "ae62cd2d-f29d-4107-b087-6d4f75261cca"
COMPANY = "1e49b853-36fc-47ed-9826-97828b5b2fdd"
EMP = "2e49b853-36fc-47ed-9826-97828b5b2fdd"
VERSION_CONFLICT = {"errors": [{"status": "409", "code": "VERSION_CONFLICT", "title": "Version conflict"}]}


def station(version=1, **attributes):
    """Seed 001's example request."""
    return {
        "data": {
            "id": STATION,
            "type": "charging_station",
            "attributes": {
                "name": "Spar",
                "version": version,
                "latitude": 10.0,
                "longitude": 20.0,
                "country": "AT",
                "address": "Stangersdorf-Gewerbegebiet 110 A, 8403 Lebring",
                "free_parking": True,
                "free_charging": False,
                "status": "operational",
                "charge_points": [{"plug": "ccs", "power": 50.0, "count": 2, "evse_ids": ["AT*ION*E1234"]}],
                **attributes,
            },
            "relationships": {"operator": {"data": {"type": "company", "id": OPERATOR}}},
        }
    }


def company(version=1, **attributes):
    """Seed 002's example request, without its comma too many."""
    return {
        "data": {
            "id": COMPANY,
            "type": "company",
            "attributes": {
                "name": "EnBW",
                "version": version,
                "url": "http://www.energy.com",
                "is_cpo": True,
                "is_emp": True,
                "external_source_mapping": {"going_electric_names": ["EnBW"]},
                **attributes,
            },
            "relationships": {"supported_emps": {"data": [{"type": "company", "id": EMP}]}},
        }
    }


class Hub:
    def __init__(self, **options):
        self.now = NOW
        self.rules = Chargeprice(ChargepriceOptions(**options), clock=lambda: self.now)
        self.ledger = Ledger()
        self.last = None

    def ask(self, method, path, document=None, key="demo-key"):
        """Let the hub judge and apply, as the server does, and return (status, body)."""
        path, _, query = path.partition("?")
        raw = b"" if document is None else json.dumps(document).encode()
        request = Request(method, path, {"content-type": "application/json", "api-key": key}, raw, query)
        self.last = self.rules.judge(request, self.ledger)
        entry = self.ledger.begin(self.now, self.last.operation, self.last.action, self.last.records)
        if self.last.change is not None:
            self.ledger.apply(entry, self.last.change, self.now)
        text = self.last.reply.text
        return self.last.reply.status, json.loads(text) if text else None

    def put_station(self, document, prefix="v2", **more):
        return self.ask("PUT", f"/{prefix}/charging_stations/{STATION}", document, **more)

    def put_company(self, document, **more):
        return self.ask("PUT", f"/v1/companies/{COMPANY}", document, **more)

    def show(self, name=STATION, **more):
        return self.ask("GET", f"/v1/charging_stations/{name}", **more)


def error(answer):
    status, body = answer
    return status, body["errors"][0]["code"]


def test_station_is_created_as_in_the_document():
    status, body = Hub().put_station(station())
    assert (status, body) == (
        201,
        {
            "data": {
                "id": STATION,
                "type": "charging_station",
                "attributes": {
                    "name": "Spar",
                    "version": 1,
                    "latitude": 10.0,
                    "longitude": 20.0,
                    "country": "AT",
                    "address": "Stangersdorf-Gewerbegebiet 110 A, 8403 Lebring",
                    "free_parking": True,
                    "free_charging": False,
                    "evse_ids": ["AT*ION*E1234"],
                    "charge_points": [{"plug": "ccs", "power": 50.0, "count": 2, "available_count": None}],
                },
                "relationships": {"operator": {"data": {"type": "company", "id": OPERATOR}}},
            },
            "included": [{"id": OPERATOR, "type": "company", "attributes": {"name": "ELLA"}}],
        },
    )


def test_company_is_created_as_in_the_document():
    status, body = Hub().put_company(company())
    assert (status, body) == (
        201,
        {
            "data": {
                "id": COMPANY,
                "type": "company",
                "attributes": {
                    "name": "EnBW",
                    "created_at": 1546297200000,
                    "updated_at": 1546297200000,
                    "version": 1,
                    "url": "http://www.energy.com",
                    "is_cpo": True,
                    "is_emp": True,
                    "external_source_mapping": {
                        "plugsurfing_ids": None,
                        "going_electric_names": ["EnBW"],
                        "going_electric_charge_card_ids": None,
                        "google_sheet_names": None,
                        "open_charge_map_operator_ids": None,
                    },
                },
                "relationships": {"supported_emps": {"data": [{"type": "company", "id": EMP}]}},
            }
        },
    )


def test_company_keeps_its_moment_of_creation():
    hub = Hub()
    hub.put_company(company())
    hub.now += 60
    status, body = hub.put_company(company(2))
    assert status == 200
    attributes = body["data"]["attributes"]
    assert (attributes["created_at"], attributes["updated_at"]) == (1546297200000, 1546297260000)


@pytest.mark.parametrize(("kind", "document"), [("station", station), ("company", company)])
def test_lock_version_is_1_and_then_the_next_one(kind, document):
    hub = Hub()
    put = getattr(hub, f"put_{kind}")
    answers = [put(document(version)) for version in (2, 1, 1, 3, 2)]
    assert [status for status, _ in answers] == [409, 201, 409, 409, 200]
    assert [body for status, body in answers if status == 409] == [VERSION_CONFLICT] * 3
    assert hub.ledger.documents(kind)[document()["data"]["id"]]["attributes"]["version"] == 2


@pytest.mark.parametrize(("kind", "document"), [("station", station), ("company", company)])
def test_version_that_others_wrote_since_is_the_current_one(kind, document):
    hub = Hub()
    put, resource = getattr(hub, f"put_{kind}"), document()["data"]["id"]
    put(document())
    hub.rules.configure({"versions": {resource.upper(): 5}})
    assert error(put(document(2))) == (409, "VERSION_CONFLICT")
    shown = hub.show() if kind == "station" else hub.ask("GET", f"/v1/companies?filter[id]={COMPANY}")
    data = shown[1]["data"]
    assert (data if kind == "station" else data[0])["attributes"]["version"] == 5
    assert put(document(6))[0] == 200
    assert put(document(7))[0] == 200


def test_late_application_of_an_older_version_changes_nothing():
    hub = Hub()
    request = Request(
        "PUT",
        f"/v2/charging_stations/{STATION}",
        {"content-type": "application/json", "api-key": "demo-key"},
        json.dumps(station(name="late")).encode(),
    )
    late = hub.rules.judge(request, hub.ledger)
    hub.put_station(station())
    hub.ledger.apply(hub.ledger.begin(NOW, late.operation, late.action, late.records), late.change, NOW)
    assert hub.ledger.document("station", STATION)["attributes"]["name"] == "Spar"


def test_station_is_put_where_the_option_says():
    assert error(Hub().put_station(station(), prefix="v1")) == (404, "NO_ROUTE_FOUND")
    assert Hub(station_prefix="v1").put_station(station(), prefix="v1")[0] == 201


def test_station_is_shown_by_its_id_and_by_an_evse_id_of_it():
    hub = Hub()
    hub.put_company(company())
    document = station()
    document["data"]["relationships"]["operator"]["data"]["id"] = COMPANY
    _, written = hub.put_station(document)
    assert written["included"][0]["attributes"] == {"name": "EnBW"}
    for name in (STATION, STATION.upper(), "AT*ION*E1234", "AT%2AION%2AE1234", f"{STATION}?availability=true"):
        assert hub.show(name) == (200, written)
    assert hub.show("AT*ION*E9999") == (
        404,
        {"errors": [{"status": "404", "code": "NOT_FOUND", "title": "charging station AT*ION*E9999"}]},
    )


@pytest.mark.parametrize("status", ["out_of_order", "removed", "under_construction"])
def test_station_that_is_not_operational_is_hidden(status):
    hub = Hub()
    assert hub.put_station(station(status=status))[0] == 201
    assert error(hub.show()) == (404, "NOT_FOUND")
    assert hub.put_station(station(2))[0] == 200
    assert hub.show()[0] == 200


def test_reading_and_writing_need_their_own_groups():
    hub = Hub(api_keys=("writer",), read_keys=("reader",))
    assert hub.put_station(station(), key="writer")[0] == 201
    assert error(hub.show(key="writer")) == (403, "FORBIDDEN")
    assert error(hub.ask("GET", "/v1/companies", key="writer")) == (403, "FORBIDDEN")
    assert hub.show(key="reader")[0] == 200
    assert error(hub.put_station(station(2), key="reader")) == (403, "FORBIDDEN")
    assert hub.last.violations == ()


def test_all_requests_of_a_key_are_one_operation():
    hub = Hub(api_keys=("a", "b"), read_keys=("a", "c"))
    operations = [
        (hub.put_station(station(), key=key), hub.last.operation, hub.show(key=key), hub.last.operation)
        for key in "abc"
    ]
    assert [(one[1], one[3]) for one in operations] == [(f"requests of key {n}",) * 2 for n in range(3)]
    assert "'a'" not in repr(hub.last)


@pytest.mark.parametrize(("key", "title"), [(None, "api_key missing"), ("x", "api_key invalid")])
def test_missing_or_invalid_key_is_forbidden_as_in_the_document(key, title):
    hub = Hub()
    request = Request("PUT", f"/v1/companies/{COMPANY}", {} if key is None else {"api-key": key}, b"")
    reply = hub.rules.judge(request, hub.ledger).reply
    expected = {"errors": [{"status": "403", "code": "FORBIDDEN", "title": title}]}
    assert (reply.status, json.loads(reply.text)) == (403, expected)


def test_foreign_station_is_forbidden_and_the_key_stays_good():
    hub = Hub(foreign_stations=(STATION,))
    status, body = hub.put_station(station())
    title = "api_key not authorized to perform action"
    assert (status, body) == (403, {"errors": [{"status": "403", "code": "FORBIDDEN", "title": title}]})
    assert error(hub.ask("DELETE", f"/v1/charging_stations/{STATION}")) == (403, "FORBIDDEN")
    path = f"/v1/companies/{COMPANY}/charging_stations/{STATION}/charge_points/1/status"
    document = {"data": {"type": "charge_point_status", "attributes": {"status": "available"}}}
    assert hub.ask("PUT", path, document) == (403, {"errors": [{"status": "403", "title": title}]})
    assert hub.put_company(company())[0] == 201


def test_replaced_station_is_deleted():
    hub = Hub(foreign_stations=())
    old = station()
    old["data"]["id"] = OLD_STATION
    hub.ask("PUT", f"/v2/charging_stations/{OLD_STATION}", old)
    hub.rules.configure({"foreign_stations": [OLD_STATION]})
    document = station()
    document["data"]["meta"] = {"replaces_charging_staton_id": OLD_STATION}
    assert hub.put_station(document)[0] == 201
    assert list(hub.ledger.documents("station")) == [STATION]
    assert "meta" not in hub.ledger.document("station", STATION)


def test_station_and_company_are_deleted_once():
    hub = Hub()
    hub.put_station(station())
    hub.put_company(company())
    for path in (f"/v1/charging_stations/{STATION}", f"/v1/companies/{COMPANY}"):
        assert hub.ask("DELETE", path) == (204, None)
        assert hub.last.action == "delete"
        assert error(hub.ask("DELETE", path)) == (404, "NOT_FOUND")
    assert hub.ledger.documents("station") == hub.ledger.documents("company") == {}
    assert hub.put_station(station())[0] == 201


def test_company_with_tariffs_stays():
    hub = Hub(companies_with_tariffs=(COMPANY,))
    hub.put_company(company())
    assert error(hub.ask("DELETE", f"/v1/companies/{COMPANY}")) == (400, "BAD_REQUEST")
    assert hub.last.violations == ()
    assert list(hub.ledger.documents("company")) == [COMPANY]


def test_company_of_another_is_forbidden():
    hub = Hub(company_ids=(EMP,))
    assert error(hub.put_company(company())) == (403, "FORBIDDEN")
    assert error(hub.ask("DELETE", f"/v1/companies/{COMPANY}")) == (403, "FORBIDDEN")


def test_companies_are_listed_by_id():
    hub = Hub()
    hub.put_company(company())
    other = company()
    other["data"]["id"] = EMP
    hub.ask("PUT", f"/v1/companies/{EMP}", other)
    for query, ids, count in [
        ("", [COMPANY, EMP], 2),
        (f"?filter[id]={EMP}", [EMP], 1),
        (f"?filter[id]={EMP},{COMPANY}", [COMPANY, EMP], 2),
        (f"?filter%5Bid%5D={EMP.upper()}%2C{COMPANY}", [COMPANY, EMP], 2),
        (f"?filter[id]={OPERATOR}", [], 0),
        ("?page[size]=1&page[number]=2", [EMP], 2),
    ]:
        status, body = hub.ask("GET", f"/v1/companies{query}")
        assert (status, [one["id"] for one in body["data"]]) == (200, ids)
        assert body["meta"] == {"overall_count": count}


@pytest.mark.parametrize(
    "path",
    [
        "/v1/companies?filter[ids]=a",
        "/v1/companies?page[size]=101",
        "/v1/companies?page[number]=0",
        f"/v1/charging_stations/{STATION}?version=1",
    ],
)
def test_odd_query_is_invalid(path):
    hub = Hub()
    assert error(hub.ask("GET", path)) == (400, "BAD_REQUEST")
    assert hub.last.violations


def test_there_is_no_route_to_one_company():
    assert error(Hub().ask("GET", f"/v1/companies/{COMPANY}")) == (404, "NO_ROUTE_FOUND")


def changed(document, path, value=None):
    """Return the document with the value at the path, or without it where there is no value to be set."""
    document = copy.deepcopy(document)
    *way, last = path.split(".")
    inner = document["data"]
    for step in way:
        inner = inner[int(step) if step.isdigit() else step]
    if value is DROP:
        del inner[last]
    else:
        inner[last] = value
    return document


DROP = object()
POINT = "attributes.charge_points.0"
STATION_ATTRIBUTES = (
    *("name", "version", "latitude", "longitude", "country", "address", "status"),
    *("free_parking", "free_charging", "charge_points"),
)


@pytest.mark.parametrize(
    ("path", "value", "named"),
    [
        *((f"attributes.{name}", DROP, name) for name in STATION_ATTRIBUTES),
        *((f"{POINT}.{name}", DROP, f"charge_points[0].{name}") for name in ("plug", "power", "count", "evse_ids")),
        ("id", DROP, "data.id"),
        ("id", OLD_STATION, "data.id"),
        ("type", "charging_stations", "data.type"),
        ("relationships", DROP, "data.relationships"),
        ("relationships.operator", DROP, "operator"),
        ("relationships.operator.data.type", "cpo", "operator.data.type"),
        ("relationships.operator.data.id", "ELLA", "operator.data.id"),
        ("relationships.operator.links", {}, "operator"),
        ("relationships.location", {}, "location"),
        ("links", {}, "data.links"),
        ("attributes", [], "data.attributes"),
        ("attributes.evse_ids", [], "evse_ids: unknown field"),
        ("attributes.name", " ", "name"),
        ("attributes.version", "1", "version"),
        ("attributes.version", True, "version"),
        ("attributes.latitude", 90.1, "latitude"),
        ("attributes.longitude", "20.0", "longitude"),
        ("attributes.country", "AUT", "country"),
        ("attributes.country", "UK", "country"),
        ("attributes.country", ["AT"], "country"),
        ("attributes.status", "operative", "status"),
        ("attributes.free_parking", "unknown", "free_parking"),
        ("attributes.charge_points", {}, "charge_points"),
        ("attributes.charge_points", [1], "charge_points[0]"),
        (f"{POINT}.available_count", None, "available_count: unknown field"),
        (f"{POINT}.plug", "ccs2", "plug"),
        (f"{POINT}.power", 0, "power"),
        (f"{POINT}.count", 1.5, "count"),
        (f"{POINT}.evse_ids", "AT*ION*E1", "evse_ids"),
        ("meta", {"replaces_charging_station_id": OLD_STATION}, "replaces_charging_station_id: unknown field"),
        ("meta", {"replaces_charging_staton_id": STATION}, "id of another station"),
        ("meta", [], "data.meta"),
    ],
)
def test_station_against_the_document_is_invalid(path, value, named):
    hub = Hub()
    status, body = hub.put_station(changed(station(), path, value))
    assert (status, body["errors"][0]["code"]) == (400, "BAD_REQUEST")
    assert any(named in violation for violation in hub.last.violations)
    assert len(hub.last.violations) == 1
    assert named in body["errors"][0]["title"]
    assert hub.ledger.documents("station") == {}


@pytest.mark.parametrize(
    ("path", "value", "named"),
    [
        *(
            (f"attributes.{name}", DROP, name)
            for name in ("name", "version", "is_cpo", "is_emp", "external_source_mapping")
        ),
        ("relationships.supported_emps", DROP, "supported_emps"),
        ("relationships.supported_emps", {"data": None}, "supported_emps"),
        ("relationships.supported_emps.data.0.type", "emp", "supported_emps.data[0].type"),
        ("relationships.cpo_group", {"data": {"type": "cpo_group", "id": "1"}}, "cpo_group.data.id"),
        ("relationships.tariffs", {}, "tariffs: unknown field"),
        ("attributes.is_cpo", "true", "is_cpo"),
        ("attributes.url", None, "url"),
        ("attributes.created_at", 1546297200000, "created_at: unknown field"),
        ("attributes.external_source_mapping", [], "external_source_mapping"),
        ("attributes.external_source_mapping", {"evse_operator_ids": ["AT*ION"]}, "evse_operator_ids: unknown field"),
        ("attributes.external_source_mapping", {"plugsurfing_ids": "1"}, "plugsurfing_ids"),
        ("meta", {}, "data.meta: unknown field"),
        ("id", EMP, "data.id"),
    ],
)
def test_company_against_the_document_is_invalid(path, value, named):
    hub = Hub()
    assert error(hub.put_company(changed(company(), path, value))) == (400, "BAD_REQUEST")
    assert [named in violation for violation in hub.last.violations] == [True]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("attributes.url", DROP),
        ("attributes.external_source_mapping", {}),
        ("attributes.external_source_mapping", {"open_charge_map_operator_ids": [23], "plugsurfing_ids": None}),
        ("relationships.supported_emps", {"data": []}),
        ("relationships.cpo_group", None),
        ("relationships.emp_group", {"data": None}),
        ("relationships.emp_group", {"data": {"type": "emp_group", "id": EMP}}),
    ],
)
def test_company_may_leave_open_what_is_optional(path, value):
    hub = Hub()
    assert hub.put_company(changed(company(), path, value))[0] == 201
    assert hub.last.violations == ()


@pytest.mark.parametrize(
    "plug",
    ["ccs", "type2", "chademo", "schuko", "type1", "type3", "tesla_ccs", "tesla_suc", "ccs1", "nacs"],
)
def test_plugs_of_chargeprice_are_taken(plug):
    assert Hub().put_station(changed(station(), f"{POINT}.plug", plug))[0] == 201


def test_unknown_parking_and_charging_fees_are_null():
    assert Hub().put_station(station(free_parking=None, free_charging=None))[0] == 201


def test_id_in_the_path_must_be_a_uuid():
    hub = Hub()
    assert error(hub.ask("PUT", "/v2/charging_stations/abc", station())) == (400, "BAD_REQUEST")
    assert error(hub.ask("DELETE", "/v1/companies/abc")) == (400, "BAD_REQUEST")


def test_scripted_status_has_the_code_of_the_document_except_for_statuses():
    hub = Hub()
    hub.put_station(station())
    reply = hub.rules.fault_reply(FaultSpec(kind="status", status=409), hub.last)
    assert json.loads(reply.text)["errors"][0]["code"] == "VERSION_CONFLICT"
    reply = hub.rules.fault_reply(FaultSpec(kind="status", status=500), hub.last)
    assert json.loads(reply.text)["errors"][0]["code"] == "INTERNAL_SERVER_ERROR"
