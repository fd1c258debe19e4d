import json
from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from simulators.hubs.exchange import Request
from simulators.hubs.faults import FaultSpec
from simulators.hubs.ledger import Ledger
from simulators.hubs.spirii import Spirii
from simulators.hubs.spirii_options import SpiriiOptions

PATH = "/v2/temporary-evse-statuses"
NOW = datetime(2025, 4, 23, 9, 0, tzinfo=UTC).timestamp()
EVSE = "DK*SPI*E123*1"
SEED = {"temporaryStatus": "MAINTENANCE", "validFrom": "2025-04-23T10:00:00Z", "validTo": "2025-04-23T18:00:00Z"}
"""Seed 003's example request."""
THEIRS = {"id": 900, "evse_id": EVSE, "status": "BLOCKED", "valid_from": "2025-04-23T08:00:00Z"}


class Hub:
    def __init__(self, **options):
        self.now = NOW
        self.rules = Spirii(SpiriiOptions.model_validate(options), clock=lambda: self.now)
        self.ledger = Ledger()
        self.last = None

    def ask(self, method, path="", document=None, key="spirii-key", raw=None, headers=None):
        """Let the hub judge and apply, as the server does, and return (status, body)."""
        path, _, query = f"{PATH}{path}".partition("?")
        raw = raw if raw is not None else b"" if document is None else json.dumps(document).encode()
        headers = {"content-type": "application/json", "authorization": f"Bearer {key}"} | (headers or {})
        self.last = self.rules.judge(Request(method, path, headers, raw, query), self.ledger)
        entry = self.ledger.begin(self.now, self.last.operation, self.last.action, self.last.records)
        if self.last.change is not None:
            self.ledger.apply(entry, self.last.change, self.now)
        text = self.last.reply.text
        return self.last.reply.status, json.loads(text) if text else None

    def create(self, evse_id=EVSE, *, key="spirii-key", **fields):
        return self.ask("POST", "", {"evseId": evse_id, "temporaryStatus": "MAINTENANCE"} | fields, key)

    def ids(self, query="?activeOnly=false"):
        status, body = self.ask("GET", query)
        assert status == 200
        return [entry["id"] for entry in body]


def error(answer):
    status, body = answer
    return status, body["error"]["param"]


def test_entry_is_created_changed_and_deleted_as_in_the_document():
    hub = Hub()
    assert hub.create(**SEED) == (201, {"id": 1, "evseId": EVSE} | SEED)
    new = {"temporaryStatus": "BLOCKED", "validTo": "2025-04-23T19:00:00Z"}
    assert hub.ask("PATCH", "/1", new) == (200, {"id": 1, "evseId": EVSE} | SEED | new)
    assert hub.ask("DELETE", "/1") == (204, None)
    assert error(hub.ask("DELETE", "/1")) == (404, "id")
    assert error(hub.ask("PATCH", "/1", new)) == (404, "id")
    assert hub.create()[1]["id"] == 2


def test_unset_start_is_now_and_unset_end_means_until_removed():
    hub = Hub()
    entry = {"id": 1, "evseId": EVSE, "temporaryStatus": "MAINTENANCE", "validFrom": "2025-04-23T09:00:00Z"}
    assert hub.create() == (201, entry)
    assert hub.ids("") == [1]
    assert hub.ask("PATCH", "/1", {"validTo": "2025-04-23T10:00:00Z"})[1]["validTo"] == "2025-04-23T10:00:00Z"
    assert hub.ask("PATCH", "/1", {"validTo": None}) == (200, entry)
    assert hub.ask("PATCH", "/1", {}) == (200, entry)


def test_list_hides_what_has_not_begun_or_is_over_unless_asked():
    hub = Hub()
    hub.create(**SEED)
    hours = {9: [], 10: [1], 17: [1], 18: [], 20: []}
    for hour, active in hours.items():
        hub.now = datetime(2025, 4, 23, hour, tzinfo=UTC).timestamp()
        assert hub.ids("") == hub.ids("?activeOnly=true") == active
        assert hub.ids("?activeOnly=false") == [1]


