"""What the form for temporary statuses makes of what people choose and write."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bridge.core.model import TemporaryKind
from bridge.web.overview_services import EvseHome
from bridge.web.pages.forms import Form
from bridge.web.pages.temporary_form import both_of, matching, read_wish

HOMES = (
    EvseHome("DE*ABC*E1*1", "CS-1", "demo", connected=True),
    EvseHome("DE*ABC*E1*2", "CS-1", "demo", connected=True),
    EvseHome("DE*ABC*E2", "CS-2", "other", connected=False),
)


def form(**fields: str) -> Form:
    given = {"evse_ids": "DE*ABC*E1*1", "status": "BLOCKED", "zone": "Europe/Berlin", **fields}
    return Form({name.rstrip("_"): (value,) for name, value in given.items()})


def test_what_is_left_alone_is_from_now_until_it_is_removed() -> None:
    wish = read_wish(form(), HOMES)
    assert wish is not None
    assert (wish.evse_ids, wish.status) == (("DE*ABC*E1*1",), TemporaryKind.BLOCKED)
    assert (wish.valid_from, wish.valid_to, wish.enforce) == (None, None, None)


def test_times_are_of_the_zone_that_is_named() -> None:
    given = form(begins="at", from_="2026-12-01T08:00", ends="at", to="2026-12-01T18:00", enforce="yes")
    wish = read_wish(given, HOMES)
    assert wish is not None
    assert wish.valid_from == datetime(2026, 12, 1, 7, 0, tzinfo=UTC)
    assert wish.valid_to == datetime(2026, 12, 1, 17, 0, tzinfo=UTC)
    assert wish.enforce is True


def test_a_time_that_was_typed_counts_only_where_it_is_chosen() -> None:
    wish = read_wish(form(begins="now", from_="2026-12-01T08:00"), HOMES)
    assert wish is not None
    assert wish.valid_from is None


@pytest.mark.parametrize(
    ("fields", "ids"),
    [
        pytest.param({"evse_ids": " a, b\n\nb;c "}, ("a", "b", "c"), id="pasted-in-any-way"),
        pytest.param({"evse_ids": "", "station": "cs-1"}, ("DE*ABC*E1*1", "DE*ABC*E1*2"), id="all-of-a-station"),
        pytest.param({"evse_ids": "", "operator": "other"}, ("DE*ABC*E2",), id="all-of-an-operator"),
        pytest.param(
            {"evse_ids": "DE*ABC*E1*2", "station": "CS-1"}, ("DE*ABC*E1*2", "DE*ABC*E1*1"), id="each-of-them-once"
        ),
    ],
)
def test_evses_are_named_pasted_or_taken_all_together(fields: dict[str, str], ids: tuple[str, ...]) -> None:
    wish = read_wish(form(**fields), HOMES)
    assert wish is not None
    assert wish.evse_ids == ids


@pytest.mark.parametrize(
    ("fields", "field", "said"),
    [
        pytest.param({"evse_ids": ""}, "evse_ids", "name at least one EVSE, a station or an operator", id="nobody"),
        pytest.param(
            {"evse_ids": "\n".join(f"E{number}" for number in range(1001))},
            "evse_ids",
            "at most 1000 at once: these are 1001",
            id="too-many",
        ),
        pytest.param(
            {"evse_ids": "", "station": "CS-9"}, "station", "the inventory has no EVSE of this station", id="no-station"
        ),
        pytest.param({"status": "SLEEPING"}, "status", "choose one", id="no-such-status"),
        pytest.param(
            {"zone": "Mars/Olympus"}, "zone", "should be one of the list, such as Europe/Berlin", id="no-such-zone"
        ),
        pytest.param(
            {"ends": "at", "to": ""}, "to", "choose a day and a time, or the other choice", id="no-time-was-given"
        ),
        pytest.param(
            {"begins": "at", "from_": "2026-03-29T02:30"},
            "from",
            "the clocks skip this time on that day: choose a time before or after the gap",
            id="a-time-that-is-skipped",
        ),
        pytest.param(
            {"begins": "at", "from_": "2026-10-25T02:30"},
            "from",
            "the clocks are set back that day, and this time comes twice: choose which one",
            id="a-time-that-comes-twice",
        ),
    ],
)
def test_a_mistake_is_said_beside_its_field(fields: dict[str, str], field: str, said: str) -> None:
    given = form(**fields)
    assert read_wish(given, HOMES) is None
    assert given.mistakes == {field: said}


@pytest.mark.parametrize(
    ("offset", "utc"),
    [
        pytest.param("+02:00", datetime(2026, 10, 25, 0, 30, tzinfo=UTC), id="the-first"),
        pytest.param("+01:00", datetime(2026, 10, 25, 1, 30, tzinfo=UTC), id="the-second"),
    ],
)
def test_of_a_time_that_comes_twice_one_can_be_chosen(offset: str, utc: datetime) -> None:
    given = form(begins="at", from_="2026-10-25T02:30", from_offset=offset)
    assert [value for value, _ in both_of(given, "from")] == ["+02:00", "+01:00"]
    wish = read_wish(given, HOMES)
    assert wish is not None
    assert wish.valid_from == utc


def test_evses_are_found_by_a_part_of_their_id_or_of_their_stations_separators_aside() -> None:
    assert [found.evse_id for found in matching(HOMES, "abce1")] == ["DE*ABC*E1*1", "DE*ABC*E1*2"]
    assert [found.evse_id for found in matching(HOMES, "cs2")] == ["DE*ABC*E2"]
    assert matching(HOMES, " * ") == []
