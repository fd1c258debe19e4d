"""Listings become each account's documents: of its operators' EVSEs, as long as the inventory has them."""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from tests_bridge import HUBJECT, STATIONS

from bridge.core.documents import DocumentKind, Remote
from bridge.core.model import Accepted, AccountName, EvseId, Lane
from bridge.core.reconcile import ReconcileOptions, start
from bridge.core.settlement import settle
from bridge.documents import evse_data_plan
from bridge.edits import ListingImported, ListingOrder, RefreshOrder, import_listings, refresh_documents
from bridge.listing_file import EvseDataListing, Listing
from bridge.store import documents
from bridge.store.errors import ListingNeedsYes
from bridge.store.full_load_diffs import read_diff

SECOND = AccountName("second")
PLANS = (evse_data_plan(HUBJECT, ["demo"]), evse_data_plan(SECOND, ["other"]))
MIXED = STATIONS.replace("DE*ABC*E2*2,demo", "DE*XYZ*E2*2,other")
EVSES = ("DE*ABC*E1*1", "DE*ABC*E1*2", "DE*ABC*E2*1")


def listing(*ids: str, **content: object) -> Listing:
    return Listing(tuple(EvseDataListing(EvseId(id_), {"EvseID": id_, **content}) for id_ in ids))


async def import_(bridge, wanted: Listing, *, prune: bool = False, yes: bool = True, dry_run: bool = False):
    order = ListingOrder(wanted, prune, yes, dry_run, bridge.clock(), PLANS, bridge.options)
    return await bridge.writer.submit(import_listings, order)


async def refresh(bridge):
    return await bridge.writer.submit(refresh_documents, RefreshOrder(PLANS, bridge.clock()))


async def rows(bridge):
    found = await bridge.rows("SELECT account, key FROM document WHERE NOT tombstone ORDER BY account, key")
    return [tuple(row) for row in found]


async def acknowledge(bridge, account: AccountName, key: str) -> None:
    """Let the hub acknowledge one EVSE's data."""

    def handler(conn, items):
        row = documents.load_document(conn, account, (DocumentKind.EVSE_DATA, key))
        steady = bridge.clock().steady
        settled = settle(
            Lane(),
            start(row.delivery, steady),
            Accepted(),
            sent=row.delivery.desired,
            steady=steady,
            jitter=0.0,
            reassert_jitter=0.0,
            options=ReconcileOptions(reassert_every=None),
        )
        documents.save_documents(conn, account, [(row.name, settled.delivery, Remote())], steady)
        return [None for _ in items]

    await bridge.writer.submit(handler, None)


async def test_each_account_has_the_data_of_its_own_operators_evses(bridge) -> None:
    await bridge.import_(MIXED, prune=True)
    imported = await import_(bridge, listing(*EVSES, "DE*XYZ*E2*2", "DE*ABC*E9"))
    assert isinstance(imported, ListingImported)
    assert imported.derived.accounts == {HUBJECT, SECOND}
    assert await rows(bridge) == [*((HUBJECT, evse) for evse in EVSES), (SECOND, "DE*XYZ*E2*2")]
    assert imported.result.warnings == ("DE*ABC*E9 is not in the inventory: its data is sent once it is",)


async def test_a_dry_run_changes_nothing(bridge) -> None:
    imported = await import_(bridge, listing(*EVSES), dry_run=True)
    assert len(imported.result.diff.added) == 3
    assert await rows(bridge) == []
    assert await bridge.rows("SELECT count(*) FROM listing") == [(0,)]


async def test_what_needs_a_yes_changes_nothing_without_it(bridge) -> None:
    await import_(bridge, listing(*EVSES))
    with pytest.raises(ListingNeedsYes):
        await import_(bridge, listing(EVSES[0]), prune=True, yes=False)
    assert len(await rows(bridge)) == 3


async def test_what_is_listed_before_the_inventory_has_it_follows_the_inventory(bridge) -> None:
    await import_(bridge, listing("DE*XYZ*E2*2"))
    assert await rows(bridge) == []
    await bridge.import_(MIXED, prune=True)
    assert await refresh(bridge) == {SECOND}
    assert await rows(bridge) == [(SECOND, "DE*XYZ*E2*2")]


