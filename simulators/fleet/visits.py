"""Keep the transactions of one station: which event each change at a connector brings, and what it says.

Never sends: `station` enqueues what this returns. Before it: what became true at a connector. After it: `wire`.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from simulators.fleet.behaviour import ConnectorState
from simulators.fleet.layout import Address, StationSpec
from simulators.fleet.wire import Dialect, Phase, TransactionMessage, Visit


class Visits:
    """The cars at one station's connectors whose transactions run."""

    def __init__(self, spec: StationSpec, dialect: Dialect, chance: random.Random, stamp: Callable[[], str]) -> None:
        """`chance` says how much a meter moved, `stamp` when."""
        self._spec = spec
        self._dialect = dialect
        self._random = chance
        self._stamp = stamp
        self._visits: dict[Address, Visit] = {}

    def turned(self, address: Address, state: ConnectorState, *, offline: bool) -> TransactionMessage | None:
        """Return the event that a new state brings, or None where it brings none."""
        if address not in self._spec.connectors:
            return None
        phase = self._dialect.phase(state, address in self._visits)
        match phase:
            case None:
                return None
            case Phase.STARTED:
                visit = self._visits.setdefault(address, Visit(address))
            case Phase.UPDATED:
                visit = self._visits[address]
            case Phase.ENDED:
                visit = self._visits.pop(address)
        return self._event(visit, phase, state, offline)

    def metered(self, address: Address, state: ConnectorState) -> TransactionMessage | None:
        """Return the event of a meter that moved on; None where no transaction runs."""
        visit = self._visits.get(address)
        if visit is None:
            return None
        visit.meter_wh += self._random.randint(50, 500)
        return self._event(visit, Phase.UPDATED, state, offline=False)

    def _event(self, visit: Visit, phase: Phase, state: ConnectorState, offline: bool) -> TransactionMessage:
        seq_no = visit.next_seq_no()
        return TransactionMessage(visit, phase, state, seq_no, visit.meter_wh, self._stamp(), offline=offline)
