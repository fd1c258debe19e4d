import json
import re
from pathlib import Path

import pytest

from simulators.hubs.exchange import Request
from simulators.hubs.faults import FaultSpec
from simulators.hubs.hubject import Hubject, HubjectOptions
from simulators.hubs.ledger import Change, Ledger

VECTORS = Path(__file__).parents[3] / "vectors"
IDS = json.loads((VECTORS / "ids.json").read_text())
STATUSES = json.loads((VECTORS / "mapping.json").read_text())["enums"]["oicp"]
PATH = "/api/oicp/evsepush/v21/operators/DE*ABC/status-records"


def body(action="update", *records, operator="DE*ABC", **more):
    rows = [{"EvseID": evse_id, "EvseStatus": status} for evse_id, status in records]
    return {"ActionType": action, "OperatorEvseStatus": {"EvseStatusRecord": rows, "OperatorID": operator, **more}}


GOOD = body("update", ("DE*ABC*E1", "Available"), OperatorName="ABC technologies")


def judge(document=GOOD, *, hub=None, path=PATH, method="POST", kind="application/json", ledger=None):
    raw = document if isinstance(document, bytes) else json.dumps(document).encode()
    request = Request(method, path, {} if kind is None else {"content-type": kind}, raw)
    return (hub or Hubject(HubjectOptions())).judge(request, ledger or Ledger())


def answer(judgement):
    return json.loads(judgement.reply.text)


def test_hubjects_own_example_is_accepted_in_its_own_words():
    judgement = judge(body("insert", ("DE*ABC*E1", "Available"), OperatorName="ABC technologies"))
    assert judgement.violations == ()
    assert judgement.change == Change(put={"DE*ABC*E1": "Available"}, owner="eRoamingPushEvseStatus of DE*ABC")
    assert judgement.reply.status == 200
    assert answer(judgement) == {
        "Result": True,
        "StatusCode": {"Code": "000", "Description": None, "AdditionalInfo": None},
        "SessionID": None,
        "CPOPartnerSessionID": None,
        "EMPPartnerSessionID": None,
    }
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", judgement.reply.headers["Process-ID"])


def test_operator_in_the_path_may_be_percent_encoded():
    assert judge(path=PATH.replace("*", "%2A")).reply.code == "000"


@pytest.mark.parametrize("status", STATUSES)
def test_statuses_of_oicp_are_taken(status):
    assert judge(body("update", ("DE*ABC*E1", status))).reply.code == "000"


@pytest.mark.parametrize("status", ["Blocked", "Charging", "Inoperative", "Out of order", "available", "", None, 1])
def test_other_statuses_are_not(status):
    judgement = judge(body("update", ("DE*ABC*E1", status)))
    assert judgement.reply.status == 400
    assert judgement.change is None
    assert answer(judgement)["validationErrors"][0]["fieldReference"] == (
        "operatorEvseStatus.evseStatusRecord[0].evseStatus"
    )


@pytest.mark.parametrize("case", IDS["evse_valid"], ids=lambda case: case["in"])
def test_evse_ids_are_taken_as_they_go_on_the_wire(case):
    judgement = judge(body("update", (case["wire"], "Available")))
    assert judgement.reply.status == 200


@pytest.mark.parametrize("evse_id", [*IDS["evse_invalid"], "de*abc*e1", "DE*ABC*e1"])
def test_other_evse_ids_are_not(evse_id):
    judgement = judge(body("update", (evse_id, "Available")))
    assert judgement.reply.status == 400
    assert judgement.violations


@pytest.mark.parametrize("action", ["Update", "fullload", "upsert", None, 1])
def test_other_actions_are_not_taken(action):
    assert judge(body(action, ("DE*ABC*E1", "Available"))).reply.status == 400


