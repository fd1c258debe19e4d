"""chargeprice: every row of the vectors, and what may be overridden."""

import json
from pathlib import Path

import pytest

from bridge.core.mapping import ImpossibleWord, chargeprice
from bridge.core.model import EvseStatus

FOLDER = Path(__file__).parents[4] / "vectors"
VECTORS = json.loads((FOLDER / "mapping.json").read_text(encoding="utf-8"))
PRECEDENCE = json.loads((FOLDER / "precedence.json").read_text(encoding="utf-8"))["rows"]
ROWS = sorted(
    {(row["effective"], row["chargeprice"]) for rows in ("ocpp16", "ocpp2", "other") for row in VECTORS[rows]}
)


def test_words_are_the_standards_enum() -> None:
    assert sorted(chargeprice.WORDS) == sorted(VECTORS["enums"]["chargeprice"])


@pytest.mark.parametrize(("effective", "word"), ROWS)
def test_each_effective_status_has_the_vectors_word(effective: str, word: str) -> None:
    assert chargeprice.TABLE[EvseStatus(effective)] == word


def test_vectors_name_every_effective_status_once() -> None:
    assert [effective for effective, _ in ROWS] == sorted(EvseStatus)
    assert set(chargeprice.TABLE) == set(EvseStatus)


def test_precedence_vectors_are_mapped_alike() -> None:
    for row in PRECEDENCE:
        assert chargeprice.TABLE[EvseStatus(row["effective"])] == row["chargeprice"]


def test_table_without_overrides_is_the_table() -> None:
    assert chargeprice.table_with({}) == chargeprice.TABLE


def test_override_replaces_one_word() -> None:
    table = chargeprice.table_with({"unknown": "maintainance"})
    assert table[EvseStatus.UNKNOWN] == "maintainance"
    assert {**table, EvseStatus.UNKNOWN: "unknown"} == chargeprice.TABLE
    assert chargeprice.TABLE[EvseStatus.UNKNOWN] == "unknown"


IMPOSSIBLE = [
    ("available", "Available"),
    ("charging", "charging"),
    ("faulted", "maintenance"),
    ("unknown", "EvseNotFound"),
    ("unknown", ""),
    ("Unknown", "unknown"),
    ("offline", "unknown"),
    ("", "unknown"),
]


@pytest.mark.parametrize(("key", "value"), IMPOSSIBLE)
def test_impossible_override_names_key_value_and_what_would_be_right(key: str, value: str) -> None:
    with pytest.raises(ImpossibleWord) as caught:
        chargeprice.table_with({key: value})
    assert (caught.value.key, caught.value.value) == (key, value)
    assert f"{key} = {value!r}" in str(caught.value)
    wanted = caught.value.wanted
    assert ("maintainance" in wanted) is (key in set(EvseStatus))
    assert ("commissioning" in wanted) is (key not in set(EvseStatus))


def test_removed_evse_is_told_as_the_hub_can_take_it() -> None:
    assert chargeprice.GONE == "unknown"


def test_tables_cannot_be_changed_in_place() -> None:
    for table in (chargeprice.TABLE, chargeprice.table_with({})):
        with pytest.raises(TypeError):
            table[EvseStatus.AVAILABLE] = "x"  # type: ignore[index]
