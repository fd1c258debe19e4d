"""Say one thing over a station's connection, and keep the journal of it: before it is sent, and when it was answered.

Never decides what is said, nor when: that is `station`. After it: `station16` or `station201`, and `journal`.
"""

from __future__ import annotations

from datetime import UTC, datetime

from simulators.fleet.clock import StationClock
from simulators.fleet.counts import Counts
from simulators.fleet.journal import Journal, Kind, Report
from simulators.fleet.layout import StationSpec
from simulators.fleet.wire import Dialect, StatusMessage, TransactionMessage, Wire


class Speaker:
    """One station's voice, over all of its connections."""

    def __init__(self, spec: StationSpec, dialect: Dialect, journal: Journal, counts: Counts) -> None:
        """Write to `journal`, and time the answers in `counts`."""
        self._spec = spec
        self._dialect = dialect
        self._journal = journal
        self._counts = counts
        self._clock = StationClock(spec.quirks, datetime.now(UTC))

    async def report_status(self, wire: Wire, message: StatusMessage) -> None:
        """Send a status and return when it was answered. Raises: as `wire.Wire` says."""
        at = message.at or self.stamp()
        report = self._journal.sent(self._status_report(message, at))
        with self._counts.timing():
            await wire.report_status(message, at)
        self._journal.was_answered(report)

    async def report_transaction(self, wire: Wire, message: TransactionMessage) -> None:
        """Send a transaction event and return when it was answered. Raises: as `wire.Wire` says."""
        report = self._journal.sent(self._transaction_report(message))
        with self._counts.timing():
            await wire.report_transaction(message)
        self._journal.was_answered(report)

    def stamp(self) -> str:
        """Return a timestamp for a message, as the station's clock has it; later than every one before."""
        return self._clock.stamp(datetime.now(UTC))

    def _status_report(self, message: StatusMessage, at: str) -> Report:
        evse, connector = message.address
        return Report(0, at, self._spec.station, evse, connector, Kind.STATUS, status=message.word)

    def _transaction_report(self, message: TransactionMessage) -> Report:
        evse, connector = message.visit.address
        words = self._dialect.charging_words
        return Report(
            0,
            message.at,
            self._spec.station,
            evse,
            connector,
            Kind.TRANSACTION,
            transaction=message.visit.transaction,
            phase=message.phase.value,
            charging_state=words.get(message.state, "Idle") if words else None,
            offline=message.offline,
        )