@pytest.mark.parametrize(
    "document",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"[" * 100_000, id="deep"),
        pytest.param([], id="array"),
        pytest.param({}, id="nothing"),
        pytest.param(GOOD | {"Extra": 1}, id="unknown-field"),
        pytest.param(body("update", ("DE*ABC*E1", "Available"), Extra=1), id="unknown-inner-field"),
        pytest.param(body("update", ("DE*ABC*E1", "Available"), OperatorName="x" * 101), id="long-name"),
        pytest.param(body("update", ("DE*ABC*E1", "Available"), OperatorName=None), id="null-name"),
        pytest.param({"ActionType": "update", "OperatorEvseStatus": {"OperatorID": "DE*ABC"}}, id="no-records"),
        pytest.param(
            {"ActionType": "update", "OperatorEvseStatus": {"OperatorID": "DE*ABC", "EvseStatusRecord": [1]}},
            id="odd-record",
        ),
        pytest.param(
            {
                "ActionType": "update",
                "OperatorEvseStatus": {
                    "OperatorID": "DE*ABC",
                    "EvseStatusRecord": [{"EvseID": "DE*ABC*E1", "EvseStatus": "Available", "EVSEStatus": "x"}],
                },
            },
            id="unknown-record-field",
        ),
    ],
)
def test_body_that_breaks_the_schema_gets_a_validation_error(document):
    judgement = judge(document)
    assert judgement.reply.status == 400
    assert answer(judgement)["message"] == "Error parsing/validating JSON."
    assert judgement.violations
    assert judgement.change is None


@pytest.mark.parametrize(
    ("request_options", "status"),
    [
        ({"path": PATH.removeprefix("/api/oicp")}, 404),
        ({"path": PATH + "/"}, 404),
        ({"method": "PUT"}, 405),
        ({"kind": "text/plain"}, 415),
        ({"kind": "application/vnd.api+json"}, 415),
        ({"kind": "application/json; charset=iso-8859-1"}, 415),
        ({"kind": None}, 415),
    ],
    ids=str,
)
def test_wrong_address_or_header_is_turned_away_in_html(request_options, status):
    judgement = judge(**request_options)
    assert (judgement.reply.status, judgement.reply.content_type) == (status, "text/html")
    assert len(judgement.violations) == 1


def test_content_type_may_name_utf8():
    assert judge(kind='Application/JSON; charset="UTF-8"').reply.status == 200


@pytest.mark.parametrize(
    "options", [{"path": PATH.replace("DE*ABC", "DE*XYZ")}, {"document": body(operator="DEABC")}], ids=["path", "body"]
)
def test_unknown_operator_is_no_partner(options):
    judgement = judge(**options)
    assert judgement.reply.status == 404
    assert answer(judgement) == {
        "StatusCode": {"Code": "300", "Description": "Partner not found", "AdditionalInfo": None}
    }


def test_evse_of_another_operator_is_inconsistent():
    assert judge(body("update", ("DE*XYZ*E1", "Available"))).reply.code == "018"
    hub = Hubject(HubjectOptions(sub_operator_ids=("DE*XYZ",)))
    assert judge(body("update", ("DE*XYZ*E1", "Available")), hub=hub).reply.code == "000"


def test_evse_that_is_there_twice_is_inconsistent():
    judgement = judge(body("fullLoad", ("DE*ABC*E1", "Available"), ("DE*ABC*E1", "Occupied")))
    assert judgement.reply.code == "018"
    assert judgement.violations == ("an EvseID is there twice",)


def test_ids_that_differ_in_separators_alone_are_refused_together_and_break_no_rule():
    judgement = judge(body("fullLoad", ("DE*ABC*E1*11", "Available"), ("DE*ABC*E11*1", "Available")))
    assert judgement.reply.code == "018"
    assert judgement.violations == ()


def test_bundle_is_applied_but_noted():
    judgement = judge(body("update", ("DE*ABC*E1", "Available"), ("DE*ABC*E2", "Available")))
    assert judgement.reply.code == "000"
    assert judgement.violations == ("2 records in one update: status changes go one at a time",)


def test_evse_without_data_is_missing_and_nothing_is_applied():
    hub = Hubject(HubjectOptions(evse_data=("DE*ABC*E1",)))
    judgement = judge(body("fullLoad", *((f"DE*ABC*E{n}", "Available") for n in (1, 2, 3))), hub=hub)
    assert judgement.reply.status == 200
    assert judgement.change is None
    assert answer(judgement)["Result"] is False
    assert answer(judgement)["StatusCode"] == {
        "Code": "603",
        "Description": "One or more EVSE data record not found!",
        "AdditionalInfo": "EVSE data records missing for EvseIDs: DEABCE2,DEABCE3",
    }


