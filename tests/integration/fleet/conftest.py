"""A small central system, written by hand, for stations to talk to over real sockets."""

import asyncio
import base64
import http
import itertools
import json
import re
from dataclasses import replace
from datetime import timedelta
from urllib.parse import unquote

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from simulators.fleet.behaviour import ConnectorState, Step
from simulators.fleet.counts import Counts
from simulators.fleet.journal import Journal
from simulators.fleet.layout import Address, EvseSpec, ReportsBy, StationSpec, Version
from simulators.fleet.line import Line
from simulators.fleet.station import Station

NOW = "2026-01-01T00:00:00Z"
BOUND_S = 8.0


class CentralSystem:
    """Answers every CALL well, unless told to be silent, to refuse, or to answer with an error."""

    def __init__(self):
        self.calls = []  # (station, action, payload), in the order of receipt
        self.handshakes = []  # (station, subprotocol, Authorization)
        self.ids = []  # of the calls
        self.paths = []
        self.others = []  # (station, frame) of CALLRESULTERROR and SEND
        self.unread = []  # what is no JSON; answered with a CALLERROR
        self.bad_results_on = set()
        self.answers_with = {}
        self.tls = None
        self.peers = []  # common name of each client certificate
        self.silent_on = set()
        self.failing_on = set()
        self.refuse_with = None
        self.on_connection = lambda: None  # called for each TCP connection
        self.connections = {}
        self._ids = itertools.count(1)
        self._answers = {}
        self._changed = asyncio.Event()
        self._server = None
        self.port = 0

    async def open(self):
        self._server = await serve(
            self._handle,
            "127.0.0.1",
            self.port,
            process_request=self._judge,
            select_subprotocol=lambda _, offered: offered[0] if offered else None,
            ssl=self.tls,
            ping_interval=None,
            close_timeout=0.1,
            create_connection=self._connection,
        )
        self.port = self._server.sockets[0].getsockname()[1]

    def _connection(self, *args, **options):
        self.on_connection()
        return ServerConnection(*args, **options)

    async def close(self):
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
            self._server = None

    @property
    def url(self):
        return f"{'wss' if self.tls else 'ws'}://localhost:{self.port}/ocpp"

    def _judge(self, connection, request):
        offers = request.headers.get_all("Sec-WebSocket-Protocol")
        self.handshakes.append((_station(request), offers[0] if offers else None, request.headers.get("Authorization")))
        self.paths.append(request.path)
        if "Connection" not in request.headers:
            request.headers["Connection"] = "Upgrade"
            self.unread.append(b"no Connection header")
        if request.protocol == "HTTP/1.0":
            request.protocol = "HTTP/1.1"
            self.unread.append(b"HTTP/1.0")
        if offers == [""]:
            del request.headers["Sec-WebSocket-Protocol"]
        if self.tls is not None:
            subject = (connection.transport.get_extra_info("peercert") or {}).get("subject", ())
            self.peers.append(dict(pair for part in subject for pair in part).get("commonName"))
        self._note()
        if self.refuse_with is not None:
            return connection.respond(http.HTTPStatus(self.refuse_with), "no\n")
        return None

    async def _handle(self, connection):
        station = _station(connection.request)
        self.connections[station] = connection
        while True:
            try:
                data = await connection.recv(decode=False)
            except ConnectionClosed:
                return
            try:
                kind, message_id, *rest = json.loads(data.decode().strip("\ufeff\0"))
            except ValueError:
                await self._refuse(connection, data)
                continue
            if kind in (5, 6):
                self.others.append((station, [kind, message_id, *rest]))
            elif kind == 2:
                action, payload = rest
                self.calls.append((station, action, payload))
                self.ids.append(message_id)
                if action in self.failing_on:
                    await connection.send(json.dumps([4, message_id, "InternalError", "", {}]))
                elif action not in self.silent_on:
                    answer = {"nonsense": 1} if action in self.bad_results_on else self._answer(action)
                    await connection.send(json.dumps([3, message_id, self.answers_with.get(action, answer)]))
            else:
                self._answers[message_id] = rest[0]
            self._note()

    async def _refuse(self, connection, data):
        self.unread.append(data)
        message_id = re.match(rb'\[2,"([^"]+)"', data)
        if message_id is not None:
            await connection.send(json.dumps([4, message_id[1].decode(), "FormationViolation", "", {}]))
        self._note()

    def _answer(self, action):
        match action:
            case "BootNotification":
                return {"status": "Accepted", "currentTime": NOW, "interval": 300}
            case "Heartbeat":
                return {"currentTime": NOW}
            case "StartTransaction":
                return {"transactionId": 41, "idTagInfo": {"status": "Accepted"}}
            case _:
                return {}

    async def ask(self, station, action, payload):
        message_id = f"m{next(self._ids)}"
        await self.connections[station].send(json.dumps([2, message_id, action, payload]))
        await self.until(lambda: message_id in self._answers)
        return self._answers[message_id]

    def answered(self, message_id):
        return message_id in self._answers

    async def until(self, condition):
        async with asyncio.timeout(BOUND_S):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    async def received(self, count, *actions):
        """Wait for so many calls (of these actions), and return (action, payload) of them all."""
        chosen = lambda: [(a, p) for _, a, p in self.calls if not actions or a in actions]  # noqa: E731
        await self.until(lambda: len(chosen()) >= count)
        return chosen()

    def _note(self):
        self._changed.set()


