"""How an account does, in words, and what a fullLoad would change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bridge.core.differences import Standing
from bridge.core.modes import Mode
from bridge.web.full_load_shapes import FullLoadItem
from bridge.web.pages.hub_view import (
    STANDINGS,
    full_load_lists,
    full_load_words,
    preview_words,
    problems_first,
    shown_state,
    standing,
)
from bridge.web.shapes import UpstreamItem, UpstreamPreview

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def item(**members: Any) -> UpstreamItem:
    told = {
        "name": "hubject",
        "kind": "oicp",
        "mode": Mode.LIVE,
        "state": "ok",
        "backlog": 0,
        "refused": 0,
        "lag_s": None,
    }
    return UpstreamItem.model_validate({**told, **members})


def diff(**members: Any) -> FullLoadItem:
    none: dict[str, Any] = dict.fromkeys(("new", "changed", "same", "withdrawn", "refused", "foreign", "waiting"), ())
    return FullLoadItem.model_validate({"name": "hubject", "scope": "statuses", "held_back": None, **none, **members})


@pytest.mark.parametrize(
    ("members", "text"),
    [
        pytest.param({}, "Live: the hub has every status.", id="ok"),
        pytest.param({"backlog": 1}, "Live: 1 EVSE on the way.", id="on-the-way"),
        pytest.param({"backlog": 1, "refused": 1}, "Live: the hub refuses 1 EVSE.", id="refusals"),
        pytest.param(
            {"backlog": 3, "refused": 1, "documents_refused": 1},
            "Live: 2 EVSEs on the way, the hub refuses 1 EVSE, it refuses 1 document.",
            id="refusals-on-the-way",
        ),
        pytest.param(
            {"kind": "spirii", "refused": 1, "documents_refused": 1},
            "Live: the hub refuses 1 EVSE.",
            id="refusals-at-spirii-are-counted-once",
        ),
        pytest.param({"state": "off", "mode": "off"}, "Off: nothing is sent to this hub.", id="off"),
        pytest.param(
            {"state": "dry_run", "mode": "dry_run", "would_send": 12},
            "Dry run: nothing is sent; 12 EVSEs would be.",
            id="dry-run",
        ),
        pytest.param({"state": "held", "held": "HTTP 401"}, "Held: HTTP 401.", id="held"),
        pytest.param(
            {"state": "degraded", "backlog": 3, "paused_until": NOW + timedelta(seconds=40)},
            "Degraded: paused for 40 s, 3 EVSEs waiting.",
            id="paused",
        ),
        pytest.param(
            {"state": "degraded", "backlog": 2, "refused": 2}, "Degraded: the hub refuses 2 EVSEs.", id="refused"
        ),
        pytest.param(
            {"state": "degraded", "paused_until": NOW - timedelta(seconds=1), "last_error": "HTTP 500"},
            "Degraded: HTTP 500.",
            id="a-pause-that-is-over-is-not-told",
        ),
    ],
)
def test_how_an_account_does(members: dict[str, Any], text: str) -> None:
    assert standing(item(**members), NOW).text == text


def test_accounts_that_need_somebody_come_first() -> None:
    items = tuple(item(name=state, state=state) for state in ("ok", "off", "degraded", "held", "dry_run"))
    assert [each.name for each in problems_first(items)] == ["held", "degraded", "dry_run", "off", "ok"]


def test_an_account_whose_hub_refuses_something_needs_somebody_though_it_sends() -> None:
    items = (item(name="fine"), item(name="refuses", refused=1), item(name="lost", state="degraded"))
    assert [(each.name, shown_state(each)) for each in problems_first(items)] == [
        ("lost", "degraded"),
        ("refuses", "refusals"),
        ("fine", "ok"),
    ]


def test_preview_says_how_much_of_the_inventory_is_known() -> None:
    preview = UpstreamPreview(
        name="hubject", kind="oicp", mode=Mode.OFF, total=1200, known=1100, unknown=60, absent=40, values={}
    )
    assert preview_words(preview) == (
        "1\u202f200 EVSEs: 1\u202f100 with a known status, 60 as unknown though their station was heard of, "
        "40 whose station was never heard of."
    )


def test_what_a_full_load_removes_stands_first() -> None:
    lists = full_load_lists(diff(new=("A",), changed=("B",), withdrawn=("C",), refused=("D",), foreign=("E",)))
    assert [(listed.tone, listed.ids) for listed in lists] == [
        ("removed", ("C",)),
        ("removed", ("D",)),
        ("added", ("A",)),
        ("changed", ("B",)),
        ("left", ("E",)),
    ]


def test_a_long_list_is_cut_and_its_rest_counted() -> None:
    (listed,) = full_load_lists(diff(new=tuple(f"E{number}" for number in range(250))))
    assert (len(listed.ids), listed.more) == (200, 50)


def test_what_the_hub_has_after_a_full_load() -> None:
    words = full_load_words(diff(new=("A",), same=("B", "C"), withdrawn=("D",)))
    assert words == "The hub then has 3 EVSEs: 1 added, 2 as now, 1 removed."
    assert full_load_words(diff()) == "The hub then has 0 EVSEs: none."


def test_each_standing_of_a_status_has_words() -> None:
    of_documents_alone = {Standing.WITHDRAWN}
    assert set(STANDINGS) == set(Standing) - of_documents_alone
