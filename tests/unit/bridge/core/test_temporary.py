from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.core.identifiers import canonical_spelling
from bridge.core.model import EvseId, Temporary, TemporaryKind
from bridge.core.temporary import (
    EvseAmbiguous,
    EvseUnknown,
    Impossible,
    Phase,
    check_changed,
    check_new,
    duplicate_of,
    find_evse,
    in_force,
    over_before,
    parse_kind,
    parse_moment,
    phase,
    to_wire,
)

NOON = datetime(2026, 12, 1, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def temporary(begins: datetime = NOON, ends: datetime | None = NOON + HOUR, **other: object) -> Temporary:
    return Temporary(**{"kind": TemporaryKind.MAINTENANCE, "valid_from": begins, "valid_to": ends, **other})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        pytest.param("2025-04-23T10:00:00Z", datetime(2025, 4, 23, 10, tzinfo=UTC), id="seed-003"),
        pytest.param("2026-12-01T09:00:00+01:00", datetime(2026, 12, 1, 8, tzinfo=UTC), id="offset"),
        pytest.param("2026-12-01T03:30:00-04:30", datetime(2026, 12, 1, 8, tzinfo=UTC), id="half-hour-west"),
        pytest.param("2026-12-01t08:00:00z", datetime(2026, 12, 1, 8, tzinfo=UTC), id="lower-case"),
        pytest.param("2026-12-01 08:00:00Z", datetime(2026, 12, 1, 8, tzinfo=UTC), id="blank-instead-of-T"),
        pytest.param("2026-12-01T08:00:00.25Z", datetime(2026, 12, 1, 8, 0, 0, 250_000, tzinfo=UTC), id="fraction"),
        pytest.param(
            "2026-12-01T08:00:00.1239999Z", datetime(2026, 12, 1, 8, 0, 0, 123_000, tzinfo=UTC), id="cut-to-ms"
        ),
        pytest.param("2028-02-29T00:00:00Z", datetime(2028, 2, 29, tzinfo=UTC), id="leap-day"),
        pytest.param("9999-12-31T23:59:59Z", datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC), id="last-second"),
    ],
)
def test_moments_of_rfc_3339_are_read(text: str, moment: datetime) -> None:
    assert parse_moment(text, "valid_from") == moment


@pytest.mark.row("T73")
@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        pytest.param("2026-12-01T08:00:00", "has no offset from UTC: write 2026-12-01T08:00:00Z", id="no-offset"),
        pytest.param("2026-02-30T08:00:00Z", "is no moment of the calendar", id="february-30"),
        pytest.param("2027-02-29T08:00:00Z", "is no moment of the calendar", id="no-leap-year"),
        pytest.param("2026-12-01T24:00:00Z", "is no moment of the calendar", id="hour-24"),
        pytest.param("2026-12-01T08:00:00+24:00", "is no moment of the calendar", id="offset-of-a-day"),
        pytest.param("9999-12-31T23:59:59-01:00", "is no moment of the calendar", id="beyond-9999-in-utc"),
        pytest.param("0001-01-01T00:00:00+01:00", "is no moment of the calendar", id="before-year-1-in-utc"),
        pytest.param("10000-01-01T00:00:00Z", "should be a date and time such as", id="year-10000"),
        pytest.param("2026-12-01", "should be a date and time such as", id="day-alone"),
        pytest.param("2026-12-01T08:00Z", "should be a date and time such as", id="no-seconds"),
        pytest.param("1764576000", "should be a date and time such as", id="number"),
        pytest.param("tomorrow", "should be a date and time such as", id="word"),
        pytest.param("", "should be a date and time such as", id="empty"),
        pytest.param("２026-12-01T08:00:00Z", "should be a date and time such as", id="other-digits"),
    ],
)
def test_texts_that_are_no_moment_are_refused_with_what_would_be_right(text: str, wanted: str) -> None:
    with pytest.raises(Impossible) as caught:
        parse_moment(text, "valid_to")
    assert caught.value.field == "valid_to"
    assert str(caught.value).startswith(wanted)


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        pytest.param(datetime(2025, 4, 23, 10, tzinfo=UTC), "2025-04-23T10:00:00Z", id="whole-second"),
        pytest.param(datetime(2025, 4, 23, 10, 0, 0, 5_000, tzinfo=UTC), "2025-04-23T10:00:00.005Z", id="milliseconds"),
    ],
)
def test_moments_are_shown_in_utc_with_milliseconds_only_where_there_are_any(moment: datetime, text: str) -> None:
    assert to_wire(moment) == text
    assert parse_moment(text, "valid_from") == moment