async def test_an_evse_that_changes_its_operator_is_withdrawn_here_and_listed_there(bridge) -> None:
    await import_(bridge, listing("DE*ABC*E1*1"))
    await acknowledge(bridge, HUBJECT, "DE*ABC*E1*1")
    await bridge.import_(STATIONS.replace("DE*ABC*E1*1,demo", "DE*ABC*E1*1,other"))
    assert await refresh(bridge) == {HUBJECT, SECOND}
    found = await bridge.rows("SELECT account, desired, tombstone FROM document ORDER BY account")
    assert [(row[0], row[1] == "", bool(row[2])) for row in found] == [(HUBJECT, True, True), (SECOND, False, False)]


async def test_a_removed_evse_s_data_is_withdrawn_and_comes_back_with_it(bridge) -> None:
    await import_(bridge, listing("DE*ABC*E1*1"))
    await acknowledge(bridge, HUBJECT, "DE*ABC*E1*1")
    without = "\n".join(line for line in STATIONS.splitlines() if "DE*ABC*E1*" not in line)
    await bridge.import_(without, prune=True)
    assert await refresh(bridge) == {HUBJECT}
    assert await bridge.rows("SELECT desired FROM document") == [("",)]
    await bridge.import_(STATIONS)
    await refresh(bridge)
    assert await bridge.rows("SELECT desired, tombstone FROM document") == [('{"EvseID":"DE*ABC*E1*1"}', False)]


async def test_a_full_load_s_diff_is_against_what_was_acknowledged(bridge) -> None:
    await bridge.import_(MIXED, prune=True)
    await import_(bridge, listing(*EVSES))
    await acknowledge(bridge, HUBJECT, EVSES[0])
    await acknowledge(bridge, HUBJECT, EVSES[1])
    await import_(bridge, listing(EVSES[0], IsOpen24Hours=True))
    await import_(bridge, listing(EVSES[0], EVSES[2], IsOpen24Hours=True), prune=True)

    async def diff(**options: bool):
        async with bridge.store.read() as connection:
            return await connection.run_sync(
                read_diff,
                HUBJECT,
                after_data=True,
                owns=lambda evse_id: evse_id != EVSES[2],
                steady=bridge.clock().steady,
                **options,
            )

    data = await diff(of_data=True)
    assert (data.changed, data.withdrawn, data.foreign) == ((EVSES[0],), (EVSES[1],), (EVSES[2],))
    assert (data.new, data.same, data.refused, data.waiting) == ((), (), (), ())
    statuses = await diff(of_data=False)
    assert (statuses.new, statuses.foreign) == ((EVSES[0], EVSES[1]), (EVSES[2],))
    assert statuses.withdrawn == ()


async def test_a_full_load_s_diff_keeps_data_whose_change_was_refused(bridge) -> None:
    await bridge.import_(MIXED, prune=True)
    await import_(bridge, listing(EVSES[0], EVSES[1]))
    await acknowledge(bridge, HUBJECT, EVSES[0])
    await import_(bridge, listing(EVSES[0], EVSES[1], IsOpen24Hours=True))

    def refuse(conn, names):
        for name in names:
            row = documents.load_document(conn, HUBJECT, name)
            refused = replace(row.delivery, refused="018", refused_seq=row.delivery.desired_seq)
            documents.save_documents(conn, HUBJECT, [(name, refused, row.remote)], bridge.clock().steady)
        return [None] * len(names)

    for key in (EVSES[0], EVSES[1]):
        await bridge.writer.submit(refuse, (DocumentKind.EVSE_DATA, key))
    async with bridge.store.read() as connection:
        options = {"of_data": True, "after_data": True, "owns": lambda _id: True, "steady": bridge.clock().steady}
        data = await connection.run_sync(read_diff, HUBJECT, **options)
    assert (data.same, data.refused, data.withdrawn) == ((EVSES[0],), (EVSES[1],), ())
