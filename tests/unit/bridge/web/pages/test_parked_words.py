"""What the pages tell somebody to do about a value that a hub does not have."""

from __future__ import annotations

import pytest

from bridge.upstreams.oicp_answers import DATA_ERRORS
from bridge.web.pages.parked_words import what_to_do

BY_ITSELF = "Tried again by itself every few hours, when the value changes, and at once with Retry now."


@pytest.mark.parametrize(
    ("state", "code", "http", "said"),
    [
        pytest.param("refused", "604", 200, "correct it in the inventory, such as DE*ABC*E1", id="no-id-of-hubject"),
        pytest.param("refused", "", 404, "chargeprice_station, chargeprice_point", id="unknown-at-chargeprice"),
        pytest.param("refused", "", 422, "Correct what the hub names", id="refused-otherwise"),
        pytest.param("refused", "999", None, "Correct what the hub names", id="a-code-that-nobody-knows"),
        pytest.param("held", "", 401, "the hub refuses the whole account", id="held"),
        pytest.param("deferred", "", 503, "it is tried again by itself", id="deferred"),
        pytest.param("in_doubt", "", None, "no answer came", id="in-doubt"),
    ],
)
def test_what_to_do_is_said_in_plain_words(state: str, code: str, http: int | None, said: str) -> None:
    assert said in what_to_do(state, code, http)


@pytest.mark.parametrize("state", ["agreed", "pending", "off", "accepted"])
def test_nothing_is_said_where_nothing_is_to_be_done(state: str) -> None:
    assert what_to_do(state, "018", 200) == ""


@pytest.mark.parametrize("code", DATA_ERRORS)
def test_each_code_that_parks_a_row_at_hubject_has_words_of_its_own(code: str) -> None:
    assert "Correct what the hub names" not in what_to_do("refused", code, 200)
    assert what_to_do("refused", code, 200).endswith(BY_ITSELF)