@given(
    st.from_regex(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,4})?([Zz]|[+-][0-9]{2}:[0-9]{2})")
)
def test_whatever_looks_like_a_moment_is_one_or_is_refused(text: str) -> None:
    with suppress(Impossible):
        moment = parse_moment(text, "valid_from")
        assert parse_moment(to_wire(moment), "valid_from") == moment


def test_kinds_are_those_of_the_enum_in_capitals() -> None:
    assert [parse_kind(kind) for kind in ("MAINTENANCE", "COMMISSIONING", "BLOCKED", "RESERVED")] == list(TemporaryKind)
    for wrong in ("maintenance", "OUTOFORDER", ""):
        with pytest.raises(Impossible, match="should be one of MAINTENANCE, COMMISSIONING, BLOCKED, RESERVED"):
            parse_kind(wrong)


def test_end_must_be_after_the_beginning() -> None:
    for ends in (NOON, NOON - HOUR):
        with pytest.raises(Impossible, match="should be after the beginning, 2026-12-01T12:00:00Z"):
            check_changed(temporary(ends=ends))
    check_changed(temporary(ends=NOON + timedelta(milliseconds=1)))
    check_changed(temporary(ends=None))


def test_new_one_cannot_be_over_already_but_a_change_can_end_one() -> None:
    ended = temporary(begins=NOON - 2 * HOUR, ends=NOON - HOUR)
    with pytest.raises(Impossible, match="is over already: it is 2026-12-01T12:00:00Z"):
        check_new(ended, NOON)
    check_changed(ended)


def test_reserved_cannot_be_enforced() -> None:
    with pytest.raises(Impossible, match="not shown as reserved") as caught:
        check_changed(temporary(kind=TemporaryKind.RESERVED, enforce=True))
    assert caught.value.field == "enforce"
    check_changed(temporary(kind=TemporaryKind.BLOCKED, enforce=True))


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        pytest.param(NOON - timedelta(milliseconds=1), Phase.SCHEDULED, id="just-before"),
        pytest.param(NOON, Phase.ACTIVE, id="at-its-beginning"),
        pytest.param(NOON + HOUR - timedelta(milliseconds=1), Phase.ACTIVE, id="just-before-its-end"),
        pytest.param(NOON + HOUR, Phase.OVER, id="at-its-end"),
    ],
)
def test_it_is_in_force_from_its_beginning_until_before_its_end(now: datetime, expected: Phase) -> None:
    assert phase(temporary(), now) is expected
    assert in_force(temporary(), now) is (expected is Phase.ACTIVE)


def test_without_an_end_it_is_in_force_for_ever() -> None:
    assert in_force(temporary(ends=None), NOON + 100_000 * HOUR)


def test_ended_ones_are_looked_at_for_one_more_day() -> None:
    assert over_before(NOON) == datetime(2026, 11, 30, 12, 0, tzinfo=UTC)


def test_same_wish_is_a_duplicate_whoever_enforces_it_unless_it_is_over() -> None:
    other = [(7, temporary(enforce=True))]
    assert duplicate_of(temporary(), other, NOON) == 7
    assert duplicate_of(temporary(), other, NOON + HOUR) is None
    assert duplicate_of(temporary(kind=TemporaryKind.BLOCKED), other, NOON) is None
    assert duplicate_of(temporary(ends=None), other, NOON) is None
    assert duplicate_of(temporary(begins=NOON - HOUR), other, NOON) is None


@pytest.mark.parametrize(
    "spelling", ["DE*ABC*E1", "de*abc*e1", "DEABCE1", "DE.ABC.E1", "DE-ABC-E1", " deabce1 ", "De Abc E1"]
)
def test_evse_is_found_in_any_of_its_spellings(spelling: str) -> None:
    assert canonical_spelling(spelling) == "DEABCE1"
    assert find_evse(spelling, {EvseId("DE*ABC*E1"): 5}) == 5


def test_din_ids_are_found_with_and_without_their_plus() -> None:
    assert canonical_spelling("+49*810*000*438") == canonical_spelling("49-810-000-438") == "49810000438"


def test_where_ids_collide_the_exact_spelling_wins_and_another_names_both() -> None:
    both = {EvseId("DE*ABC*E1*11"): 1, EvseId("DE*ABC*E11*1"): 2}
    assert find_evse("de*abc*e11*1", both) == 2
    assert find_evse("DE.ABC.E1.11", both) == 1
    with pytest.raises(EvseAmbiguous) as caught:
        find_evse("DEABCE111", both)
    assert str(caught.value) == "'DEABCE111' may be DE*ABC*E1*11 and DE*ABC*E11*1: write it with its separators"


def test_evse_that_the_inventory_does_not_have_is_named() -> None:
    with pytest.raises(EvseUnknown) as caught:
        find_evse("DE*ABC*E9", {})
    assert str(caught.value) == "there is no EVSE 'DE*ABC*E9' in the inventory"
