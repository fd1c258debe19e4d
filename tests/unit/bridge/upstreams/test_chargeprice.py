import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bridge.core.model import Accepted, Deferred, EvseId, Held, Refused
from bridge.upstreams.chargeprice import ChargepriceOptions, classify, document, path_of, unaddressable
from bridge.upstreams.port import Record

VECTORS = json.loads((Path(__file__).parents[3] / "vectors" / "chargeprice_responses.json").read_text())["responses"]
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
COMPANY = "1e49b853-36fc-47ed-9826-97828b5b2fdd"
OPTIONS = ChargepriceOptions("http://example-base-url.com/", COMPANY, "my-secret-key")
RECORD = Record(EvseId("DE*ABC*E1"), "occupied", station_ref="123", point_ref="456")
VERDICTS = {Accepted: "accepted", Deferred: "deferred", Held: "held", Refused: "refused"}


def reply(status, body="", *, headers=None, record=RECORD, now=NOW):
    text = body if isinstance(body, str) else json.dumps(body)
    return classify(status, headers or {}, text, records=[record], now=now)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: f"{v['http']}-{v['why']}")
def test_every_answer_means_what_the_vectors_say(vector):
    now = datetime.fromisoformat(vector["now"]) if "now" in vector else NOW
    outcome, code = reply(vector["http"], vector["body"], headers=vector.get("headers"), now=now)

    assert VERDICTS[type(outcome)] == vector["verdict"]
    if "retry_after_s" in vector:
        assert outcome.retry_after_s == vector["retry_after_s"]
    body = vector["body"] if isinstance(vector["body"], dict) else {"errors": [{}]}
    assert code == body["errors"][0].get("code", "")


def test_vectors_are_the_whole_table():
    assert len(VECTORS) == 20


@pytest.mark.parametrize("body", ["<html>Sign in</html>", {"errors": [{"title": "no"}]}], ids=["html", "errors"])
def test_success_with_a_body_that_says_otherwise_is_in_doubt(body):
    outcome, _ = reply(200, body)
    assert isinstance(outcome, Deferred)
    assert outcome.in_doubt


@pytest.mark.parametrize("status", [400, 404])
def test_html_comes_from_in_front_of_the_service(status):
    assert isinstance(reply(status, "<html>nginx</html>")[0], Held)


@pytest.mark.parametrize(("status", "in_doubt"), [(408, True), (500, True), (504, True), (429, False), (301, False)])
def test_reply_that_does_not_prove_refusal_is_in_doubt(status, in_doubt):
    assert reply(status)[0].in_doubt is in_doubt


def test_reason_reads_the_same_for_every_row():
    reasons = set()
    for n in range(3):
        record = Record(EvseId(f"DE*ABC*E{n}"), "occupied", station_ref=f"s{n}", point_ref=f"{n}")
        body = {"errors": [{"title": f"charge point {n} of s{n} not found, 42 tries"}]}
        reasons.add(reply(422, body, record=record)[0].why)
    assert reasons == {"HTTP 422: charge point … of … not found, 42 tries"}


def test_request_is_that_of_chargeprices_example():
    assert path_of(RECORD, OPTIONS) == (
        "v1/companies/1e49b853-36fc-47ed-9826-97828b5b2fdd/charging_stations/123/charge_points/456/status"
    )
    assert document(RECORD) == {
        "data": {"type": "charge_point_status", "attributes": {"status": "occupied", "valid_until": None}}
    }


def test_value_with_an_end_is_chargeprices_example():
    record = Record(EvseId("DE*ABC*E1"), "occupied until 1582898908000", station_ref="123", point_ref="456")
    attributes = document(record)["data"]["attributes"]
    assert attributes == {"status": "occupied", "valid_until": 1582898908000}


def test_deletion_never_has_an_end():
    record = Record(EvseId("DE*ABC*E1"), "occupied until 1582898908000", delete=True, station_ref="123")
    assert document(record)["data"]["attributes"] == {"status": "unknown", "valid_until": None}


def test_path_segments_are_percent_encoded():
    record = Record(EvseId("DE*ABC*E1"), "occupied", station_ref="a/b ?#%2F", point_ref="")
    assert path_of(record, OPTIONS).endswith(
        "/charging_stations/a%2Fb%20%3F%23%252F/charge_points/DE%2AABC%2AE1/status"
    )


@pytest.mark.parametrize(
    ("station", "point"), [("", "456"), ("..", "456"), ("123", "."), ("123", "..")], ids=["none", "up", "here", "up-2"]
)
def test_record_that_no_path_can_name_is_refused_unsent(station, point):
    assert unaddressable(Record(EvseId("DE*ABC*E1"), "occupied", station_ref=station, point_ref=point)) is not None


def test_removed_evse_becomes_unknown():
    record = Record(EvseId("DE*ABC*E1"), "", delete=True, station_ref="123")
    assert document(record)["data"]["attributes"]["status"] == "unknown"


def test_key_is_never_shown():
    assert "my-secret-key" not in repr(OPTIONS)


@pytest.mark.parametrize("key", ["", "a\r\nX-Evil: 1", "schlüssel"], ids=["empty", "line-break", "not-ascii"])
def test_key_that_a_header_cannot_carry_is_refused_without_showing_it(key):
    with pytest.raises(ValueError, match="api_key must be") as caught:
        ChargepriceOptions("https://hub", COMPANY, key)
    assert not key or key not in str(caught.value)
