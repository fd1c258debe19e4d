"""Carry wake-ups from where something changed to who acts on it. They have no content, and may get lost.

Every method is called on the event loop, after the commit, or after one that failed in such a way that it may have been
none: whoever is woken looks for itself. What handlers derive in the writer's thread comes with their results:
`Writer.once_committed`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from bridge.app.noticed import Noticing
from bridge.core.model import AccountName
from bridge.derive import Derived
from bridge.enforcer import Enforcer
from bridge.lane import AccountLane
from bridge.store.stations import EvseKey
from bridge.store.temporary import StoredTemporary
from bridge.ticker import Ticker
from bridge.web.event_shapes import TemporaryChangeWord
from csms.events import StationId


class Wakes:
    """Knows the ticker, the lanes and the enforcer, once they are there; and who is told what changes."""

    def __init__(self) -> None:
        self.ticker: Ticker | None = None
        self.lanes: Mapping[AccountName, AccountLane] = {}
        self.enforcer: Enforcer | None = None
        self.noticing = Noticing()

    def heard(self, station: StationId) -> None:
        """Pass on that a frame arrived."""
        if self.ticker is not None:
            self.ticker.heard(station)

    def derived(self, derived: Derived) -> None:
        """Pass on what a derivation moved."""
        if not (derived.decided or derived.accounts or derived.until_now or derived.until_steady or derived.orders):
            return
        self.noticing.derived(derived)
        for account, lane in self.lanes.items():
            if account in derived.accounts:
                lane.wake()
        if self.ticker is not None:
            self.ticker.due(derived)
        if derived.orders and self.enforcer is not None:
            self.enforcer.wake()

    def account(self, account: AccountName) -> None:
        """Wake one account's lane."""
        self.noticing.account(account)
        if (lane := self.lanes.get(account)) is not None:
            lane.wake()

    def settled(self, account: AccountName, evses: Collection[EvseKey]) -> None:
        """Pass on that a hub has answered about these EVSEs, and that this is committed."""
        self.noticing.settled(account, evses)

    def station(self, station: StationId) -> None:
        """Pass on that a station came or went, and that this is committed."""
        self.noticing.station(station)

    def temporaries(self, items: Collection[StoredTemporary], what: TemporaryChangeWord) -> None:
        """Pass on what became of temporary statuses by an order that is committed."""
        self.noticing.temporaries(items, what)

    def everything(self, why: str) -> None:
        """Pass on that an order that is committed changed much."""
        self.noticing.everything(why)
