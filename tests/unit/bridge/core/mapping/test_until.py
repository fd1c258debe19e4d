"""until: the literals of Chargeprice's example, and what operators read."""

from datetime import UTC, datetime

import pytest

from bridge.core.mapping import chargeprice, oicp, until

END = datetime(2020, 2, 28, 14, 8, 28, tzinfo=UTC)


def test_end_is_written_as_chargeprices_example_writes_it() -> None:
    assert until.pack("occupied", END) == "occupied until 1582898908000"
    assert until.unpack("occupied until 1582898908000") == ("occupied", 1582898908000)


def test_end_is_cut_to_the_millisecond() -> None:
    assert until.pack("occupied", END.replace(microsecond=999_999)) == "occupied until 1582898908999"


def test_words_show_as_they_are_and_ends_as_a_time() -> None:
    assert until.shown("maintainance until 1582898908000") == "maintainance until 2020-02-28 14:08:28 UTC"


@pytest.mark.parametrize("word", sorted({"", *chargeprice.WORDS, *oicp.WORDS}))
def test_every_word_without_an_end_stays_itself(word: str) -> None:
    assert until.unpack(word) == (word, None)
    assert until.shown(word) == word
