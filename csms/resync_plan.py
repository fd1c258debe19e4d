"""Decide which question a station is to be asked next, so that it reports what it did not report by itself.

Pure: it is told what happened and when, and says what to do next; all moments are monotonic seconds. Never sends
anything. Before it: `resync`, which does what it says.

A station that was never accepted is asked for a BootNotification, once per connection: some never boot by themselves,
and until they are accepted every status of theirs is answered SecurityError. The statuses refused so are asked for
after its Boot, as after any other.

Source: design.md §8; facts/hardware-and-ocpp-libraries.md §2.6 #56 to #59; OCPP 1.6 §5.17; OCPP 2.x Part 2 F06.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, assert_never

from csms.commands import Answered, CallFailed, Gone, Outcome, TimedOut, Unreadable
from csms.events import ConnectorAddress, OcppVersion, ResyncOutcome
from csms.options import ServerOptions
from csms.quirk_settings import QuirkSettings

STATION = ConnectorAddress(0, 0)

BOOT_PAYLOAD = {"requestedMessage": "BootNotification"}
"""Source: OCPP 1.6 §6.51 MessageTrigger; OCPP 2.x Part 2 MessageTriggerEnumType."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing to do before this monotonic moment (None: before something happens)."""

    until: float | None


@dataclass(frozen=True, slots=True)
class Ask:
    """Send TriggerMessage(StatusNotification) for this connector."""

    address: ConnectorAddress


@dataclass(frozen=True, slots=True)
class AskBoot:
    """Send TriggerMessage(BootNotification): the station was never accepted, and does not boot by itself."""


@dataclass(frozen=True, slots=True)
class GoOnWithoutBoot:
    """The station was never accepted, and must not be asked to boot."""


@dataclass(frozen=True, slots=True)
class Conclude:
    """Record that this connector's question ended so, without sending anything."""

    address: ConnectorAddress
    outcome: ResyncOutcome


@dataclass(frozen=True, slots=True)
class Finish:
    """Record that the resync is complete."""


Step = Wait | Ask | AskBoot | GoOnWithoutBoot | Conclude | Finish


def askable(version: OcppVersion, address: ConnectorAddress) -> bool:
    """Tell whether TriggerMessage(StatusNotification) can name this address in this version.

    Source: OCPP 1.6 §6.51 (connectorId > 0, or none at all, which stations answer for connector 0); OCPP 2.x Part 2
    F06.FR.13 (StatusNotification: at connector level only).
    """
    match version:
        case OcppVersion.V16:
            return address.evse == 0
        case OcppVersion.V201 | OcppVersion.V21:
            return address.evse > 0 and address.connector > 0
        case _:
            assert_never(version)


def trigger_payload(version: OcppVersion, address: ConnectorAddress) -> dict[str, Any]:
    """Return the TriggerMessage request that asks for this address's status.

    Source: OCPP 1.6 §6.51 TriggerMessage.req; OCPP 2.x Part 2 TriggerMessageRequest.
    """
    match version:
        case OcppVersion.V16:
            named = {} if address == STATION else {"connectorId": address.connector}
            return {"requestedMessage": "StatusNotification", **named}
        case OcppVersion.V201 | OcppVersion.V21:
            return {
                "requestedMessage": "StatusNotification",
                "evse": {"id": address.evse, "connectorId": address.connector},
            }
        case _:
            assert_never(version)


def refused(outcome: Outcome) -> bool:
    """Tell whether the station does not do TriggerMessage(StatusNotification), so that asking on is of no use.

    Source: OCPP 1.6 TriggerMessageStatus and OCPP 2.x Part 2 TriggerMessageStatusEnumType: anything but
    Accepted. A timeout is no refusal: some stations answer after 60 s. Nor is half an answer, which says nothing.
    """
    match outcome:
        case Answered(payload):
            return payload.get("status") != "Accepted"
        case CallFailed():
            return True
        case Unreadable() | TimedOut() | Gone():
            return False
        case _:
            assert_never(outcome)


