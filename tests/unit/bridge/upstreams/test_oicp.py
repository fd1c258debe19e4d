import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bridge.core.model import Accepted, Deferred, EvseId, Held, Refused, WrongAction
from bridge.upstreams.oicp import OicpOptions, action_of, document
from bridge.upstreams.oicp_answers import Action, classify
from bridge.upstreams.port import Record

VECTORS = json.loads((Path(__file__).parents[3] / "vectors" / "oicp_responses.json").read_text())["responses"]
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
OPTIONS = OicpOptions("https://service.hubject.com/api/oicp", "DE*ABC", "ABC technologies")


def records(count):
    return [Record(EvseId(f"DE*ABC*E{n}"), "Available") for n in range(1, count + 1)]


def reply(status, body, *, action=Action.UPDATE, sent=None, headers=None):
    text = body if isinstance(body, str) else json.dumps(body)
    outcome, code = classify(
        status, headers or {}, text, action=action, records=records(1) if sent is None else sent, now=NOW
    )
    return outcome, code


def ack(code, *, result=False, description=None, info=None):
    return {"Result": result, "StatusCode": {"Code": code, "Description": description, "AdditionalInfo": info}}


def verdict(outcome):
    match outcome:
        case Accepted():
            return "accepted"
        case Deferred():
            return "deferred"
        case Held():
            return "held"
        case WrongAction(known=False):
            return "retry_as_insert"
        case WrongAction(known=True):
            return "retry_as_update"
        case Refused(named=()):
            return "refused"
        case Refused():
            return "refused_named"


@pytest.mark.row("T33", "T34")
@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: f"{v['http']}-{v['why']}")
def test_every_answer_means_what_the_vectors_say(vector):
    action = Action(vector.get("action", "update"))
    outcome, code = reply(vector["http"], vector["body"], action=action, sent=records(vector.get("records", 1)))

    # To fall back to singles is what the lane does on a fullLoad that is refused without naming a record.
    assert verdict(outcome) == vector["verdict"].replace("fall_back_to_singles", "refused")
    body = vector["body"] if isinstance(vector["body"], dict) else {}
    assert code == body.get("StatusCode", {}).get("Code", "")


def test_vectors_are_the_whole_table():
    assert len(VECTORS) == 46
    assert {v["verdict"] for v in VECTORS} == {
        "accepted",
        "deferred",
        "refused",
        "held",
        "retry_as_insert",
        "refused_named",
        "fall_back_to_singles",
    }


@pytest.mark.parametrize("status", [302, 404, 409, 429, 500, 503])
def test_success_in_words_is_none_without_2xx(status):
    outcome, _ = reply(status, ack("000", result=True))
    assert not isinstance(outcome, Accepted)


def test_fullload_refusal_names_the_records_it_lists():
    info = "EVSE data records missing for EvseIDs: DEABCE1,DEABCE2"
    outcome, code = reply(200, ack("603", info=info), action=Action.FULL_LOAD, sent=records(500))
    assert outcome == Refused("603 Hubject does not know this EVSE", named=("DEABCE1", "DEABCE2"))
    assert code == "603"


def test_last_id_of_a_list_that_was_cut_is_ignored():
    head = "KO EVSE data records missing for EvseIDs: "
    listed = ",".join(f"DEABCE{n}" for n in range(100, 300))
    info = (head + listed)[:1000]
    assert info.endswith(",DEABCE19")
    sent = [Record(EvseId(f"DE*ABC*E{n}"), "Available") for n in (19, 100, 101, 219)]

    outcome, _ = reply(200, ack("603", info=info), action=Action.FULL_LOAD, sent=sent)

    assert outcome.named == ("DEABCE100", "DEABCE101")


def test_ids_that_were_not_sent_are_not_named():
    outcome, _ = reply(200, ack("603", info="... EvseIDs: DEXYZE9"), action=Action.FULL_LOAD, sent=records(3))
    assert outcome == Refused("603 Hubject does not know this EVSE")


def test_fullload_with_a_duplicate_that_is_not_named_names_the_ids_that_differ_in_separators_alone():
    ids = ("DE*ABC*E1*11", "DE*ABC*E2*1", "DE*ABC*E11*1")
    sent = [Record(EvseId(evse_id), "Available") for evse_id in ids]
    why = "018 EVSE id does not fit the operator, or is there twice"
    assert reply(200, ack("018"), action=Action.FULL_LOAD, sent=sent)[0] == Refused(why, named=("DEABCE111",))
    named = ack("018", info="Inconsistent EvseIDs: DEABCE21")
    assert reply(200, named, action=Action.FULL_LOAD, sent=sent)[0] == Refused(why, named=("DEABCE21",))
    assert reply(200, ack("018"), action=Action.FULL_LOAD, sent=sent[:2])[0] == Refused(why)


def test_fullload_that_fails_validation_names_records_by_their_place():
    body = {
        "message": "Error parsing/validating JSON.",
        "validationErrors": [
            {"fieldReference": "operatorEvseStatus.evseStatusRecord[2].evseID", "errorMessage": "must match"},
            {"fieldReference": "operatorEvseStatus.evseStatusRecord[2].evseStatus", "errorMessage": "must match"},
            {"fieldReference": "operatorEvseStatus.evseStatusRecord[7].evseID", "errorMessage": "out of range"},
            {"fieldReference": "operatorEvseStatus.operatorName", "errorMessage": "too long"},
        ],
    }
    outcome, _ = reply(400, body, action=Action.FULL_LOAD, sent=records(5))
    assert outcome.named == ("DEABCE3",)


