"""Identifiers: the vectors in full, and what an error says."""

import json
from pathlib import Path

import pytest

from bridge.core.identifiers import InvalidId, canonical, parse_evse_id, parse_operator_id

VECTORS = json.loads((Path(__file__).parents[3] / "vectors" / "ids.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("row", VECTORS["evse_valid"], ids=[row["in"] for row in VECTORS["evse_valid"]])
def test_valid_evse_id(row: dict[str, str]) -> None:
    evse_id = parse_evse_id(row["in"])
    assert evse_id == row["wire"]
    assert canonical(evse_id) == row["canonical"]


@pytest.mark.parametrize("text", VECTORS["evse_invalid"], ids=[ascii(text) for text in VECTORS["evse_invalid"]])
def test_invalid_evse_id(text: str) -> None:
    with pytest.raises(InvalidId) as caught:
        parse_evse_id(text)
    assert (caught.value.field, caught.value.value) == ("evse_id", text)
    assert "DE*ABC*E123*1" in str(caught.value)


@pytest.mark.parametrize("text", VECTORS["operator_valid"])
def test_valid_operator_id(text: str) -> None:
    assert parse_operator_id(text) == text


def test_operator_id_is_upper_cased() -> None:
    assert parse_operator_id("de*a36") == "DE*A36"


@pytest.mark.parametrize(
    "text", [*VECTORS["operator_invalid"], "DE*A36\n", "ß*A36", "DE*A3\N{ARABIC-INDIC DIGIT ONE}"], ids=ascii
)
def test_invalid_operator_id(text: str) -> None:
    with pytest.raises(InvalidId) as caught:
        parse_operator_id(text)
    assert (caught.value.field, caught.value.value) == ("operator", text)
    assert "DE*ABC" in str(caught.value)


def test_two_evses_may_share_one_canonical_key() -> None:
    ids = [parse_evse_id(text) for text in VECTORS["canonical_collision"]["ids"]]
    assert ids[0] != ids[1]
    assert {canonical(evse_id) for evse_id in ids} == {VECTORS["canonical_collision"]["canonical"]}


@pytest.mark.parametrize("pair", VECTORS["same_evse"], ids=["-".join(pair) for pair in VECTORS["same_evse"]])
def test_spellings_of_one_evse_share_one_canonical_key(pair: list[str]) -> None:
    assert len({canonical(parse_evse_id(text)) for text in pair}) == 1


LENGTHS = [
    ("DE*ABC*E" + "1" * 30, True),
    ("DE*ABC*E" + "1" * 31, False),
    ("+49*810*" + "1" * 32, True),
    ("+49*810*" + "1" * 33, False),
    ("+4910*810*1", False),
]


@pytest.mark.parametrize(("text", "valid"), LENGTHS, ids=[f"{len(text)} characters" for text, _ in LENGTHS])
def test_longest_ids(text: str, valid: bool) -> None:
    if valid:
        assert parse_evse_id(text) == text
    else:
        with pytest.raises(InvalidId):
            parse_evse_id(text)


def test_error_shows_a_long_value_cut() -> None:
    with pytest.raises(InvalidId) as caught:
        parse_evse_id("x" * 5000)
    assert len(str(caught.value)) < 600
