"""What a temporary status would do, asked of the real store: the same words that follow when it is created."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests_bridge import HUBJECT

from bridge.app.temporary_services import StoreTemporaries
from bridge.app.wakes import Wakes
from bridge.core.model import TemporaryKind
from bridge.web.services import ValueRefused
from bridge.web.temporary_shapes import TemporaryWish

ONE, TWO = "DE*ABC*E1*1", "DE*ABC*E1*2"
HOUR = timedelta(hours=1)
MARKED = """station,version,key,evse,connector,evse_id,operator,spirii
seven,1.6,0123456789abcdef,,1,DE*ABC*E7,demo,true
seven,,,,2,DE*ABC*E8,demo,false
"""


def services(bridge, mirrors: dict[str, tuple[str, ...]] | None = None) -> StoreTemporaries:
    return StoreTemporaries(
        bridge.store,
        bridge.writer,
        clock=bridge.clock,
        derive=bridge.options,
        wakes=Wakes(),
        enforced=(),
        mirrors=mirrors or {},
    )


def wish(*evse_ids: str, kind: str = "BLOCKED", **members: object) -> TemporaryWish:
    return TemporaryWish.model_validate({"evse_ids": evse_ids, "status": TemporaryKind(kind), **members})


async def test_preview_says_the_words_that_the_hub_is_then_told(bridge) -> None:
    epoch = await bridge.connect("one")
    await bridge.report("one", epoch, 1, "Faulted")
    ends = bridge.clock().now + HOUR
    preview = await services(bridge).preview(wish(ONE, valid_to=ends))
    (item,) = preview.items
    assert (item.evse_id, item.station, item.status) == (ONE, "one", "faulted")
    assert item.words[HUBJECT] == "OutOfService"
    assert [(span.status, span.words[HUBJECT]) for span in item.spans] == [
        ("blocked", "Occupied"),
        ("faulted", "OutOfService"),
    ]
    assert item.spans[1].begin == ends
    assert await bridge.rows("SELECT count(*) FROM temporary_status") == [(0,)]

    await bridge.temporary(ONE, kind="BLOCKED", ends=ends)
    assert await bridge.desired(ONE) == item.spans[0].words[HUBJECT]


async def test_preview_names_what_overlaps_and_what_is_there_already(bridge) -> None:
    begins = bridge.clock().now.replace(microsecond=0)
    (number,) = await bridge.temporary(ONE, kind="MAINTENANCE", begins=begins, ends=begins + HOUR)
    preview = await services(bridge).preview(wish(ONE, TWO))
    assert [[other.id for other in item.overlaps] for item in preview.items] == [[number], []]
    again = await services(bridge).preview(wish(ONE, kind="MAINTENANCE", valid_from=begins, valid_to=begins + HOUR))
    assert again.items[0].problem.startswith(f"temporary status {number} is exactly this one")


async def test_preview_names_each_evse_that_there_is_not_and_each_one_once(bridge) -> None:
    preview = await services(bridge).preview(wish("de.abc.e1.1", "DE*ABC*E9", ONE))
    assert [(item.evse_id, item.problem) for item in preview.items] == [
        (ONE, ""),
        ("DE*ABC*E9", "there is no EVSE 'DE*ABC*E9'"),
    ]


async def test_preview_refuses_what_no_temporary_status_can_be(bridge) -> None:
    with pytest.raises(ValueRefused, match="valid_to: is over already"):
        await services(bridge).preview(
            wish(ONE, valid_to=bridge.clock().now - HOUR, valid_from=bridge.clock().now - 2 * HOUR)
        )


async def test_preview_names_the_accounts_that_are_given_the_temporary_status_itself(bridge) -> None:
    await bridge.import_(MARKED)
    preview = await services(bridge, {"demo": ("spirii_main",)}).preview(wish("DE*ABC*E7", "DE*ABC*E8"))
    assert [item.mirrored_to for item in preview.items] == [("spirii_main",), ()]
