"""Carry wake-ups from where something changed to who acts on it. They have no content, and may get lost.

Derivations happen in the writer's thread; a wake-up hops to the event loop. It may arrive before the commit: whoever it
wakes goes through the same writer, behind that commit.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress

from bridge.core.model import AccountName
from bridge.derive import Derived
from bridge.enforcer import Enforcer
from bridge.lane import AccountLane
from bridge.ticker import Ticker
from csms.events import StationId


class Wakes:
    """Knows the ticker, the lanes and the enforcer, once they are there."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.ticker: Ticker | None = None
        self.lanes: Mapping[AccountName, AccountLane] = {}
        self.enforcer: Enforcer | None = None

    def heard(self, station: StationId) -> None:
        """Pass on that a frame arrived; on the event loop."""
        if self.ticker is not None:
            self.ticker.heard(station)

    def derived(self, derived: Derived) -> None:
        """Pass on what a derivation moved; from any thread."""
        if not (derived.accounts or derived.until_now or derived.until_steady or derived.orders):
            return
        with suppress(RuntimeError):  # the loop is closed: nobody is left to wake
            self._loop.call_soon_threadsafe(self._wake, derived)

    def account(self, account: AccountName) -> None:
        """Wake one account's lane; on the event loop."""
        if (lane := self.lanes.get(account)) is not None:
            lane.wake()

    def _wake(self, derived: Derived) -> None:
        for account, lane in self.lanes.items():
            if account in derived.accounts:
                lane.wake()
        if self.ticker is not None:
            self.ticker.due(derived)
        if derived.orders and self.enforcer is not None:
            self.enforcer.wake()
