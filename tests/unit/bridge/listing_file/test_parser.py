"""The file as a whole: TOML, known sections, nothing twice."""

from __future__ import annotations

import pytest

from bridge.listing_file import ListingInvalid, parse_listing


def mistakes(content: bytes | str) -> list[str]:
    with pytest.raises(ListingInvalid) as caught:
        parse_listing(content)
    return str(caught.value).splitlines()


def test_an_empty_file_lists_nothing() -> None:
    listing = parse_listing(b"\xef\xbb\xbf# nothing\n")
    assert (listing.evse_data, listing.stations, listing.warnings) == ((), (), ())


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param(b"a = \xff", "the file: is not UTF-8 (byte 4); save it as UTF-8", id="not UTF-8"),
        pytest.param("[hubject", "the file: cannot be read as TOML", id="not TOML"),
        pytest.param("[hubjekt]", "hubjekt: is no section; there are: hubject, chargeprice", id="unknown section"),
        pytest.param("hubject = 1", "hubject: should be a table, for example [hubject.defaults]", id="no table"),
        pytest.param("[[hubject.evse]]", "hubject.evse 1 EvseID: is missing: the EVSE's id", id="no EvseID"),
        pytest.param('[[hubject.evse]]\nEvseID = "DE-ABC"', 'hubject.evse "DE-ABC" EvseID', id="impossible EvseID"),
    ],
)
def test_what_is_wrong_is_said(content: bytes | str, said: str) -> None:
    assert mistakes(content)[0].startswith(said)