def test_list_is_a_bare_array_and_finds_an_evse_in_any_of_its_spellings():
    hub = Hub()
    hub.create(**SEED)
    hub.create("DK*SPI*E123*2")
    for spelling in ("DK*SPI*E123*1", "DK.SPI.E123*1", "dkspie1231", "DK%2ASPI%2AE123%2A1"):
        assert hub.ask("GET", f"?evseId={spelling}&activeOnly=false") == (200, [{"id": 1, "evseId": EVSE} | SEED])


@pytest.mark.parametrize("query", ["?activeonly=false", "?activeOnly=False", "?activeOnly=", "?evseId=a&evseId=b"])
def test_odd_query_is_invalid(query):
    hub = Hub()
    assert hub.ask("GET", query)[0] == 400
    assert hub.last.violations


def test_evse_is_answered_as_spirii_writes_it():
    hub = Hub(evses=["DK*SPI*E123*1"])
    assert hub.create("DK.SPI.e123*1")[1]["evseId"] == "DK*SPI*E123*1"
    assert error(hub.create("DK*SPI*E124*1")) == (404, "evseId")
    assert hub.last.violations == ()
    assert error(Hub().create("**")) == (404, "evseId")


def test_evse_of_another_account_is_forbidden():
    hub = Hub()
    hub.create()
    hub.rules.configure({"foreign_evses": ["DK.SPI.E123*1"]})
    assert error(hub.create()) == (403, "evseId")
    assert error(hub.ask("DELETE", "/1")) == (403, "id")
    assert hub.ids() == []


@pytest.mark.parametrize(
    "authorization",
    ["", "spirii-key", "Bearer ", "Bearer other", "Basic c3BpcmlpLWtleQ==", "Bearer spirii-key, x"],
)
def test_missing_malformed_or_unknown_key_is_unauthorised(authorization):
    hub = Hub()
    status, body = hub.ask("GET", headers={"authorization": authorization})
    assert (status, body["error"]["type"]) == (401, "authentication_error")
    assert "other" not in repr(hub.last)


@pytest.mark.parametrize(
    ("method", "raw", "param"),
    [
        ("POST", b"", None),
        ("POST", b"[]", None),
        ("POST", b'{"evseId": ', None),
        ("POST", b'{"temporaryStatus": "BLOCKED"}', "evseId"),
        ("POST", b'{"evseId": "DK*SPI*E1"}', "temporaryStatus"),
        ("POST", b'{"evseId": 1, "temporaryStatus": "BLOCKED"}', "evseId"),
        ("POST", b'{"evseId": "a", "temporaryStatus": "BLOCKED", "validTo": null}', "validTo"),
        ("POST", b'{"evseId": "a", "temporaryStatus": "BLOCKED", "reason": "x"}', "reason"),
        ("PATCH", b'{"evseId": "DK*SPI*E123*1"}', "evseId"),
        ("PATCH", b'{"validFrom": null}', "validFrom"),
        ("PATCH", b'{"validTo": 1745402400}', "validTo"),
        ("PATCH", b'{"id": 1}', "id"),
    ],
)
def test_body_that_cannot_be_read_is_invalid(method, raw, param):
    hub = Hub()
    hub.create()
    answer = hub.ask(method, "/1" if method == "PATCH" else "", raw=raw)
    assert error(answer) == (400, param)
    assert answer[1]["error"]["type"] == "invalid_request"
    assert hub.last.violations
    assert hub.last.change is None


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"temporaryStatus": "maintenance"}, "temporaryStatus"),
        ({"temporaryStatus": "AVAILABLE"}, "temporaryStatus"),
        ({"validFrom": "2025-02-30T10:00:00Z"}, "validFrom"),
        ({"validFrom": "2025-04-23T10:00:00"}, "validFrom"),
        ({"validFrom": "2025-04-23T10:00:00+02:00"}, "validFrom"),
        ({"validFrom": "2025-04-23"}, "validFrom"),
        ({"validTo": "2025-04-23T25:00:00Z"}, "validTo"),
        ({"validTo": "2025-04-23T08:59:59Z"}, "validTo"),
        ({"validFrom": "2025-04-23T10:00:00Z", "validTo": "2025-04-23T10:00:00Z"}, "validTo"),
    ],
)
def test_body_that_cannot_be_fulfilled_fails_its_validation(fields, param):
    hub = Hub()
    for answer in (hub.create(**fields), (hub.create("DK*SPI*E9"), hub.ask("PATCH", "/1", fields))[1]):
        assert error(answer) == (422, param)
        assert answer[1]["error"]["type"] == "validation_error"
        assert hub.last.violations
    assert hub.ask("GET")[1][0]["temporaryStatus"] == "MAINTENANCE"


