from __future__ import annotations

import pytest

from csms.translation import PayloadReader, clean

TEXTS = {
    "plain": ("EV-BOX", 256, "EV-BOX"),
    "other scripts": ("Ladesäule 充電", 256, "Ladesäule 充電"),
    "cut": ("abcdef", 3, "abc"),
    "one line": ("a\r\nb\tc", 256, "a  b c"),
    "NUL and escape": ("\x00a\x1b[31m", 256, "a [31m"),
    "half a surrogate pair": ("a\ud800b", 256, "a b"),
    "turned direction of writing": ("a\u202eb", 256, "a b"),
}


@pytest.mark.parametrize(("text", "limit", "expected"), TEXTS.values(), ids=TEXTS.keys())
def test_foreign_text_becomes_one_printable_line(text: str, limit: int, expected: str) -> None:
    assert clean(text, limit) == expected


def test_each_leniency_is_noted_once_however_often_it_is_needed() -> None:
    notes: dict[str, None] = {}
    read = PayloadReader("status", {"a": 1, "b": 2, "X": "x"}, frozenset({"x"}), notes)
    assert read.text("x") == "x"
    assert list(notes) == ["status_lenient_extra", "status_lenient_key"]


def test_exact_keys_need_no_leniency() -> None:
    notes: dict[str, None] = {}
    assert PayloadReader("status", {"x": "1"}, frozenset({"x", "y"}), notes).number("x", 9) == 1
    assert list(notes) == ["status_lenient_type"]


def test_field_that_is_no_object_reads_as_an_empty_one() -> None:
    notes: dict[str, None] = {}
    read = PayloadReader("boot", {"x": [1]}, frozenset({"x"}), notes).object("x", frozenset({"y"}))
    assert read.value("y") is None
    assert list(notes) == ["boot_lenient_type"]
