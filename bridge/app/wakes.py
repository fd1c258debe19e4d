"""Carry wake-ups from where something changed to who acts on it. They have no content, and may get lost.

Derivations happen in the writer's thread; a wake-up hops to the event loop. It may arrive before the commit: whoever it
wakes goes through the same writer, behind that commit.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from contextlib import suppress

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

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.ticker: Ticker | None = None
        self.lanes: Mapping[AccountName, AccountLane] = {}
        self.enforcer: Enforcer | None = None
        self.noticing = Noticing()

    def heard(self, station: StationId) -> None:
        """Pass on that a frame arrived; on the event loop."""
        if self.ticker is not None:
            self.ticker.heard(station)

    def derived(self, derived: Derived) -> None:
        """Pass on what a derivation moved; from any thread."""
        if not (derived.evses or derived.accounts or derived.until_now or derived.until_steady or derived.orders):
            return
        with suppress(RuntimeError):  # the loop is closed: nobody is left to wake
            self._loop.call_soon_threadsafe(self._wake, derived)

    def account(self, account: AccountName) -> None:
        """Wake one account's lane; on the event loop."""
        self.noticing.account(account)
        if (lane := self.lanes.get(account)) is not None:
            lane.wake()

    def settled(self, account: AccountName, evses: Collection[EvseKey]) -> None:
        """Pass on that a hub has answered about these EVSEs, and that this is committed; on the event loop."""
        self.noticing.settled(account, evses)

    def station(self, station: StationId) -> None:
        """Pass on that a station came or went, and that this is committed; on the event loop."""
        self.noticing.station(station)

    def temporaries(self, items: Collection[StoredTemporary], what: TemporaryChangeWord) -> None:
        """Pass on what became of temporary statuses by an order that is committed; on the event loop."""
        self.noticing.temporaries(items, what)

    def everything(self, why: str) -> None:
        """Pass on that an order that is committed changed much; on the event loop."""
        self.noticing.everything(why)

    def _wake(self, derived: Derived) -> None:
        self.noticing.derived(derived)
        for account, lane in self.lanes.items():
            if account in derived.accounts:
                lane.wake()
        if self.ticker is not None:
            self.ticker.due(derived)
        if derived.orders and self.enforcer is not None:
            self.enforcer.wake()
