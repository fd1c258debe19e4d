"""Say how the quirks of one station change what it tells and when, beyond a single message.

Pure. Before it: `quirks`. After it: `station`, which does so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from simulators.fleet.behaviour import IN_USE, ConnectorState
from simulators.fleet.layout import STATION_LEVEL, Address, StationSpec
from simulators.fleet.quirks import Quirk
from simulators.fleet.wire import Dialect, StatusMessage


class Habits:
    """What one station does its own way."""

    def __init__(self, spec: StationSpec, dialect: Dialect) -> None:
        """Have the habits of the station's quirks."""
        self._spec = spec
        self._quirks = spec.quirks
        self._dialect = dialect
        self.boots = Quirk.NO_BOOT not in spec.quirks
        """It sends BootNotification by itself."""
        self.before_boot = 1.0 if Quirk.DIES_ON_EARLY_CALL in spec.quirks else 0.0
        """Seconds of the station's own time that it is connected and says nothing."""
        self.reports_on_connect = Quirk.NO_STATUS_AFTER_CONNECT not in spec.quirks
        """It tells after each connect what was not told yet."""
        self.keeps_statuses = Quirk.OFFLINE_QUEUE in spec.quirks
        """It tells after a loss of the network what was true in between."""

    def word(self, address: Address, states: Mapping[Address, ConnectorState]) -> str:
        """Return the status word for an address, given what is true at each."""
        state = states[address]
        if address == STATION_LEVEL and Quirk.CONNECTOR_0_DISAGREES in self._quirks:
            in_use = IN_USE.intersection(states.values())
            state = ConnectorState.PREPARING if in_use and state is ConnectorState.FREE else state
        return self._dialect.status_words[state]

    def told_with(self, address: Address, addresses: Iterable[Address]) -> tuple[Address, ...]:
        """Return the addresses whose status may change with this one's, itself last."""
        along = Quirk.CONNECTOR_0_DISAGREES in self._quirks and address != STATION_LEVEL
        return (STATION_LEVEL, address) if along and STATION_LEVEL in tuple(addresses) else (address,)

    def before(self, address: Address, word: str) -> tuple[StatusMessage, ...]:
        """Return what the station says for a moment before it says this word of an address."""
        free = self._dialect.status_words[ConnectorState.FREE]
        blinks = Quirk.BLINK_AVAILABLE in self._quirks and word != free and address != STATION_LEVEL
        return (StatusMessage(address, free),) if blinks else ()

    def meant_by_trigger(self, addresses: tuple[Address, ...]) -> tuple[Address, ...]:
        """Return what is told where a trigger names no connector."""
        only_0 = Quirk.TRIGGER_ONLY_CONNECTOR_0 in self._quirks and STATION_LEVEL in addresses
        return (STATION_LEVEL,) if only_0 else addresses
