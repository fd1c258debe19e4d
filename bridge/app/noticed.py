"""Collect which things changed, while somebody is being told what changes; the things themselves are read later.

While nobody is, nothing is collected. Every method is called on the event loop and only adds to a set, so that a
thousand changes of one thing are one. Never reads and never waits. Before it: `wakes`, and orders that are committed.
After it: `event_services`, which reads how these things stand.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from dataclasses import dataclass, field

from bridge.core.model import AccountName
from bridge.derive import Derived
from bridge.store.stations import EvseKey
from bridge.store.temporary import StoredTemporary
from bridge.web.event_shapes import TemporaryChangeWord
from csms.events import StationId


@dataclass(slots=True)
class Noticed:
    """What changed since it was last read."""

    evses: set[EvseKey] = field(default_factory=set)
    """Their status, or what hubs have of them."""
    accounts: set[AccountName] = field(default_factory=set)
    stations: set[StationId] = field(default_factory=set)
    temporaries: dict[int, tuple[EvseKey, TemporaryChangeWord]] = field(default_factory=dict)
    everything: str = ""
    """Why everything must be read anew; empty: it need not."""

    def __len__(self) -> int:
        return len(self.evses) + len(self.stations) + len(self.temporaries)


class Noticing:
    """Collects for one reader; `woken` is set when there is something."""

    def __init__(self) -> None:
        self.listening = False
        self.woken = asyncio.Event()
        self._noticed = Noticed()

    def take(self) -> Noticed:
        """Return what was collected, and begin anew."""
        taken, self._noticed = self._noticed, Noticed()
        return taken

    def derived(self, derived: Derived) -> None:
        """Note what a derivation moved."""
        if self.listening:
            self._noticed.evses |= derived.evses
            self._noticed.accounts |= derived.accounts
            self.woken.set()

    def settled(self, account: AccountName, evses: Collection[EvseKey]) -> None:
        """Note that a hub has answered about these EVSEs, or about something else of the account."""
        if self.listening:
            self._noticed.evses.update(evses)
            self._noticed.accounts.add(account)
            self.woken.set()

    def account(self, account: AccountName) -> None:
        """Note that an operator's order changed how an account does."""
        self.settled(account, ())

    def station(self, station: StationId) -> None:
        """Note that a station came or went."""
        if self.listening:
            self._noticed.stations.add(station)
            self.woken.set()

    def temporaries(self, items: Collection[StoredTemporary], what: TemporaryChangeWord) -> None:
        """Note that an operator created, changed or ended these."""
        if self.listening:
            self._noticed.temporaries.update({item.number: (item.evse, what) for item in items})
            self.woken.set()

    def everything(self, why: str) -> None:
        """Note that more changed than is told one by one."""
        if self.listening:
            self._noticed.everything = why
            self.woken.set()