def test_media_type_must_be_json():
    assert Hub().ask("POST", "", {}, headers={"content-type": "text/plain"})[0] == 400


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/1"), ("PUT", "/1"), ("POST", "/1"), ("PATCH", ""), ("DELETE", ""), ("GET", "/1/2")]
)
def test_unknown_route_is_not_found(method, path):
    hub = Hub()
    hub.create()
    assert hub.ask(method, path, {})[0] == 404
    assert hub.last.violations


def test_one_entry_can_be_read_only_where_that_is_switched_on():
    hub = Hub(get_one=True)
    hub.create(**SEED)
    assert hub.ask("GET", "/1") == (200, {"id": 1, "evseId": EVSE} | SEED)
    assert error(hub.ask("GET", "/2")) == (404, "id")
    assert error(hub.ask("GET", "/one")) == (400, "id")


def test_exact_duplicate_is_a_conflict():
    hub = Hub()
    hub.create(**SEED)
    status, body = hub.create("DK.SPI.E123*1", **SEED | {"validFrom": "2025-04-23T10:00:00.000Z"})
    assert (status, body["error"]["type"]) == (409, "conflict")
    assert hub.create(**SEED | {"temporaryStatus": "BLOCKED"})[0] == 201
    assert hub.ask("PATCH", "/2", {"temporaryStatus": "MAINTENANCE"})[0] == 409
    assert hub.ids() == [1, 2]
    assert hub.ask("DELETE", "/1")[0] == 204
    assert hub.create(**SEED)[0] == 201


def test_duplicate_that_is_allowed_breaks_a_rule_of_its_maker_only():
    hub = Hub(duplicates_allowed=True, api_keys=["a", "b"])
    assert hub.create(key="a", **SEED)[0] == 201
    assert hub.create(key="b", **SEED)[0] == 201
    assert hub.last.violations == ()
    assert hub.create(key="a", **SEED)[0] == 201
    assert hub.last.violations == ("a second entry for one wish",)
    assert hub.create(key="a", **SEED | {"validTo": "2025-04-23T18:00:01Z"})[0] == 201
    assert hub.last.violations == ()


def test_maker_is_kept_and_never_shown():
    hub = Hub(api_keys=["a", "b"])
    _, body = hub.create(key="b")
    assert "made_by" not in body
    assert hub.ledger.document("temporary", "1")["made_by"] == 1


def test_foreign_entries_are_listed_and_touching_one_breaks_a_rule():
    hub = Hub(api_keys=["a", "b"])
    hub.rules.configure({"entries": [THEIRS, THEIRS | {"id": 901, "status": "RESERVED"}]})
    hub.create(key="b")
    assert hub.ask("GET", "", key="a")[1][1] == {
        "id": 900,
        "temporaryStatus": "BLOCKED",
        "evseId": EVSE,
        "validFrom": "2025-04-23T08:00:00Z",
    }
    assert hub.ask("PATCH", "/900", {"temporaryStatus": "RESERVED", "validTo": "2025-04-24T00:00:00Z"}, "a")[0] == 200
    assert hub.last.violations == ("touched a foreign entry",)
    assert hub.ledger.document("temporary", "900")["temporaryStatus"] == "RESERVED"
    for path, key in (("/900", "a"), ("/901", "a"), ("/1", "a")):
        assert hub.ask("DELETE", path, key=key)[0] == 204
        assert hub.last.violations == ("touched a foreign entry",)
    assert hub.ask("GET", "?activeOnly=false", key="a") == (200, [])


