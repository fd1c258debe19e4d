"""Live one station's life on the network: connect, boot, report what its behaviour does, lose the line, come back.

Never decides what happens at the connectors (`behaviour`) nor how it is worded (`station16`, `station201`). What it
reports goes out through `speaker`, which keeps the journal.

Statuses are level-triggered over connections: one that got no CALLRESULT before the connection ended is not repeated
as history; after the reconnect the station reports what is true then, if that was not answered yet. Transaction events
are kept and sent in their order (OCPP 1.6 §4.1; OCPP 2.0.1 Part 2, E12), 2.0.1 marks the late ones as offline.
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Collection, Iterable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

from ocpp.exceptions import OCPPError, UnknownCallErrorCodeError  # type: ignore[import-untyped]
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import InvalidStatus, WebSocketException

from simulators.fleet import station16, station201
from simulators.fleet.availability import Availability, is_scheduled
from simulators.fleet.behaviour import Action as BehaviourAction
from simulators.fleet.behaviour import Behaviour, LoseNetwork, PowerCycle, ReadMeter, Turn
from simulators.fleet.counts import Counts
from simulators.fleet.journal import Journal
from simulators.fleet.layout import Address, StationSpec, Version
from simulators.fleet.line import Line, end_tasks, open_connection
from simulators.fleet.speaker import Speaker
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

_REFUSALS = frozenset({401, 403, 404})
_BACKOFF_FIRST_S = 0.25
_BACKOFF_LAST_S = 5.0
_OFFLINE_THRESHOLD = timedelta(seconds=10)
"""After a longer loss every status is reported, not only what changed. Source: OCPP 2.0.1 Part 2, B04.FR.01/02."""
_HEARTBEAT = timedelta(seconds=300)


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
        self.refused: int | None = None
        """HTTP status of the last refused handshake; None since one was accepted."""
        self.ever_connected = False
        self._behaviour = behaviour
        self._journal = journal
        self._counts = counts
        self._line = line
        self._random = random.Random(f"station:{seed}:{spec.station}")
        self._dialect: Dialect = station16.DIALECT if spec.version is Version.V16 else station201.DIALECT
        self._speaker = Speaker(spec, self._dialect, journal, counts)
        self._states = dict(behaviour.states)
        self._availability = Availability()
        self._operative_states = dict(behaviour.states)
        self._visits = Visits(spec, self._dialect, self._random, self._speaker.stamp)
        self._pending: deque[Message] = deque()
        self._work = asyncio.Event()
        self._said: dict[Address, str] = {}
        self._owed: set[Address] = set()
        self._connection: ClientConnection | None = None
        self._live = False
        self._booted = False
        self._failures = 0
        self._heartbeat = _HEARTBEAT
        self._network_back_at = 0.0
        self._rest_wanted = asyncio.Event()
        self._resumed = asyncio.Event()
        self._rested = False

    @property
    def connected(self) -> bool:
        """Say whether the WebSocket is open."""
        return self._connection is not None

    @property
    def caught_up(self) -> bool:
        """Say whether the server has answered everything that is true now."""
        return self._live and not self._pending and not any(map(self._unsaid, self._states))

    @property
    def settled(self) -> bool:
        """Say whether the station rests and has caught up."""
        return self._rested and self.caught_up

    def word(self, address: Address) -> str:
        """Return the status word that is true now at `address`."""
        return self._dialect.status_words[self._states[address]]

    async def run(self) -> None:
        """Live until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._live_on(), name=f"behaviour-{self.spec.station}")
            tasks.create_task(self._keep_connected(), name=f"connection-{self.spec.station}")

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
        if self._live and not self._pending:
            self._enqueue(self._status(address) for address in self._states if self._unsaid(address))

    def statuses_wanted(self, address: Address | None) -> None:
        """Report as TriggerMessage asked: one address, or all where it is None."""
        wanted = tuple(self._states) if address is None else (address,)
        self._owed.update(wanted)
        if self._live:
            self._enqueue(self._status(one) for one in wanted)

    def message_wanted(self, message: HeartbeatMessage | BootMessage) -> None:
        """Send what TriggerMessage asked for."""
        self._enqueue((message,))

    def availability_wanted(self, addresses: Collection[Address], *, operative: bool) -> bool:
        """Make these operative or inoperative, as ChangeAvailability asked; False where that waits for a car."""
        self._availability.change(addresses, operative=operative)
        return operative or not is_scheduled(addresses, self._states)

    def availability_changed(self, addresses: Collection[Address]) -> None:
        """Show, and report, what follows from that."""
        for address in addresses:
            if self._show(address):
                self._turned(address)

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
                self._lose_network(lasting)
            case PowerCycle(lasting):
                if self._lose_network(lasting):
                    self._counts.power_cycles += 1
                    self._booted = False

    def _show(self, address: Address) -> bool:
        before = self._states[address]
        self._states[address] = self._availability.shown(address, before, self._operative_states[address])
        return self._states[address] is not before

    def _turned(self, address: Address) -> None:
        event = self._visits.turned(address, self._states[address], offline=not self._live)
        status = (self._status(address),) if self._live and self.word(address) != self._said.get(address) else ()
        if event is None:
            self._enqueue(status)
        elif event.phase is Phase.STARTED and self._dialect.status_first:
            self._enqueue((*status, event))
        else:
            self._enqueue((event, *status))

    def _read_meter(self, address: Address) -> None:
        event = self._visits.metered(address, self._states[address]) if self._live else None
        if event is not None:
            self._enqueue((event,))

    def _lose_network(self, lasting: timedelta) -> bool:
        if self._rest_wanted.is_set():
            return False
        if lasting > _OFFLINE_THRESHOLD:
            self._owed.update(self._states)
        self._network_back_at = asyncio.get_running_loop().time() + lasting.total_seconds() / self._line.speed
        if self._connection is not None:
            self._connection.transport.abort()
        self._counts.losses += 1
        return True

    # --- connections ---

    async def _keep_connected(self) -> None:
        while True:
            await self._network_returns()
            try:
                await self._session()
            except InvalidStatus as refusal:
                self._note_refusal(refusal.response.status_code)
            except (OSError, WebSocketException) as error:  # OSError includes TimeoutError
                self._counts.note_failure(error, connected=self.ever_connected)
            await asyncio.sleep(self._backoff())

    async def _network_returns(self) -> None:
        left = self._network_back_at - asyncio.get_running_loop().time()
        if left > 0:
            await self._wait(timedelta(seconds=left))

    def _note_refusal(self, status: int) -> None:
        self._counts.refusals += 1
        self.refused = status if status in _REFUSALS else None
        if self.refused is None:
            self._counts.last_failure = f"HTTP {status}"

    def _backoff(self) -> float:
        full: float = min(_BACKOFF_LAST_S, _BACKOFF_FIRST_S * 2**self._failures)
        self._failures = min(self._failures + 1, 10)
        return full * self._random.uniform(0.5, 1.0)

    async def _session(self) -> None:
        connection = await open_connection(self.spec, self._line)
        self._connection, self.refused, self.ever_connected = connection, None, True
        self._counts.connections += 1
        wire = self._wire(connection)
        tasks = (
            asyncio.create_task(wire.start(), name=f"listen-{self.spec.station}"),
            asyncio.create_task(self._speak(wire), name=f"speak-{self.spec.station}"),
        )
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            self._live, self._connection = False, None
            await end_tasks(tasks)
            await connection.close(code=1001)

    def _wire(self, connection: ClientConnection) -> Wire:
        timeout = self._line.response_timeout
        match self.spec.version:
            case Version.V16:
                return station16.Station16(self.spec, connection, self, timeout)
            case Version.V201:
                return station201.Station201(self.spec, connection, self, timeout)

    # --- what is said ---

    async def _speak(self, wire: Wire) -> None:
        kept = [message for message in self._pending if isinstance(message, TransactionMessage)]
        self._pending = deque(replace(message, offline=True) for message in kept)
        if not self._booted:
            await self._boot(wire)
        self._failures = 0
        self._live = True
        self._enqueue(self._status(one) for one in self._states if one in self._owed or self._unsaid(one))
        while True:
            await self._send_next(wire)

    async def _boot(self, wire: Wire) -> None:
        while not self._booted:
            answer = await wire.boot()
            if answer.interval > timedelta():
                self._heartbeat = answer.interval
            self._booted = answer.accepted
            if not answer.accepted:
                await asyncio.sleep(min(self._heartbeat.total_seconds(), 10) / self._line.speed)
        self._owed.update(self._states)

    async def _send_next(self, wire: Wire) -> None:
        self._work.clear()
        if not self._pending:
            try:
                async with asyncio.timeout(self._heartbeat.total_seconds()):
                    await self._work.wait()
            except TimeoutError:
                self._enqueue((HeartbeatMessage(),))
        message = self._pending[0]
        try:
            await self._send(wire, message)
        except (OCPPError, UnknownCallErrorCodeError) as error:
            self._counts.note_error(error)
        except TimeoutError as error:
            self._counts.note_error(error)
            raise
        self._pending.popleft()

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
                self._enqueue(self._status(one) for one in self._states)

    def _status(self, address: Address) -> StatusMessage:
        self._said[address] = self.word(address)
        return StatusMessage(address, self._said[address])

    def _unsaid(self, address: Address) -> bool:
        last = self._journal.last(self.spec.station, address)
        return last is None or not last.answered or last.status != self.word(address)

    def _enqueue(self, messages: Iterable[Message]) -> None:
        self._pending.extend(messages)
        if self._pending:
            self._work.set()