@pytest.mark.parametrize("code", ["018", "022", "603", "999", "409"])
@pytest.mark.parametrize("field", ["description", "info"])
def test_insert_of_a_record_that_exists_is_to_be_an_update(code, field):
    body = ack(code, **{field: "EVSE status records already exist for EvseIDs: DEABCE1"})
    outcome, _ = reply(200, body, action=Action.INSERT)
    assert verdict(outcome) == "retry_as_update"


def test_update_is_refused_though_the_answer_says_that_it_exists():
    outcome, _ = reply(200, ack("022", info="already exists"), action=Action.UPDATE)
    assert verdict(outcome) == "refused"


def test_delete_of_an_evse_that_hubject_does_not_know_is_done():
    outcome, _ = reply(200, ack("603"), action=Action.DELETE)
    assert outcome == Accepted()


def test_reason_reads_the_same_for_every_row():
    reasons = set()
    for record in records(3):
        body = ack("604", description="Not compatible", info=f"EVSE {record.evse_id.replace('*', '')} of DE*ABC")
        reasons.add(reply(200, body, sent=[record])[0].why)
    assert reasons == {"604 EVSE is not Hubject compatible: Not compatible EVSE … of DE*ABC"}


@pytest.mark.parametrize(
    ("status", "body", "in_doubt"),
    [
        pytest.param(200, "", True, id="empty"),
        pytest.param(200, "<html>login</html>", True, id="html"),
        pytest.param(200, {"Result": "true", "StatusCode": {"Code": "000"}}, True, id="result-not-boolean"),
        pytest.param(200, ack("000"), True, id="false-with-000"),
        pytest.param(200, ack("001", result=True), True, id="true-with-001"),
        pytest.param(200, ack("021"), False, id="plain-no"),
        pytest.param(200, ack("999"), False, id="plain-no-with-unknown-code"),
        pytest.param(408, "", True, id="408"),
        pytest.param(500, "", True, id="500"),
        pytest.param(504, "", True, id="504"),
        pytest.param(429, "", False, id="429"),
        pytest.param(302, "", False, id="302"),
    ],
)
def test_reply_that_does_not_prove_refusal_is_in_doubt(status, body, in_doubt):
    outcome, _ = reply(status, body)
    assert isinstance(outcome, Deferred)
    assert outcome.in_doubt is in_doubt


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("120", 120), ("Fri, 20 Nov 2026 12:02:00 GMT", 120), ("soon", None)],
    ids=["seconds", "date", "nonsense"],
)
def test_retry_after_is_read(value, seconds):
    outcome, _ = reply(429, "", headers={"Retry-After": value})
    assert outcome.retry_after_s == seconds


@pytest.mark.parametrize(
    "body",
    ["[" * 60_000, "[]", "null", '{"StatusCode": []}', '{"StatusCode": {"Code": 0}, "Result": true}', "1" * 5000],
    ids=["deep", "array", "null", "odd-code", "numeric-code", "huge-number"],
)
def test_hostile_body_is_no_proof_of_anything(body):
    outcome, _ = reply(200, body)
    assert verdict(outcome) == "deferred"
    assert outcome.in_doubt


def test_foreign_text_is_cut():
    outcome, _ = reply(200, ack("022", description="x" * 5000 + "\nsecret"))
    assert len(outcome.why) == 256
    assert "\n" not in outcome.why


@pytest.mark.parametrize(
    ("record", "action"),
    [
        (Record(EvseId("DE*ABC*E1"), "Available"), "update"),
        (Record(EvseId("DE*ABC*E1"), "Available", known=True), "update"),
        (Record(EvseId("DE*ABC*E1"), "Available", known=False), "insert"),
        (Record(EvseId("DE*ABC*E1"), "", known=False, delete=True), "delete"),
    ],
    ids=["not-learnt", "known", "unknown", "tombstone"],
)
def test_action_follows_what_hubject_knows(record, action):
    assert action_of(record, OPTIONS) == action


def test_first_contact_can_be_an_insert():
    options = OicpOptions("https://hub", "DE*ABC", action_update="insert")
    assert action_of(records(1)[0], options) == "insert"
    assert action_of(Record(EvseId("DE*ABC*E1"), "Available", known=True), options) == "update"


def test_impossible_action_is_refused_at_start():
    with pytest.raises(ValueError, match="action_update"):
        OicpOptions("https://hub", "DE*ABC", action_update="fullLoad")


def test_body_is_that_of_hubjects_example():
    assert json.dumps(document(Action.INSERT, records(1), OPTIONS)) == (
        '{"ActionType": "insert", "OperatorEvseStatus": {"EvseStatusRecord": '
        '[{"EvseID": "DE*ABC*E1", "EvseStatus": "Available"}], '
        '"OperatorID": "DE*ABC", "OperatorName": "ABC technologies"}}'
    )


def test_operator_name_is_left_out_where_there_is_none_and_cut_at_100():
    bare = document(Action.UPDATE, records(1), OicpOptions("https://hub", "DE*ABC"))
    long = document(Action.UPDATE, records(1), OicpOptions("https://hub", "DE*ABC", "x" * 120))
    assert "OperatorName" not in bare["OperatorEvseStatus"]
    assert long["OperatorEvseStatus"]["OperatorName"] == "x" * 100


def test_delete_carries_a_status_that_is_in_the_enum():
    body = document(Action.DELETE, [Record(EvseId("DE*ABC*E1"), "", delete=True)], OPTIONS)
    assert body["OperatorEvseStatus"]["EvseStatusRecord"] == [{"EvseID": "DE*ABC*E1", "EvseStatus": "OutOfService"}]
