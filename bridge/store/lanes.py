"""Remember each account's lane: its mode, its pauses and holds, its fullLoads, and which process owns it.

Never decides: `bridge.lane` reads here, decides with `core.reconcile` and `core.full_load`, and writes here, in one
transaction with the rows of `deliveries` and `documents`. A settle names the lane's epoch: a lane that lost its
ownership can write nothing.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from bridge.core.model import AccountName, FullLoadState, Lane
from bridge.store.bulk import insert_or_update
from bridge.store.micros import from_micros, to_micros
from bridge.store.prepared import Prepared
from bridge.store.tables import lane


@dataclass(frozen=True, slots=True)
class StoredLane:
    """One account's lane as stored."""

    account: AccountName
    mode: str | None
    """What an operator set; None: what the configuration says."""
    epoch: int
    lane: Lane
    full_load: FullLoadState


def take_lane(conn: sa.Connection, account: AccountName, node: str, lease_until: int) -> int:
    """Make this process the lane's owner and return the lane's new epoch."""
    values = {"owner": node, "lease_until": lease_until}
    statement = (
        insert_or_update(conn, lane)
        .values(account=account, epoch=1, **values)
        .on_conflict_do_update(index_elements=[lane.c.account], set_={"epoch": lane.c.epoch + 1, **values})
        .returning(lane.c.epoch)
    )
    epoch: int = conn.execute(statement).scalar_one()
    return epoch


_LANE = Prepared(
    sa.select(
        lane.c.mode,
        lane.c.epoch,
        lane.c.failures,
        lane.c.paused_until,
        lane.c.held,
        lane.c.held_at,
        lane.c.refusals,
        lane.c.refusal_reason,
        lane.c.full_load_confirmed,
        lane.c.full_load_wanted,
        lane.c.full_load_gate_since,
        lane.c.full_load_tries,
        lane.c.full_load_attempted_at,
        lane.c.full_load_accepted_at,
        lane.c.full_load_next_w,
        lane.c.full_load_size,
        lane.c.full_load_in_flight,
    ).where(lane.c.account == sa.bindparam("name"))
)


def load_lane(conn: sa.Connection, account: AccountName) -> StoredLane | None:
    """Return the account's lane, or None where no process ever owned it."""
    row = _LANE.first(conn, name=account)
    if row is None:
        return None
    return StoredLane(
        account=account,
        mode=row[0],
        epoch=row[1],
        lane=Lane(
            failures=row[2],
            paused_until=from_micros(row[3]),
            held=row[4],
            held_at=from_micros(row[5]),
            refusals=row[6],
            refusal_reason=row[7],
        ),
        full_load=FullLoadState(
            confirmed=bool(row[8]),
            wanted=row[9],
            gate_since=from_micros(row[10]),
            tries=row[11],
            attempted_at=from_micros(row[12]),
            accepted_at=from_micros(row[13]),
            next_w=from_micros(row[14]),
            size=row[15],
            in_flight=bool(row[16]),
        ),
    )


def save_lane(conn: sa.Connection, stored: StoredLane, **other: Any) -> None:
    """Write the lane's state, and `other` columns by name (last_error, last_accepted_at, lease_until)."""
    state, full = stored.lane, stored.full_load
    values = {
        "failures": state.failures,
        "paused_until": to_micros(state.paused_until),
        "held": state.held,
        "held_at": to_micros(state.held_at),
        "refusals": state.refusals,
        "refusal_reason": state.refusal_reason,
        "full_load_confirmed": full.confirmed,
        "full_load_wanted": full.wanted,
        "full_load_gate_since": to_micros(full.gate_since),
        "full_load_tries": full.tries,
        "full_load_attempted_at": to_micros(full.attempted_at),
        "full_load_accepted_at": to_micros(full.accepted_at),
        "full_load_next_w": to_micros(full.next_w),
        "full_load_size": full.size,
        "full_load_in_flight": full.in_flight,
        **other,
    }
    new = {f"new_{name}": value for name, value in values.items()}
    _save_lane(tuple(values)).run(conn, [{"key_account": stored.account, "key_epoch": stored.epoch, **new}])


@functools.cache
def _save_lane(names: tuple[str, ...]) -> Prepared:
    return Prepared(
        sa.update(lane)
        .where(lane.c.account == sa.bindparam("key_account"), lane.c.epoch == sa.bindparam("key_epoch"))
        .values({name: sa.bindparam(f"new_{name}", type_=lane.c[name].type) for name in names})
    )


def set_mode(conn: sa.Connection, account: AccountName, mode: str, *, by: str, at_w: int, confirmed: bool) -> None:
    """Store an operator's order about an account: its mode, and the yes to fullLoads where it was given."""
    values: dict[str, Any] = {"mode": mode, "mode_by": by, "mode_at_w": at_w}
    if confirmed:
        values["full_load_confirmed"] = True
    conn.execute(
        insert_or_update(conn, lane)
        .values(account=account, **values)
        .on_conflict_do_update(index_elements=[lane.c.account], set_=values)
    )
