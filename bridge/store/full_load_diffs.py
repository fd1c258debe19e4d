"""Compare what a fullLoad would send with what the hub acknowledged. Never writes.

Before it: an operator's question. After it: `web`. The lane itself builds the fullLoad anew when it sends it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import sqlalchemy as sa

from bridge.core.documents import DocumentKind
from bridge.core.full_load import Census
from bridge.core.model import AccountName, Delivery, EvseId, FullLoadState
from bridge.core.reconcile import left_out_of_full_load
from bridge.store import deliveries, documents, lanes

Change = Literal["new", "changed", "same", "withdrawn", "refused", "foreign", "waiting"]


@dataclass(frozen=True, slots=True)
class FullLoadDiff:
    """What a fullLoad would do to each EVSE of the account, by id; and what guards it."""

    state: FullLoadState
    census: Census
    new: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    same: tuple[str, ...] = ()
    withdrawn: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    foreign: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()


def read_diff(
    conn: sa.Connection,
    account: AccountName,
    *,
    of_data: bool,
    after_data: bool,
    owns: Callable[[EvseId], bool],
    steady: datetime,
) -> FullLoadDiff:
    """Return what a fullLoad would do now.

    Args:
        conn: Within one read.
        account: Whose.
        of_data: Of EVSEs' data; otherwise of statuses.
        after_data: Statuses wait for their EVSE's data.
        owns: Tells whether the account may send the EVSE.
        steady: Now.
    """
    waiting: set[EvseId] = set()
    if of_data:
        kind = DocumentKind.EVSE_DATA
        rows = [(EvseId(row.key), row.delivery) for row in documents.load_documents(conn, account, [kind])]
        state = documents.load_document_lane(conn, account).full_load
        census = documents.census_of(conn, account, kind, steady)
    else:
        rows = [(row.evse_id, row.delivery) for row in deliveries.load_rows(conn, account)]
        waiting = {id_ for id_, _ in rows} - {
            row.evse_id for row in deliveries.load_rows(conn, account, after_data=after_data)
        }
        stored = lanes.load_lane(conn, account)
        state = FullLoadState() if stored is None else stored.full_load
        census = deliveries.census(conn, account, steady, after_data=after_data)
    found: dict[Change, list[str]] = {}
    for id_, delivery in rows:
        change = _change(id_, delivery, waiting, owns, of_data=of_data)
        found.setdefault(change, []).append(id_)
    return FullLoadDiff(state, census, **{change: tuple(ids) for change, ids in found.items()})


def _change(
    id_: EvseId, delivery: Delivery, waiting: set[EvseId], owns: Callable[[EvseId], bool], *, of_data: bool
) -> Change:
    if delivery.tombstone:
        return "withdrawn"
    if not owns(id_):
        return "foreign"
    if left_out_of_full_load(delivery):
        # Data whose change is refused goes along as the hub has it.
        return "same" if of_data and delivery.acked else "refused"
    if id_ in waiting:
        return "waiting"
    if delivery.acked is None:
        return "new"
    return "same" if delivery.acked == delivery.desired else "changed"