def test_additional_info_is_cut_at_1000_characters():
    hub = Hubject(HubjectOptions(evse_data=()))
    judgement = judge(body("fullLoad", *((f"DE*ABC*E{n}", "Available") for n in range(500))), hub=hub)
    assert len(answer(judgement)["StatusCode"]["AdditionalInfo"]) == 1000


@pytest.mark.parametrize(
    ("action", "there", "code"),
    [
        ("update", False, "603"),
        ("update", True, "000"),
        ("insert", False, "000"),
        ("insert", True, "022"),
        ("delete", False, "603"),
        ("delete", True, "000"),
        ("fullLoad", False, "000"),
        ("fullLoad", True, "000"),
    ],
)
@pytest.mark.parametrize("strict", [True, False], ids=["strict", "lenient"])
def test_what_is_held_counts_only_where_strict_known(action, there, code, strict):
    ledger = Ledger()
    if there:
        ledger.apply(ledger.begin(0, "x", "insert", ()), Change(put={"DE*ABC*E1": "Available"}), 0)
    hub = Hubject(HubjectOptions(strict_known=strict))
    judgement = judge(body(action, ("DE*ABC*E1", "Occupied")), hub=hub, ledger=ledger)
    assert judgement.reply.code == (code if strict else "000")


def test_full_load_in_chunks_or_empty_is_noted():
    ledger = Ledger()
    first = judge(body("fullLoad", ("DE*ABC*E1", "Available")), ledger=ledger)
    ledger.apply(ledger.begin(0, "x", "fullLoad", ()), first.change, 0)
    assert first.violations == ()
    again = judge(body("fullLoad", ("DE*ABC*E1", "Available"), ("DE*ABC*E2", "Unknown")), ledger=ledger)
    assert again.violations == ()
    assert "in chunks" in judge(body("fullLoad", ("DE*ABC*E3", "Available")), ledger=ledger).violations[0]
    assert "empty" in judge(body("fullLoad"), ledger=ledger).violations[0]


def test_full_load_of_another_operator_withdraws_nothing():
    ledger, hub = Ledger(), Hubject(HubjectOptions(operator_ids=("DE*ABC", "DE*XYZ")))
    for operator in ("DE*ABC", "DE*XYZ"):
        document = body("fullLoad", (f"{operator}*E1", "Available"), operator=operator)
        judgement = judge(document, hub=hub, path=PATH.replace("DE*ABC", operator), ledger=ledger)
        assert judgement.violations == ()
        ledger.apply(ledger.begin(0, "x", "fullLoad", ()), judgement.change, 0)
    assert ledger.state(1) == {"DE*ABC*E1": "Available", "DE*XYZ*E1": "Available"}


def test_scripted_refusal_of_one_evse_in_a_full_load_names_it():
    hub = Hubject(HubjectOptions())
    judgement = judge(body("fullLoad", *((f"DE*ABC*E{n}", "Available") for n in (1, 2, 3))), hub=hub)
    reply = hub.fault_reply(FaultSpec(kind="result_false", code="603", evse=["DE*ABC*E2"]), judgement)
    assert json.loads(reply.text)["StatusCode"]["AdditionalInfo"] == "EVSE data records missing for EvseIDs: DEABCE2"
    assert reply.code == "603"


def test_scripted_status_can_carry_a_code_or_any_text():
    hub = Hubject(HubjectOptions())
    with_code = hub.fault_reply(FaultSpec(kind="status", status=401, code="017"), judge())
    with_text = hub.fault_reply(
        FaultSpec(kind="status", status=403, text="<html>403 Forbidden</html>", content_type="text/html"), judge()
    )
    assert json.loads(with_code.text)["StatusCode"]["Code"] == "017"
    assert (with_text.status, with_text.content_type, with_text.text) == (
        403,
        "text/html",
        "<html>403 Forbidden</html>",
    )
