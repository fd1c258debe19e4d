"""oicp: every row of the vectors, and what may be overridden."""

import json
from pathlib import Path

import pytest

from bridge.core.mapping import ImpossibleWord, oicp
from bridge.core.model import EvseStatus

FOLDER = Path(__file__).parents[4] / "vectors"
VECTORS = json.loads((FOLDER / "mapping.json").read_text(encoding="utf-8"))
PRECEDENCE = json.loads((FOLDER / "precedence.json").read_text(encoding="utf-8"))["rows"]
ROWS = sorted({(row["effective"], row["oicp"]) for rows in ("ocpp16", "ocpp2", "other") for row in VECTORS[rows]})


def test_words_are_the_standards_enum() -> None:
    assert sorted(oicp.WORDS) == sorted(VECTORS["enums"]["oicp"])


@pytest.mark.parametrize(("effective", "word"), ROWS)
def test_each_effective_status_has_the_vectors_word(effective: str, word: str) -> None:
    assert oicp.TABLE[EvseStatus(effective)] == word


def test_vectors_name_every_effective_status_once() -> None:
    assert [effective for effective, _ in ROWS] == sorted(EvseStatus)
    assert set(oicp.TABLE) == set(EvseStatus)


def test_precedence_vectors_are_mapped_alike() -> None:
    for row in PRECEDENCE:
        assert oicp.TABLE[EvseStatus(row["effective"])] == row["oicp"]


def test_table_without_overrides_is_the_table() -> None:
    assert oicp.table_with({}) == oicp.TABLE


def test_override_replaces_one_word() -> None:
    table = oicp.table_with({"unknown": "OutOfService"})
    assert table[EvseStatus.UNKNOWN] == "OutOfService"
    assert {**table, EvseStatus.UNKNOWN: "Unknown"} == oicp.TABLE
    assert oicp.TABLE[EvseStatus.UNKNOWN] == "Unknown"


IMPOSSIBLE = [
    ("available", "available"),
    ("charging", "Charging"),
    ("blocked", "Blocked"),
    ("faulted", "Out of order"),
    ("unknown", "EvseNotFound"),
    ("unknown", ""),
    ("Unknown", "Unknown"),
    ("offline", "Unknown"),
    ("", "Unknown"),
]


@pytest.mark.parametrize(("key", "value"), IMPOSSIBLE)
def test_impossible_override_names_key_value_and_what_would_be_right(key: str, value: str) -> None:
    with pytest.raises(ImpossibleWord) as caught:
        oicp.table_with({key: value})
    assert (caught.value.key, caught.value.value) == (key, value)
    assert f"{key} = {value!r}" in str(caught.value)
    wanted = caught.value.wanted
    assert ("OutOfService" in wanted) is (key in set(EvseStatus))
    assert ("commissioning" in wanted) is (key not in set(EvseStatus))


def test_evse_not_found_is_a_word_of_the_hub_that_is_never_sent() -> None:
    assert "EvseNotFound" in oicp.WORDS
    assert "EvseNotFound" not in oicp.TABLE.values()


def test_removed_evse_is_told_as_the_hub_can_take_it() -> None:
    assert oicp.GONE == ""


def test_tables_cannot_be_changed_in_place() -> None:
    for table in (oicp.TABLE, oicp.table_with({})):
        with pytest.raises(TypeError):
            table[EvseStatus.AVAILABLE] = "x"  # type: ignore[index]
