"""What is packed into a block is what comes out of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.wire_log.block import BlockBroken, pack, unpack
from bridge.wire_log.line import Entry, Kind, Line
from tests.fuzz.effort import examples

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=200)
"""Without surrogates: none comes out of `cut_text`."""
ENTRIES = st.builds(
    Entry,
    at=st.integers(0, 2**50),
    station=st.just("CS-1"),
    epoch=st.integers(0, 2**63 - 1),
    kind=st.sampled_from(Kind),
    text=TEXTS,
    size=st.integers(0, 2**40),
    cut=st.booleans(),
)


@examples(200)
@given(st.lists(ENTRIES, max_size=20), st.integers(20, 2**62))
def test_lines_come_out_as_they_went_in_with_ids_that_count_up_to_the_last(entries: list[Entry], last: int) -> None:
    lines = unpack(pack(entries), "CS-1", last)
    assert [
        Entry((line.at - EPOCH) // MICROSECOND, line.station, line.epoch, line.kind, line.text, line.size, line.cut)
        for line in lines
    ] == entries
    assert [line.id for line in lines] == list(range(last - len(entries) + 1, last + 1))


def test_a_block_of_the_files_that_are_out_there_is_read() -> None:
    block = bytes.fromhex("9196cf00064441f0e3b078070116c2a26869")
    assert unpack(block, "CS-1", 7) == [
        Line(7, datetime(2025, 11, 23, 12, 11, 5, 280632, UTC), "CS-1", 7, Kind.FROM_STATION, "hi", 22, cut=False)
    ]


@pytest.mark.parametrize(
    "block",
    [
        b"",
        b"\xc1",
        b"\x91\x91\x01",
        b"\x91\x96\x01\x01\x09\x01\xc2\xa1x",
        bytes.fromhex("9196cf00064441f0e3b078070116c2a2e869"),
        bytes.fromhex("9196cf7f064441f0e3b078070116c2a26869"),
    ],
    ids=["empty", "none", "short", "kind", "text", "year"],
)
def test_what_is_no_block_is_not_read(block: bytes) -> None:
    with pytest.raises(BlockBroken):
        unpack(block, "CS-1", 1)
