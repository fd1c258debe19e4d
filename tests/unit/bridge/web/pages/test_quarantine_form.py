"""What the form that takes a station into the inventory makes of what people choose and write."""

from __future__ import annotations

import pytest

from bridge.web.pages.forms import Form
from bridge.web.pages.quarantine_form import read_wish, suggested
from tests.unit.bridge.web.pages.test_temporary_form import HOMES


def form(**fields: str | tuple[str, ...]) -> Form:
    given = {"connector": ("",), "evse_id": ("DE*ABC*E42",), "operator": "demo", **fields}
    return Form({name: (value,) if isinstance(value, str) else value for name, value in given.items()})


def test_one_evse_alone_and_a_key_that_is_made() -> None:
    wish = read_wish(form())
    assert wish is not None
    assert (wish.evses, wish.operator, wish.generate_key, wish.key) == (("DE*ABC*E42",), "demo", True, None)


def test_each_connector_with_its_evse_and_empty_lines_left_out() -> None:
    wish = read_wish(form(connector=("1", " 2.1 ", "", ""), evse_id=("DE*A", "DE*B", "", "")))
    assert wish is not None
    assert wish.evses == ("1=DE*A", "2.1=DE*B")


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        pytest.param({"proof": "key", "key": "0123456789abcdef"}, ("0123456789abcdef", False, None, False), id="key"),
        pytest.param(
            {"proof": "certificate", "certificate_name": "CP42"}, (None, False, "CP42", False), id="certificate"
        ),
        pytest.param({"proof": "insecure"}, (None, False, None, True), id="nothing"),
        pytest.param({"proof": "generate", "key": "typed-before"}, (None, True, None, False), id="only-what-is-chosen"),
    ],
)
def test_there_is_one_way_to_prove_itself(fields: dict[str, str], told: tuple[object, ...]) -> None:
    wish = read_wish(form(**fields))
    assert wish is not None
    assert (wish.key, wish.generate_key, wish.certificate_name, wish.insecure) == told


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        pytest.param({"evse_id": ("",)}, "evse_id", id="no-evse"),
        pytest.param({"connector": ("one",)}, "connector", id="no-connector"),
        pytest.param({"operator": ""}, "operator", id="no-operator"),
        pytest.param({"proof": "key"}, "key", id="no-key"),
        pytest.param({"proof": "certificate"}, "certificate_name", id="no-name"),
    ],
)
def test_a_mistake_is_said_beside_its_field(fields: dict[str, str | tuple[str, ...]], field: str) -> None:
    given = form(**fields)
    assert read_wish(given) is None
    assert list(given.mistakes) == [field]


def test_evses_whose_station_is_away_are_suggested_first() -> None:
    assert suggested(HOMES) == [
        ("DE*ABC*E2", "CS-2"),
        ("DE*ABC*E1*1", "CS-1"),
        ("DE*ABC*E1*2", "CS-1"),
    ]