def test_ids_of_others_are_not_given_out_again():
    hub = Hub(entries=[THEIRS | {"id": 1}])
    assert hub.create()[1]["id"] == 2


def test_entry_of_another_needs_a_time_zone():
    with pytest.raises(ValidationError):
        Hub(entries=[THEIRS | {"valid_from": "2025-04-23T08:00:00"}])


def test_late_change_does_not_bring_a_deleted_entry_back():
    hub = Hub()
    hub.create()
    hub.ask("PATCH", "/1", {"temporaryStatus": "BLOCKED"})
    late = hub.last.change
    hub.ask("DELETE", "/1")
    hub.ledger.apply(hub.ledger.begin(NOW, "late", "", ()), late, NOW)
    assert hub.ledger.documents("temporary") == {}


def test_two_writes_about_one_thing_are_one_operation_and_reads_are_not():
    hub = Hub()
    hub.create(**SEED)
    created = hub.last.operation
    hub.create("dk.spi.e123*1")
    assert hub.last.operation == created
    hub.create("DK*SPI*E2")
    assert hub.last.operation != created
    hub.ask("PATCH", "/1", {})
    changed = hub.last.operation
    hub.ask("DELETE", "/1")
    assert hub.last.operation == changed
    hub.ids()
    read = hub.last.operation
    hub.ids()
    assert hub.last.operation != read


def test_error_names_the_field_and_a_request_id():
    hub = Hub()
    _, body = hub.ask("POST", "", {"temporaryStatus": "BLOCKED"})
    request_id = body["error"].pop("request_id")
    assert body == {
        "error": {
            "type": "invalid_request",
            "code": "missing_required_field",
            "message": "The field `evseId` is required.",
            "param": "evseId",
        }
    }
    assert request_id.startswith("req_")
    assert hub.ask("POST", "", {})[1]["error"]["request_id"] != request_id


def test_every_answer_tells_the_rate_that_is_left():
    hub = Hub()
    hub.create()
    assert hub.last.reply.headers == {
        "X-RateLimit-Limit": "120",
        "X-RateLimit-Remaining": "119",
        "X-RateLimit-Reset": str(int(NOW) + 60),
    }
    hub.ids()
    assert hub.last.reply.headers["X-RateLimit-Limit"] == "600"
    hub.ask("GET", key="unknown")
    assert hub.last.reply.headers["X-RateLimit-Remaining"] == "599"
    hub.ask("PUT", "/1")
    assert hub.last.reply.headers["X-RateLimit-Remaining"] == "118"


def test_more_than_the_limit_is_answered_429_until_the_window_ends():
    hub = Hub(writes_per_minute=2)
    answers = [hub.create(f"DK*SPI*E{number}") for number in range(3)]
    assert [status for status, _ in answers] == [201, 201, 429]
    assert hub.last.reply.headers["Retry-After"] == "60"
    assert hub.last.reply.headers["X-RateLimit-Remaining"] == "0"
    assert hub.last.violations
    assert hub.ids() == [1, 2]
    hub.now += 59.5
    assert hub.create("DK*SPI*E3")[0] == 429
    assert hub.last.reply.headers["Retry-After"] == "1"
    hub.now += 0.5
    assert hub.create("DK*SPI*E3")[0] == 201


def test_scripted_answer_has_spiriis_shape_and_the_rate():
    hub = Hub()
    hub.create()
    reply = hub.rules.fault_reply(FaultSpec(kind="rate_limit", retry_after="7"), hub.last)
    assert (reply.status, json.loads(reply.text)["error"]["type"]) == (429, "rate_limit_exceeded")
    assert (reply.headers["Retry-After"], reply.headers["X-RateLimit-Remaining"]) == ("7", "0")
    reply = hub.rules.fault_reply(FaultSpec(kind="status", status=503, code="maintenance"), hub.last)
    assert json.loads(reply.text)["error"]["code"] == "maintenance"
    assert reply.headers["X-RateLimit-Remaining"] == "119"
    assert hub.rules.check_fault(FaultSpec(kind="result_false")) is not None
    assert hub.rules.check_fault(FaultSpec(kind="status")) is None
