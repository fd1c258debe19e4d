from __future__ import annotations

from yarl import URL

from bridge.core.model import EvseStatus
from bridge.core.modes import Mode
from bridge.web.evse_counts import EvseCounts
from bridge.web.evse_query import EvseQuery
from bridge.web.pages.overview_view import Chip, Slice, changed, counters, filters, hub_tiles, slices
from bridge.web.shapes import UpstreamItem

COUNTS = EvseCounts(evses=8, problems=2, offline=1, statuses={"available": 6, "faulted": 2})


def hrefs(here: str, query: EvseQuery) -> dict[str, tuple[str, bool]]:
    return {counter.label: (counter.href, counter.on) for counter in counters(URL(here), query, COUNTS)}


def test_a_counter_leads_to_those_that_it_counts_and_keeps_the_other_filters() -> None:
    found = hrefs("/?account=hubject&cursor=abc", EvseQuery(account="hubject"))
    assert found["faulted"] == ("/?account=hubject&status=faulted", False)
    assert found["problems"] == ("/?account=hubject&problems=true", False)
    assert found["offline"] == ("/?account=hubject&connected=false", False)
    assert found["all"] == ("/", False)


def test_a_counter_that_is_in_force_leads_to_the_page_without_it() -> None:
    found = hrefs("/?status=faulted&problems=true", EvseQuery(statuses=(EvseStatus.FAULTED,), problems=True))
    assert found["faulted"] == ("/?problems=true", True)
    assert found["problems"] == ("/?status=faulted", True)


def test_usual_statuses_are_shown_although_there_is_none_and_unusual_ones_only_where_there_is_one() -> None:
    found = hrefs("/", EvseQuery())
    assert "reserved" in found
    assert "maintenance" not in found


def test_each_filter_in_force_can_be_taken_away_alone() -> None:
    query = EvseQuery(q="E1", account="hubject", states=("pending", "refused"))
    assert filters(URL("/?q=E1&account=hubject&state=pending&state=refused"), query) == (
        Chip("hub hubject", "/?q=E1&state=pending&state=refused"),
        Chip("delivery pending, refused", "/?q=E1&account=hubject"),
        Chip("“E1”", "/?account=hubject&state=pending&state=refused"),
    )


def test_another_order_begins_with_the_first_page() -> None:
    assert str(changed(URL("/?status=faulted&cursor=abc"), {"sort": "id"})) == "/?status=faulted&sort=id"


def test_the_bar_has_a_part_for_each_status_that_there_is() -> None:
    assert slices(COUNTS) == (Slice("available", 0.0, 75.0, 6), Slice("faulted", 75.0, 25.0, 2))


def test_hubs_that_need_somebody_come_first_and_are_marked() -> None:
    shared = {"kind": "oicp", "mode": Mode.LIVE, "backlog": 0, "lag_s": None}
    items = (
        UpstreamItem.model_validate({"name": name, "state": state, "refused": refused, **shared})
        for name, state, refused in (("fine", "ok", 0), ("refuses", "ok", 2), ("lost", "degraded", 0))
    )
    assert [(tile.item.name, tile.state, tile.trouble) for tile in hub_tiles(items)] == [
        ("lost", "degraded", True),
        ("refuses", "refusals", True),
        ("fine", "ok", False),
    ]


def test_nothing_is_counted_where_there_is_nothing() -> None:
    assert slices(EvseCounts(evses=0, problems=0, offline=0, statuses={})) == ()
