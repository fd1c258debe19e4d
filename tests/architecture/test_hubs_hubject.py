"""docs/hubs.md and docs/evse-data.md say what the code does with Hubject: every row is tried, every code has one."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any, Literal, get_args, get_origin

import pytest
from pydantic import BaseModel

from bridge.core.model import EvseId
from bridge.listing_file.evse_data import EvseDataRecordType
from bridge.upstreams import oicp_answers
from bridge.upstreams.oicp_answers import Action
from bridge.upstreams.port import Record
from tests.architecture.hubs_tables import (
    DOCS,
    HUBS,
    PAGE,
    documented_statuses,
    named_in,
    of_rows,
    rows,
    said,
    statuses,
)

DATA = (DOCS / "evse-data.md").read_text(encoding="utf-8")
NOW = datetime(2026, 5, 1, tzinfo=UTC)
SINGLE = (Record(EvseId("DE*ABC*E1"), "Available"),)


def ack(result: object, code: str, info: str | None = None) -> str:
    return json.dumps({"Result": result, "StatusCode": {"Code": code, "Description": "x", "AdditionalInfo": info}})


OICP_BODIES = {
    "nothing": [""],
    "a page": [PAGE],
    "no `Result`": [json.dumps({"StatusCode": {"Code": "000"}})],
    "`Result` true, code 001": [ack(True, "001")],
    "`Result` true, unlisted code": [ack(True, "999")],
    "`Result` false, code 000": [ack(False, "000")],
    "`validationErrors` with the record's number": [
        json.dumps({"validationErrors": [{"fieldReference": "x.evseStatusRecord[0].evseID", "errorMessage": "bad"}]})
    ],
    "errors": [json.dumps({"message": "Error parsing/validating JSON."}), ack(False, "999")],
    "any": ["", PAGE, json.dumps({"message": "no"}), ack(False, "999")],
}


def oicp_said(status: int, text: str, action: Action) -> str:
    outcome, _ = oicp_answers.classify(status, {}, text, action=action, records=SINGLE, now=NOW)
    return said(outcome)


def codes_of(cell: str) -> dict[str, str]:
    """Code → meaning, of a cell such as "001 system error; 002 database error"; empty where it names none."""
    found = (part.partition(" ") for part in cell.split("; "))
    return {code: meaning for code, _, meaning in found if code.isdecimal()}


@pytest.mark.parametrize("row", of_rows("oicp codes"))
def test_every_code_of_hubject_does_what_is_written(row: list[str]) -> None:
    actions = (Action.UPDATE, Action.INSERT, Action.DELETE, Action.FULL_LOAD)
    for code in codes_of(row[0]) or ["999", "401"]:
        text = ack(code == oicp_answers.SUCCESS, code, info="for EvseIDs: DEABCE1")
        for action, expected in zip(actions, row[1:], strict=True):
            assert oicp_said(200, text, action) == expected, (code, action)
            if code in oicp_answers.TRANSIENT:
                assert {oicp_said(status, text, action) for status in (400, 404, 429)} == {expected}
                assert {oicp_said(status, text, action) for status in (408, 500, 503)} == {f"{expected}, in doubt"}
            elif codes_of(row[0]) and code != oicp_answers.SUCCESS:
                assert {oicp_said(status, text, action) for status in (400, 401, 403, 404, 500)} == {expected}


def test_every_code_of_hubject_is_written_down_with_its_meaning() -> None:
    documented: dict[str, str] = {}
    for row in rows("oicp codes"):
        found = codes_of(row[0])
        assert not documented.keys() & found.keys()
        documented |= found
    success = documented.pop("000")
    assert success == "success, where HTTP is 2xx and `Result` true"
    assert documented == oicp_answers.TRANSIENT | oicp_answers.DATA_ERRORS | oicp_answers.ACCOUNT_ERRORS


@pytest.mark.parametrize("row", of_rows("oicp http"))
def test_every_http_status_of_hubject_does_what_is_written(row: list[str]) -> None:
    for status in statuses(row[0], named_in("oicp http")):
        for text in (text for body in row[1].split("; ") for text in OICP_BODIES[body]):
            for action in (Action.UPDATE, Action.DELETE):
                assert oicp_said(status, text, action) == row[2], (status, text, action)
            assert oicp_said(status, text, Action.FULL_LOAD) == row[3], (status, text)


def test_every_http_status_of_hubject_is_written_down() -> None:
    assert documented_statuses("oicp http") == set(range(200, 600))
    assert {str(status) for status in oicp_answers.ACCOUNT_STATUSES} <= named_in("oicp http")


def test_data_errors_without_names_refuse_a_full_load_whole() -> None:
    assert "018, 022, 603 and 604 name EVSEs in AdditionalInfo" in HUBS
    assert set(oicp_answers.DATA_ERRORS) == {"018", "022", "603", "604"}
    for code in oicp_answers.DATA_ERRORS:
        assert oicp_said(200, ack(False, code), Action.FULL_LOAD) == "refused"


@pytest.mark.parametrize(("status", "code"), [(409, ""), (400, ""), (200, "022"), (200, "999")])
def test_insert_refused_as_existing_becomes_an_update(status: int, code: str) -> None:
    assert 'refused, or answered with an unlisted code, in words such as "already exists" becomes an `update`' in (
        HUBS.replace("\n", " ")
    )
    body = json.dumps({"Result": False, "StatusCode": {"Code": code, "Description": "record already exists"}})
    assert oicp_said(status, body, Action.INSERT) == "update instead"


# --- EvseData ---------------------------------------------------------------------------------------------------------


def choices(annotation: Any, name: str) -> dict[str, tuple[str, ...]]:
    """Field → its allowed words, through optional ones, lists and tables."""
    if get_origin(annotation) is Literal:
        return {name: get_args(annotation)}
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        parts = (
            choices(field.annotation, f"{name}.{key}" if name else key)
            for key, field in annotation.model_fields.items()
        )
    else:
        parts = (choices(part, name) for part in get_args(annotation))
    return {key: words for part in parts for key, words in part.items()}


def test_values_of_evse_data_agree() -> None:
    documented = {field: tuple(values.split("; ")) for field, values in rows("evse data", DATA)}
    assert documented == choices(EvseDataRecordType, "")


def test_mandatory_fields_of_evse_data_agree() -> None:
    listed = DATA.partition("Mandatory: ")[2].partition(". And OpeningTimes")[0]
    wanted = [name for name, field in EvseDataRecordType.model_fields.items() if field.is_required()]
    assert listed.replace("\n", " ").split(", ") == wanted
    assert len(wanted) == 16