class Plan:
    """Which question is due, from what has happened on one connection; all moments are monotonic seconds."""

    def __init__(
        self,
        version: OcppVersion,
        connectors: tuple[ConnectorAddress, ...],
        options: ServerOptions,
        *,
        now: float,
        jitter: float,
        accepted: bool,
        refuses: bool,
        firmware: str | None = None,
        quarantined: bool = False,
    ) -> None:
        """Start at the connection's opening; `jitter` in [0, 1) places it within `trigger_spread`.

        A `quarantined` station is asked for nothing but one Boot, and never goes on without.

        `refuses` is about `firmware`, the one of the station's last Boot; None where nobody remembers it.
        """
        self._version = version
        self._options = options
        self._targets = tuple(address for address in connectors if address != STATION)
        self._accepted = accepted
        self._quarantined = quarantined
        self._refuses = refuses
        self._firmware = firmware
        self._boot_asked = False
        self._quirks = QuirkSettings()
        self._asked: set[ConnectorAddress] = set()
        self._lost_levels: dict[ConnectorAddress, None] = {}
        self._connected_at = now
        self._called_at: float | None = None
        self._booted_at: float | None = None
        self._spread = jitter * options.trigger_spread.total_seconds()
        self._not_before = now
        self._setbacks = 0
        self._settled: set[ConnectorAddress] = set()
        self.finished = False
        self.round = 0
        """Counts up whenever the questions start afresh; a question of an earlier round has no outcome."""

    def adapt(self, options: ServerOptions, quirks: QuirkSettings) -> None:
        """Go on with other waits, and with what this device must not be asked."""
        self._options = options
        self._quirks = quirks

    def called(self, now: float) -> None:
        """Note an inbound CALL; only the first one counts."""
        if self._called_at is None:
            self._called_at = now

    def booted(self, now: float, firmware: str) -> None:
        """Note a BootNotification: what was reported before it does not count any more.

        Another firmware than before may do what the old one refused.
        """
        if self._firmware is not None and firmware != self._firmware:
            self._refuses = False
        self._firmware = firmware
        self._booted_at = now
        self._lost_levels.clear()
        self._start_afresh()

    def accepted(self) -> None:
        """Note that the station is accepted; before that every status it sends would be answered SecurityError."""
        self._accepted = True

    def boot_asked(self) -> None:
        """Note that the station is asked for a BootNotification."""
        self._boot_asked = True

    def boot_missing(self) -> bool:
        """Note that the station was asked for a BootNotification in vain; tell whether to go on without one.

        OCPP-J 1.6 §5.6 (errata §3.8) recommends SecurityError before acceptance, and TriggerMessage is optional there:
        a 1.6 station that cannot be asked would be refused for ever. OCPP 2.x Part 2 B01.FR.10 leaves no choice.
        """
        if self._accepted or self._quarantined or self._version is not OcppVersion.V16:
            return False
        self._accepted = True
        return True

    def reported(self, address: ConnectorAddress) -> bool:
        """Note that a status of this address was recorded; tell whether that may change the next step."""
        fresh = address not in self._settled or self._setbacks > 0
        self._setbacks = 0
        self._settled.add(address)
        return fresh

    def asked(self, address: ConnectorAddress) -> None:
        """Note that this connector is asked for its status."""
        self._asked.add(address)

    def replayed(self, now: float, address: ConnectorAddress) -> None:
        """Note a recorded status that is older than the connection: ask for the present one when the replay is over.

        Once per connector and round: what it says when asked stands, whatever time it gives.
        """
        if address in self._asked:
            self.reported(address)
            return
        self._settled.discard(address)
        if address.connector == 0:
            self._lost_levels[address] = None
        self._not_before = max(self._not_before, now + self._options.settle.total_seconds())
        self.finished = False

    def has_reported(self, address: ConnectorAddress) -> bool:
        """Tell whether this address needs no question any more."""
        return address in self._settled

    def lost(self, now: float, addresses: Iterable[ConnectorAddress] = ()) -> None:
        """Note that storage did not take what the station said: everything must be asked again, later.

        `addresses` are those of the lost statuses: a level above the connectors is asked for only where it was lost.
        """
        self._lost_levels.update((address, None) for address in addresses if address.connector == 0)
        self._boot_asked = False
        self._start_afresh()
        self.set_back(now)

    def again(self) -> None:
        """Start afresh where everything was asked: the station was lost and came back on the socket that it had."""
        if self.finished:
            self._start_afresh()

    def set_back(self, now: float) -> None:
        """Note that storage failed; go on after a wait that doubles each time, but only once per wait."""
        if self._setbacks and now < self._not_before:
            return
        wait = min(self._options.storage_retry * 2 ** min(self._setbacks, 16), self._options.storage_retry_max)
        self._setbacks += 1
        self._not_before = now + wait.total_seconds()

    def concluded(self, address: ConnectorAddress, outcome: ResyncOutcome) -> None:
        """Note that the end of this connector's question was recorded."""
        self._setbacks = 0
        self._settled.add(address)

    def refuse(self) -> None:
        """Note that the station refuses to be asked."""
        self._refuses = True

    def finish(self) -> None:
        """Note that the end of the resync was recorded."""
        self._setbacks = 0
        self._lost_levels.clear()
        self.finished = True

    def step(self, now: float) -> Step:
        """Return what is to be done at this moment."""
        if self.finished or (self._boot_asked and not self._accepted):
            return Wait(None)
        if self._quarantined and self._booted_at is not None:
            return Wait(None)
        due = self._due()
        if now < due:
            return Wait(due)
        if not self._accepted:
            return GoOnWithoutBoot() if self._quirks.never_trigger_boot else AskBoot()
        targets = (*self._lost_levels, *self._targets)
        address = next((target for target in targets if target not in self._settled), None)
        if address is None:
            return Finish()
        if self._refuses:
            return Conclude(address, ResyncOutcome.REFUSED)
        if self._quirks.never_trigger or not askable(self._version, address):
            # Nobody can answer: it must not be asked, the inventory names it for another OCPP version, or it is above
            # 2.x's connectors.
            return Conclude(address, ResyncOutcome.TIMED_OUT)
        return Ask(address)

    def _due(self) -> float:
        options = self._options
        if self._booted_at is not None:
            settled = self._booted_at + options.settle_after_boot.total_seconds()
        elif self._called_at is not None:
            settled = self._called_at + options.settle.total_seconds()
        else:
            settled = self._connected_at + (options.first_call_wait + options.settle).total_seconds()
        return max(settled + self._spread, self._not_before)

    def _start_afresh(self) -> None:
        self._settled.clear()
        self._asked.clear()
        self.finished = False
        self.round += 1
