"""Begin on a database: find out whether it is an older copy, and if so, count on nothing that may have changed since.

After a restore the database tells of a time that is over, and three things would go wrong without a word: a status of
then would go out although the hub has a newer one, a value that the hub has lost since would count as acknowledged, and
numbers would be given twice. So reports are forgotten (every EVSE is unknown until its station, which is asked, says
more), so is every acknowledgement, fullLoads begin anew, and numbers go on well above those that were given. For a
while nothing is sent: most stations report in that time, and a hub's newer value is better than our unknown.

Before it: `app.database_marks`. After it: `ticker`, which derives every EVSE; `csms.resync`, which asks; lanes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from msgspec import structs

from bridge.core.marks import Marks, idle_since, is_restored
from bridge.core.model import AccountName, FullLoadState, Moment
from bridge.edits.accounts import SyncOrder, sync_accounts
from bridge.store import documents, lanes, marks
from bridge.store.transaction import Transaction

_GIVEN_SINCE = 1_000_000
"""More numbers than are given between two marks; an OCPP 1.6 transactionId has room for 2,000 restores."""


@dataclass(frozen=True, slots=True)
class Beginning:
    """A process begins on this database."""

    seen: Marks | None
    """What the state folder saw of it last."""
    pause: timedelta
    """How long accounts send nothing after a restore."""
    at: Moment


@dataclass(frozen=True, slots=True)
class Begun:
    """The database's marks now, and whether it was restored."""

    marks: Marks
    restored: bool


def begin(conn: Transaction, beginnings: Sequence[Beginning]) -> list[Begun]:
    """Count a mark; take a database that was restored back to what is sure, in the same transaction."""
    return [_begin(conn, beginning) for beginning in beginnings]


def _begin(conn: Transaction, beginning: Beginning) -> Begun:
    stored = marks.read_marks(conn)
    idle = idle_since(marks.last_alive(conn), beginning.at.steady)
    if not is_restored(stored, beginning.seen, idle):
        return Begun(marks.take_mark(conn), restored=False)
    marks.forget_reports(conn)
    for account in marks.told_accounts(conn):
        _forget(conn, account, beginning)
    marks.raise_marks(conn, _beyond(stored, beginning.seen or stored))
    return Begun(marks.take_mark(conn), restored=True)


def _beyond(stored: Marks, seen: Marks) -> Marks:
    return Marks(
        mark=max(stored.mark, seen.mark),
        transaction_id=max(stored.transaction_id, seen.transaction_id) + _GIVEN_SINCE,
        temporary_id=max(stored.temporary_id, seen.temporary_id) + _GIVEN_SINCE,
    )


def _forget(conn: Transaction, account: AccountName, beginning: Beginning) -> None:
    """Forget what the account's hub acknowledged; its next fullLoad waits for the stations as the first one did."""
    sync_accounts(conn, [SyncOrder(account, forget=True, at=beginning.at)])
    stored = lanes.load_lane(conn, account)
    if stored is None:
        return
    paused = structs.replace(stored.lane, paused_until=beginning.at.steady + beginning.pause, failures=0)
    lanes.save_lane(conn, replace(stored, lane=paused, full_load=_anew(stored.full_load)))
    state = documents.load_document_lane(conn, account)
    documents.save_document_lane(conn, replace(state, full_load=_anew(state.full_load)))


def _anew(state: FullLoadState) -> FullLoadState:
    """Return the state as before the first fullLoad; its yes and the guard's measure stay."""
    return FullLoadState(confirmed=state.confirmed, next_w=state.next_w, size=state.size)


def count_marks(conn: Transaction, requests: Sequence[None]) -> list[Marks]:
    """Count a mark."""
    return [marks.take_mark(conn) for _ in requests]
