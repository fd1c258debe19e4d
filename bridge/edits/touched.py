"""Derive the EVSEs that an edit touched, inside the edit's transaction.

Never edits. Before it: `inventory`, `listings`. After it: `derive`.
"""

from __future__ import annotations

from collections.abc import Sequence

from bridge.core.model import Moment
from bridge.core.reconcile import reconfigured
from bridge.derive import Derived, DeriveOptions, derive
from bridge.store import deliveries
from bridge.store.changes import Changes, save
from bridge.store.evses import stations_of
from bridge.store.stations import EvseKey, load
from bridge.store.transaction import Transaction

_EVSES_A_TURN = 500
"""EVSEs that one statement names: a database takes only so many values."""


def derive_touched(conn: Transaction, touched: Sequence[EvseKey], at: Moment, options: DeriveOptions) -> Derived:
    """Derive these EVSEs, and try again at once what a hub refused of them."""
    derived = Derived()
    for first in range(0, len(touched), _EVSES_A_TURN):
        derived.add(_derive_some(conn, touched[first : first + _EVSES_A_TURN], at, options))
    return derived


def _derive_some(conn: Transaction, touched: Sequence[EvseKey], at: Moment, options: DeriveOptions) -> Derived:
    derived = Derived()
    keys = set(touched)
    changes = Changes()
    for station in load(conn, stations_of(conn, touched)).values():
        wanted = keys & station.evses.keys()
        derive(station, wanted, at=at, options=options, changes=changes, derived=derived)
    save(conn, changes)
    accounts = {route.account for routes in options.routes.values() for route in routes}
    for account in accounts:
        rows = deliveries.load_rows(conn, account, touched)
        tried_again = [(row.key, after) for row in rows if (after := reconfigured(row.delivery)) is not row.delivery]
        deliveries.save_rows(conn, account, tried_again, at.steady)
        if tried_again:
            derived.accounts.add(account)
    return derived
