"""Bodies of data as Hubject publishes them, and whose EVSEs an account may show."""

import json

import pytest

from bridge.core.documents import DocumentKind
from bridge.core.model import Accepted, EvseId, Refused, WrongAction
from bridge.listing_file.evse_data import EvseDataRecordType
from bridge.upstreams.oicp import Oicp, OicpOptions
from bridge.upstreams.oicp_answers import Action, classify
from bridge.upstreams.oicp_data import body, record_of
from bridge.upstreams.port import Document, Record

NOBODY = "http://127.0.0.1:1"


def evse(key="DE*ABC*E1", content='{"EvseID":"DE*ABC*E1","IsOpen24Hours":true}', **more):
    return Document(DocumentKind.EVSE_DATA, key, content, **more)


def test_body_is_as_in_the_published_example():
    assert body(Action.FULL_LOAD, [evse()], "DE*ABC", "ABC technologies") == {
        "ActionType": "fullLoad",
        "OperatorEvseData": {
            "EvseDataRecord": [{"EvseID": "DE*ABC*E1", "IsOpen24Hours": True}],
            "OperatorID": "DE*ABC",
            "OperatorName": "ABC technologies",
        },
    }


def test_operator_name_has_at_most_100_characters():
    sent = body(Action.INSERT, [], "DE*ABC", "x" * 200)
    assert sent["OperatorEvseData"]["OperatorName"] == "x" * 100


def test_delete_says_what_hubject_acknowledged_last():
    (record,) = body(Action.DELETE, [evse(content="", acked='{"A":1}')], "DE*ABC", "x")["OperatorEvseData"][
        "EvseDataRecord"
    ]
    assert record == {"A": 1, "EvseID": "DE*ABC*E1"}


def test_delete_of_data_that_was_never_acknowledged_has_every_mandatory_field():
    (record,) = body(Action.DELETE, [evse(content="")], "DE*ABC", "x")["OperatorEvseData"]["EvseDataRecord"]
    EvseDataRecordType.model_validate(record)
    assert record["EvseID"] == "DE*ABC*E1"
    assert record["IsHubjectCompatible"] is False


def test_record_tells_what_the_action_depends_on():
    assert record_of(evse(known=False)) == Record(EvseId("DE*ABC*E1"), "", known=False)
    assert record_of(evse(content="", known=True)) == Record(EvseId("DE*ABC*E1"), "", known=True, delete=True)


@pytest.mark.parametrize(
    ("action", "code", "description", "outcome"),
    [
        (Action.UPDATE, "603", None, WrongAction(known=False, why="603 Hubject does not know this EVSE")),
        (Action.DELETE, "603", None, Accepted()),
        (
            Action.INSERT,
            "022",
            "EVSE data record already exists",
            WrongAction(known=True, why="022 data error: EVSE data record already exists"),
        ),
        (Action.INSERT, "018", None, Refused("018 EVSE id does not fit the operator, or is there twice")),
        (Action.INSERT, "604", None, Refused("604 EVSE is not Hubject compatible")),
    ],
)
def test_codes_mean_for_data_what_they_mean_for_statuses(action, code, description, outcome):
    text = json.dumps({"Result": False, "StatusCode": {"Code": code, "Description": description}})
    assert classify(200, {}, text, action=action, records=[record_of(evse())], now=None) == (outcome, code)


def test_validation_errors_name_the_records_of_a_full_load():
    sent = [record_of(evse(f"DE*ABC*E{n}")) for n in range(3)]
    error = {"fieldReference": "operatorEvseData.evseDataRecord[1].hotlinePhoneNumber", "errorMessage": "must match"}
    text = json.dumps({"message": "Error parsing/validating JSON.", "validationErrors": [error]})
    outcome, code = classify(400, {}, text, action=Action.FULL_LOAD, records=sent, now=None)
    assert (outcome, code) == (Refused("HTTP 400", named=("DEABCE1",)), "")


# --- whose EVSEs ----------------------------------------------------------------------------------------------------


@pytest.fixture
async def hub_operator():
    made = Oicp(OicpOptions(NOBODY, "DE*HUB", data_operator_name="Hub", sub_operator_ids=("DEABC", "+49*810")))
    yield made
    await made.close()


async def test_foreign_evse_is_refused_without_a_call(hub_operator):
    answers = [
        await hub_operator.push(Record(EvseId("DE*XYZ*E1"), "Available")),
        await hub_operator.push_document(evse("DE*XYZ*E1")),
    ]
    why = "DE*XYZ*E1 does not belong to DE*HUB or a sub-operator: it was not sent"
    assert [(answer.outcome, answer.http, answer.requests) for answer in answers] == [(Refused(why), None, 0)] * 2


async def test_full_load_names_foreign_evses_without_a_call(hub_operator):
    ids = [EvseId("DE*HUB*E1"), EvseId("DE*XYZ*E1"), EvseId("DE*XYZ*E2")]
    statuses = await hub_operator.full_load([Record(id_, "Available") for id_ in ids])
    data = await hub_operator.full_load_documents([evse(id_) for id_ in ids])
    refused = Refused(
        "its id does not belong to DE*HUB or a sub-operator: it was not sent", named=("DEXYZE1", "DEXYZE2")
    )
    assert [answer.outcome for answer in (statuses, data)] == [refused] * 2
    assert [answer.requests for answer in (statuses, data)] == [0, 0]


@pytest.mark.parametrize(
    ("evse_id", "owned"),
    [
        ("DE*HUB*E1", True),
        ("DEHUBE1", True),
        ("DE*ABC*E1", True),
        ("DEABCE1", True),
        ("+49*810*000*438", True),
        ("49*810*000", True),
        ("DE*XYZ*E1", False),
        ("AT*HUB*E1", False),
        ("+49*811*000*438", False),
        ("+4*981*000", False),
    ],
)
async def test_evse_belongs_by_its_operator_part_in_any_spelling(hub_operator, evse_id, owned):
    assert hub_operator.owns(EvseId(evse_id)) is owned
