"""Live one station's life: boot, report what its behaviour does, lose the network, come back; all over `link`.

Never decides what happens at the connectors (`behaviour`) nor how it is worded (`station16`, `station2x`). What it
reports goes out through `speaker`, which keeps the journal.

Statuses are level-triggered over connections: one that got no CALLRESULT before the connection ended is not repeated
as history; after the reconnect the station reports what is true then, if that was not answered yet. Transaction events
are kept and sent in their order (OCPP 1.6 §4.1; OCPP 2.0.1 Part 2, E12), 2.x marks the late ones as offline. With the
quirk `offline-queue` the statuses of a loss are kept, too, each with its own time.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Collection, Iterable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

from ocpp.exceptions import OCPPError, UnknownCallErrorCodeError  # type: ignore[import-untyped]

from simulators.fleet import station2x, station16
from simulators.fleet.availability import Availability, is_scheduled
from simulators.fleet.behaviour import Action as BehaviourAction
from simulators.fleet.behaviour import Behaviour, LoseNetwork, PowerCycle, ReadMeter, Turn
from simulators.fleet.counts import Counts
from simulators.fleet.credentials import Credentials, KeyChange
from simulators.fleet.habits import Habits
from simulators.fleet.journal import Journal
from simulators.fleet.layout import Address, StationSpec, Version
from simulators.fleet.line import Line
from simulators.fleet.link import Link, Talk
from simulators.fleet.outbox import Outbox
from simulators.fleet.speaker import Speaker
from simulators.fleet.told import Told
from simulators.fleet.visits import Visits
from simulators.fleet.wire import (
    BootMessage,
    Dialect,
    HeartbeatMessage,
    Message,
    Phase,
    StatusMessage,
    TransactionMessage,
    Wire,
)

_OFFLINE_THRESHOLD = timedelta(seconds=10)
"""After a longer loss every status is reported, not only what changed. Source: OCPP 2.0.1 Part 2, B04.FR.01/02."""
_HEARTBEAT = timedelta(seconds=300)
_RESTART = timedelta(seconds=5)
_BOOT_AGAIN = timedelta(seconds=10)


class Station:
    """One simulated charging station. `run` it in a task; cancel that to end it with a clean close."""

    def __init__(
        self,
        spec: StationSpec,
        behaviour: Behaviour,
        journal: Journal,
        counts: Counts,
        line: Line,
        seed: int,
    ) -> None:
        """Begin unconnected, with the states that the behaviour begins with."""
        self.spec = spec
        self._behaviour = behaviour
        self._counts = counts
        self._line = line
        self._random = random.Random(f"station:{seed}:{spec.station}")
        self._dialect: Dialect = station16.DIALECT if spec.version is Version.V16 else station2x.DIALECT
        self._habits = Habits(spec, self._dialect)
        self._speaker = Speaker(spec, self._dialect, journal, counts)
        self._states = dict(behaviour.states)
        self._availability = Availability()
        self._operative_states = dict(behaviour.states)
        self._visits = Visits(spec, self._dialect, self._random, self._speaker.stamp)
        self._outbox = Outbox()
        self._told = Told(spec.station, journal, self._habits, self.word)
        self._said: dict[Address, str] = {}
        self._owed: set[Address] = set()
        self._asked_early: set[Address] = set()
        self._speaking = False
        self._booted = False
        self._heartbeat = _HEARTBEAT
        self._rest_wanted = asyncio.Event()
        self._resumed = asyncio.Event()
        self._rested = False
        self._credentials = Credentials(spec)
        talk = Talk(self._speak, self, lambda: self._booted)
        self._link = Link(spec, line, counts, self._random, self._credentials, talk, self._rest_wanted)

    @property
    def connected(self) -> bool:
        """Say whether the WebSocket is open."""
        return self._link.connected

    @property
    def refused(self) -> int | None:
        """Return the HTTP status of the last refused handshake; None since one was accepted."""
        return self._link.refused

    @property
    def ever_connected(self) -> bool:
        """Say whether the server ever let the station in."""
        return self._link.ever_connected

    @property
    def _live(self) -> bool:
        """Say whether what happens is reported at once."""
        return self._speaking and self._link.connected

    @property
    def caught_up(self) -> bool:
        """Say whether the server has answered everything that is true now."""
        return self._live and not self._outbox and all(map(self._told.is_answered, self._states))

    @property
    def settled(self) -> bool:
        """Say whether the station rests and has caught up."""
        return self._rested and self.caught_up

    def word(self, address: Address) -> str:
        """Return the status word that is true now at `address`."""
        return self._habits.word(address, self._states)

    async def run(self) -> None:
        """Live until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._live_on(), name=f"behaviour-{self.spec.station}")
            tasks.create_task(self._link.keep(), name=f"connection-{self.spec.station}")

    def rest(self) -> None:
        """Let the behaviour make its last changes and stand still, with the network there."""
        self._resumed.clear()
        self._rest_wanted.set()

    def resume(self) -> None:
        """Let the behaviour go on."""
        self._rested = False
        self._rest_wanted.clear()
        self._resumed.set()

    def repeat_unanswered(self) -> None:
        """Report again what was refused or never answered, if nothing else is waiting to be sent."""
        if self._live and not self._outbox:
            self._outbox.add(self._status(address) for address in self._states if self._told.is_to_be_repeated(address))

    def statuses_wanted(self, address: Address | None) -> None:
        """Report as TriggerMessage asked: one address, or all where it is None."""
        wanted = self._habits.meant_by_trigger(tuple(self._states)) if address is None else (address,)
        self._owed.update(wanted)
        self._asked_early.update(() if self._live else wanted)
        if self._live:
            self._outbox.add(self._status(one) for one in wanted)

    def message_wanted(self, message: HeartbeatMessage | BootMessage) -> None:
        """Send what TriggerMessage asked for."""
        self._outbox.add((message,))

    def availability_wanted(self, addresses: Collection[Address], *, operative: bool) -> bool:
        """Make these operative or inoperative, as ChangeAvailability asked; False where that waits for a car."""
        self._availability.change(addresses, operative=operative)
        return operative or not is_scheduled(addresses, self._states)

    def availability_changed(self, addresses: Collection[Address]) -> None:
        """Show, and report, what follows from that."""
        for address in addresses:
            if self._show(address):
                self._turned(address)

    def key_wanted(self, text: str) -> KeyChange:
        """Take a new key; one that crashes at it does so before it has answered."""
        change = self._credentials.change(text)
        if change is KeyChange.CRASHED:
            self._power_cycle(_RESTART)
        return change

    def reconnect_wanted(self) -> None:
        """Connect anew."""
        self._link.reconnect()

    def leave_open(self) -> None:
        """Leave the connection half open, and connect anew."""
        self._link.leave_open()

    def lose_network(self, lasting: timedelta) -> None:
        """Lose the connection, and find the network again after so long in the station's own time; at rest at once."""
        if lasting > _OFFLINE_THRESHOLD:
            self._owed.update(self._states)
        self._link.lose(lasting)
        self._counts.losses += 1

    # --- what happens at the station ---

    async def _live_on(self) -> None:
        while True:
            if self._rest_wanted.is_set():
                for turn in self._behaviour.rest():
                    self.act(turn)
                self._rested = True
                await self._resumed.wait()
            step = self._behaviour.step()
            await self._wait(step.delay / self._line.speed)
            for action in step.actions:
                self.act(action)

    async def _wait(self, delay: timedelta) -> None:
        """Wait this long, or until the station is to rest."""
        with suppress(TimeoutError):
            async with asyncio.timeout(delay.total_seconds()):
                await self._rest_wanted.wait()

    def act(self, action: BehaviourAction) -> None:
        """Let this happen now."""
        match action:
            case Turn(address, state):
                self._operative_states[address] = state
                self._show(address)
                self._turned(address)
            case ReadMeter(address):
                self._read_meter(address)
            case LoseNetwork(lasting):
                if not self._rest_wanted.is_set():
                    self.lose_network(lasting)
            case PowerCycle(lasting):
                if not self._rest_wanted.is_set():
                    self._power_cycle(lasting)

    def _show(self, address: Address) -> bool:
        before = self._states[address]
        self._states[address] = self._availability.shown(address, before, self._operative_states[address])
        return self._states[address] is not before

    def _turned(self, address: Address) -> None:
        event = self._visits.turned(address, self._states[address], offline=not self._live)
        status = tuple(self._statuses(address))
        if event is None:
            self._outbox.add(status)
        elif event.phase is Phase.STARTED and self._dialect.status_first:
            self._outbox.add((*status, event))
        else:
            self._outbox.add((event, *status))

    def _read_meter(self, address: Address) -> None:
        event = self._visits.metered(address, self._states[address]) if self._live else None
        if event is not None:
            self._outbox.add((event,))

    def _power_cycle(self, lasting: timedelta) -> None:
        self.lose_network(lasting)
        self._counts.power_cycles += 1
        self._booted = False

    # --- what is said ---

    async def _speak(self, wire: Wire) -> None:
        self._outbox.keep_history()
        try:
            if self._habits.boots and not self._booted:
                await self._boot(wire)
            self._link.accepted()
            self._speaking = True
            self._outbox.add(self._status(one) for one in self._states if self._is_due(one))
            self._asked_early.clear()
            while True:
                await self._send_next(wire)
        finally:
            self._speaking = False

    def _is_due(self, address: Address) -> bool:
        return address in self._asked_early or self._told.is_due_on_connect(address, owed=address in self._owed)

    async def _boot(self, wire: Wire) -> None:
        while not self._booted:
            await asyncio.sleep(self._habits.before_boot / self._line.speed)
            if not await self._try_to_boot(wire):
                await asyncio.sleep(min(self._heartbeat, _BOOT_AGAIN).total_seconds() / self._line.speed)
        self._owed.update(self._states)

    async def _try_to_boot(self, wire: Wire) -> bool:
        try:
            answer = await wire.boot()
        except (OCPPError, UnknownCallErrorCodeError) as error:
            self._counts.note_error(error)
            return False
        if answer.interval > timedelta():
            self._heartbeat = answer.interval
        self._booted = answer.accepted
        return answer.accepted

    async def _send_next(self, wire: Wire) -> None:
        message = await self._outbox.first(self._heartbeat)
        try:
            await self._send(wire, message)
        except (OCPPError, UnknownCallErrorCodeError) as error:
            self._counts.note_error(error)
        except TimeoutError as error:
            self._counts.note_error(error)
            raise
        self._outbox.done()

    async def _send(self, wire: Wire, message: Message) -> None:
        match message:
            case StatusMessage():
                await self._speaker.report_status(wire, message)
                self._owed.discard(message.address)
            case TransactionMessage():
                await self._speaker.report_transaction(wire, message)
            case HeartbeatMessage():
                await wire.heartbeat()
            case BootMessage():
                self._booted = False
                await self._boot(wire)
                self._outbox.add(self._status(one) for one in self._states)

    def _statuses(self, address: Address) -> Iterable[StatusMessage]:
        """Return what is said of a change: nothing where it was said already, or will be when the network is back."""
        for one in self._habits.told_with(address, tuple(self._states)):
            if self.word(one) == self._said.get(one):
                continue
            if self._live:
                yield from self._habits.before(one, self.word(one))
                yield self._status(one)
            elif self._habits.keeps_statuses:
                yield replace(self._status(one), at=self._speaker.stamp())

    def _status(self, address: Address) -> StatusMessage:
        self._said[address] = self.word(address)
        return StatusMessage(address, self._said[address])