def _station(request):
    return unquote([part for part in request.path.split("/") if part][-1])


class Script:
    """A behaviour that does what the test says, as soon as the test says it."""

    def __init__(self, spec, rest=()):
        self.states = dict.fromkeys(spec.reported, ConnectorState.FREE)
        self._rest = rest

    def step(self):
        return Step(timedelta(hours=1), ())

    def rest(self):
        return self._rest


SPEC_16 = StationSpec(
    "CP-16", Version.V16, "k" * 16, (EvseSpec("DE*ABC*E1", (Address(0, 1), Address(0, 2)), "cs1", "p1"),)
)
SPEC_201 = StationSpec(
    "CP-201",
    Version.V201,
    "k" * 16,
    (
        EvseSpec("DE*ABC*E2*1", (Address(1, 1),), "cs2", "p1"),
        EvseSpec("DE*ABC*E2*2", (Address(2, 1),), "cs2", "p2"),
    ),
)
SPEC_EVENTS = StationSpec(
    "CP-EV", Version.V201, "k" * 16, (EvseSpec("DE*ABC*E3", (Address(1, 1),), "cs3", "p1"),), ReportsBy.NOTIFY_EVENT
)

SPEC_21 = replace(SPEC_201, station="CP-21", version=Version.V21, reports_by=ReportsBy.NOTIFY_EVENT)


@pytest.fixture
async def central():
    system = CentralSystem()
    await system.open()
    yield system
    await system.close()


@pytest.fixture
async def start(central):
    """Start a station with a scripted behaviour: `station = start(SPEC_16)`; ended after the test."""
    tasks = []

    def start_one(spec, rest=(), timeout=timedelta(seconds=5), url=None, **more):
        line = Line(url or central.url, response_timeout=timeout, **more)
        journal = Journal()
        counts = Counts()
        station = Station(spec, Script(spec, rest), journal, counts, line, seed=1)
        station.journal, station.counts = journal, counts
        tasks.append(asyncio.create_task(station.run()))
        return station

    yield start_one
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


@pytest.fixture
def specs():
    return {"1.6": SPEC_16, "2.0.1": SPEC_201, "events": SPEC_EVENTS, "2.1": SPEC_21}


@pytest.fixture
def basic():
    return lambda spec: "Basic " + base64.b64encode(f"{spec.station}:{spec.key}".encode()).decode()
