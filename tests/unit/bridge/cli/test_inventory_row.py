"""What people write of one EVSE or station becomes an edit, or a line that says what would be right."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bridge.cli.inventory_row import (
    NoEdit,
    Row,
    change_of,
    condition_of,
    differences,
    differs_from,
    document_of,
    row_of_file,
)
from bridge.core.etags import etag_of
from bridge.web.inventory_shapes import InventoryConnector, InventoryEvse, InventoryStation
from tests.integration.web.fake_inventory_edits import EVSE, STATION

OF_EVSE, OF_STATION = Row("DE*ABC*E1", is_station=False), Row("CS-1", is_station=True)

SETTINGS = [
    pytest.param(OF_EVSE, "operator=other", {"operator": "other"}, id="text"),
    pytest.param(OF_EVSE, "chargeprice_point=12", {"chargeprice_point": "12"}, id="text that is a number"),
    pytest.param(OF_EVSE, "chargeprice_point=", {"chargeprice_point": ""}, id="nothing"),
    pytest.param(OF_EVSE, "spirii=true", {"spirii": True}, id="yes"),
    pytest.param(
        OF_EVSE,
        'connectors=[{"connector": 2}]',
        {"connectors": (InventoryConnector(connector=2),)},
        id="a list as JSON",
    ),
    pytest.param(OF_STATION, "security=2", {"security": "2"}, id="a word that is a number"),
    pytest.param(OF_STATION, "ping_seconds=30", {"ping_seconds": 30}, id="number"),
    pytest.param(OF_STATION, "ping_seconds=null", {"ping_seconds": None}, id="none"),
    pytest.param(OF_STATION, 'quirks=["alfen"]', {"quirks": ("alfen",)}, id="names"),
]


@pytest.mark.parametrize(("row", "text", "wanted"), SETTINGS)
def test_a_setting_is_taken_as_its_member_means_it(row: Row, text: str, wanted: dict[str, Any]) -> None:
    change = change_of(row, [text], {})
    assert {name: getattr(change, name) for name in change.model_fields_set} == wanted


MISTAKES = [
    pytest.param(OF_EVSE, [], "nothing is to be different", id="nothing"),
    pytest.param(OF_EVSE, ["operator"], "should be NAME=VALUE; names are operator, chargeprice_station", id="no value"),
    pytest.param(OF_EVSE, ["layer0=source"], "names are operator", id="a member of stations"),
    pytest.param(OF_STATION, ["layer0=up"], "layer0: Input should be 'downgrade'", id="no word of its own"),
    pytest.param(OF_STATION, ["key=0123456789abcdef"], "--key-file or --generate-key", id="a key as an argument"),
    pytest.param(OF_EVSE, ["generate_key=true"], "--key-file or --generate-key", id="a key of an EVSE"),
]


@pytest.mark.parametrize(("row", "settings", "said"), MISTAKES)
def test_what_is_no_edit_says_what_would_be_right(row: Row, settings: list[str], said: str) -> None:
    with pytest.raises(NoEdit) as refused:
        change_of(row, settings, {})
    assert said in str(refused.value)
    assert "0123456789abcdef" not in str(refused.value)


def test_a_key_of_an_evse_is_no_edit() -> None:
    with pytest.raises(NoEdit, match="generate_key"):
        change_of(OF_EVSE, [], {}, key=None, generate_key=True)


@pytest.mark.parametrize("shown", [EVSE, STATION], ids=["EVSE", "station"])
def test_what_is_shown_is_taken_back_as_an_edit_of_what_was_seen(shown: InventoryEvse | InventoryStation) -> None:
    row, given, tag = row_of_file(json.dumps(document_of(shown)))
    assert row == (OF_EVSE if shown is EVSE else OF_STATION)
    assert tag is not None
    assert condition_of(tag).tags == {etag_of(shown.model_dump(mode="json"))}
    assert differs_from(change_of(row, [], given), shown) == []


def test_a_setting_counts_before_the_file() -> None:
    _, given, _ = row_of_file(json.dumps(document_of(STATION)))
    assert differs_from(change_of(OF_STATION, ["strict=true"], given), STATION) == ["strict: is false, you want true"]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"station": 7}', '{"station": "x", "etag": 7}', "[" * 100_000])
def test_a_file_that_is_no_row_is_refused(text: str) -> None:
    with pytest.raises(NoEdit, match="--from: "):
        row_of_file(text)


@pytest.mark.parametrize("tag", ['"4f9d"', "4f9d"])
def test_an_etag_is_known_with_its_quotes_and_without(tag: str) -> None:
    assert condition_of(tag).tags == {'"4f9d"'}


@pytest.mark.parametrize("tag", ["", '"', "a b", "a\nb", 'a"b', "é"])
def test_what_is_no_etag_is_refused(tag: str) -> None:
    with pytest.raises(NoEdit, match="--if-match: "):
        condition_of(tag)


def test_what_has_changed_is_told_member_by_member() -> None:
    now = STATION.model_copy(update={"strict": True, "certificate_name": "a\nb"})
    assert differences(STATION, now) == ["certificate_name: was , is a␊b", "strict: was false, is true"]
