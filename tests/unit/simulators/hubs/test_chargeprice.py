import json
from pathlib import Path

import pytest

from simulators.hubs.chargeprice import Chargeprice, ChargepriceOptions
from simulators.hubs.exchange import Request
from simulators.hubs.faults import FaultSpec
from simulators.hubs.ledger import Change, Ledger

STATUSES = json.loads((Path(__file__).parents[3] / "vectors" / "mapping.json").read_text())["enums"]["chargeprice"]
COMPANY = "1e49b853-36fc-47ed-9826-97828b5b2fdd"
PATH = f"/v1/companies/{COMPANY}/charging_stations/123/charge_points/456/status"
HEADERS = {"content-type": "application/json", "api-key": "demo-key"}


def body(status="occupied", **more):
    return {"data": {"type": "charge_point_status", "attributes": {"status": status, **more}}}


def judge(document=None, *, hub=None, path=PATH, method="PUT", headers=HEADERS):
    document = body() if document is None else document
    raw = document if isinstance(document, bytes) else json.dumps(document).encode()
    return (hub or Chargeprice(ChargepriceOptions())).judge(Request(method, path, headers, raw), Ledger())


def error(judgement):
    return json.loads(judgement.reply.text)["errors"][0]


@pytest.mark.parametrize("status", STATUSES)
def test_statuses_of_chargeprice_are_taken(status):
    judgement = judge(body(status, valid_until=None))
    assert (judgement.reply.status, judgement.reply.text, judgement.violations) == (204, "", ())
    assert judgement.change == Change(put={"123/456": status})


def test_valid_until_is_milliseconds():
    assert judge(body(valid_until=1582898908000)).change.available_at == 1582898908.0


def test_path_segments_are_decoded():
    path = f"/v1/companies/{COMPANY}/charging_stations/a%2Fb/charge_points/DE%2AABC%2AE1/status"
    assert judge(path=path).records == (("a/b/DE*ABC*E1", "occupied"),)
    assert judge(path=path.replace("%2A", "*")).violations == ()


@pytest.mark.parametrize(
    "document",
    [
        pytest.param(b"", id="empty"),
        pytest.param([], id="array"),
        pytest.param({"data": 1}, id="odd-data"),
        pytest.param(body("maintenance"), id="spelt-right"),
        pytest.param(body("charging"), id="unknown-status"),
        pytest.param(body(valid_until="2026-11-20T12:00:00Z"), id="iso-date"),
        pytest.param(body(valid_until=1582898908), id="seconds"),
        pytest.param(body(valid_until=True), id="boolean"),
        pytest.param(body(extra=1), id="unknown-attribute"),
        pytest.param(body() | {"meta": {}}, id="unknown-field"),
        pytest.param({"data": body()["data"] | {"id": "1"}}, id="an-id"),
        pytest.param({"data": body()["data"] | {"type": "status"}}, id="wrong-type"),
    ],
)
def test_body_that_is_not_as_documented_is_invalid(document):
    judgement = judge(document)
    assert judgement.reply.status == 400
    assert error(judgement)["status"] == "400"
    assert judgement.violations
    assert judgement.change is None


@pytest.mark.parametrize(
    ("headers", "title"),
    [
        ({"content-type": "application/json"}, "api_key missing"),
        (HEADERS | {"api-key": "other"}, "api_key invalid"),
    ],
    ids=["missing", "invalid"],
)
def test_without_a_valid_key_nothing_is_allowed(headers, title):
    judgement = judge(headers=headers)
    assert judgement.reply.status == 403
    assert error(judgement) == {"status": "403", "title": title}


def test_json_api_media_type_is_not_what_is_documented():
    assert judge(headers=HEADERS | {"content-type": "application/vnd.api+json"}).reply.status == 400


@pytest.mark.parametrize(
    ("path", "method"),
    [(PATH.replace("v1", "v2"), "PUT"), (PATH, "POST"), (PATH.replace("/456", "/4/5/6"), "PUT")],
    ids=["version", "method", "unencoded-slash"],
)
def test_unknown_route_has_its_code(path, method):
    judgement = judge(path=path, method=method)
    assert judgement.reply.status == 404
    assert error(judgement)["code"] == "NO_ROUTE_FOUND"


def test_company_must_be_a_uuid_that_the_key_may_write():
    assert judge(path=PATH.replace(COMPANY, "abc")).reply.status == 400
    hub = Chargeprice(ChargepriceOptions(company_ids=("00000000-0000-4000-8000-000000000000",)))
    assert error(judge(hub=hub))["title"] == "api_key not authorized to perform action"


def test_unlisted_point_is_not_found_where_points_are_listed():
    hub = Chargeprice(ChargepriceOptions(points=("123/457",)))
    assert judge(hub=hub).reply.status == 404
    assert error(judge(hub=hub))["code"] == "NOT_FOUND"
    assert hub.configure({"points": ["123/456"]}).points == ("123/456",)
    assert judge(hub=hub).reply.status == 204


def test_raw_characters_in_a_segment_are_noted():
    assert judge(path=PATH.replace("456", "4 5")).violations == ("path segment '4 5' is not percent-encoded",)


def test_keys_never_reach_the_journal():
    assert "demo-key" not in repr(judge())
    assert "other" not in repr(judge(headers=HEADERS | {"api-key": "other"}))


def test_scripted_status_has_chargeprices_error_shape():
    hub = Chargeprice(ChargepriceOptions())
    reply = hub.fault_reply(FaultSpec(kind="status", status=409, code="ID_CONFLICT"), judge())
    assert json.loads(reply.text) == {"errors": [{"status": "409", "title": "scripted fault", "code": "ID_CONFLICT"}]}
    assert hub.check_fault(FaultSpec(kind="result_false")) is not None
    assert hub.check_fault(FaultSpec(kind="status")) is None
