"""Listen for one mock hub: read each request, let the hub judge it, carry out scripted faults, keep the ledger.

Holds no rule of any hub: those are in `hubject` and `chargeprice`. Before it: the network. After it: `ledger`.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import time
from collections.abc import Coroutine

from aiohttp import web

from simulators.hubs.broken import write_broken
from simulators.hubs.certificates import Authority, client_certificate
from simulators.hubs.exchange import ClientCertificate, Hub, Judgement, Reply, Request
from simulators.hubs.faults import OF_THE_LISTENER, WRITTEN_WRONGLY, FaultBook, FaultKind, FaultSpec
from simulators.hubs.ledger import Entry, Ledger

_STOP_S = 0.2
"""How long a stopping listener waits for requests that hang on purpose."""

_QUEUE = 4
"""Connections that fill the queue of a listener with a backlog of 0; more than the kernel takes."""

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
"""SO_LINGER on with 0 seconds: closing the socket sends RST instead of FIN."""


class HubServer:
    """One mock hub on its own port of 127.0.0.1."""

    def __init__(
        self,
        hub: Hub,
        ledger: Ledger,
        faults: FaultBook,
        *,
        base_path: str = "",
        authority: Authority | None = None,
    ) -> None:
        """Serve `hub`, over TLS with an authority; `base_path` is what its clients' base URL has after the port."""
        self.hub = hub
        self.authority = authority
        self.ledger = ledger
        self.faults = faults
        self.port = 0
        self._base_path = base_path
        self._tasks: set[asyncio.Task[None]] = set()
        self._runner: web.ServerRunner | None = None
        self._site: web.SockSite | None = None
        self._reserved: socket.socket | None = None
        self._fillers: list[socket.socket] = []
        self._switching = asyncio.Lock()

    @property
    def url(self) -> str:
        """Base URL for a client of the hub."""
        origin = "http://127.0.0.1" if self.authority is None else "https://localhost"
        return f"{origin}:{self.port}{self._base_path}"

    async def start(self, port: int) -> None:
        """Listen on `port` (0: a free one). Raises: OSError where it is taken."""
        # Without cancellation, a request whose client gave up would stay open and look like a parallel one.
        server = web.Server(self._handle, handler_cancellation=True, access_log=None)
        self._reserved = _bound(port)
        self._runner = web.ServerRunner(server, shutdown_timeout=_STOP_S)
        await self._runner.setup()
        self.port = self._reserved.getsockname()[1]
        await self._listen()

    async def stop(self) -> None:
        """Close the listener and every connection, if it was started; late applications still to come never happen."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._cut_connections()
        if self._runner is not None:
            await self._runner.cleanup()
        self._empty()
        if self._reserved is not None:
            self._reserved.close()

    async def script(self, spec: FaultSpec) -> str:
        """Switch a fault on and return its id; `down` and `blackhole` are in force when this returns."""
        now = time.time()
        fault_id = self.faults.add(spec, now)
        await self.follow_down()
        if spec.kind in OF_THE_LISTENER and spec.seconds is not None:
            self._spawn(self._follow_down_after(spec.seconds), f"{self.hub.name}-{spec.kind}-{fault_id}")
        return fault_id

    async def follow_down(self) -> None:
        """Make the listener take connections, refuse them or leave them without an answer, as the faults say."""
        async with self._switching:
            match self.faults.unreachable(time.time()):
                case FaultKind.DOWN:
                    await self._refuse()
                case FaultKind.BLACKHOLE:
                    await self._refuse()
                    self._fill()
                case _:
                    await self._listen()

    async def _follow_down_after(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        await self.follow_down()

    async def _listen(self) -> None:
        self._empty()
        if self._reserved is not None and self._runner is not None:
            context = None if self.authority is None else self.authority.context
            self._site = web.SockSite(self._runner, self._reserved, backlog=128, ssl_context=context)
            self._reserved = None
            await self._site.start()

    async def _refuse(self) -> None:
        """Stop listening but keep the port: a bound socket that does not listen refuses connections."""
        self._empty()
        if self._site is not None:
            await self._site.stop()
            self._site = None
            self._cut_connections()
            self._reserved = _bound(self.port)

    def _fill(self) -> None:
        """Listen, take nobody and keep the queue full: whoever else connects gets no answer."""
        if self._reserved is None:
            return
        self._reserved.listen(0)
        for _ in range(_QUEUE):
            waiting = socket.socket()
            waiting.setblocking(False)
            waiting.connect_ex(self._reserved.getsockname())
            self._fillers.append(waiting)

    def _empty(self) -> None:
        """End what `_fill` began; the port is bound anew, since a socket does not stop listening."""
        if self._fillers and self._reserved is not None:
            for waiting in self._fillers:
                waiting.close()
            self._fillers.clear()
            self._reserved.close()
            self._reserved = _bound(self.port)

    @property
    def connections(self) -> int:
        """How many connections are open."""
        return 0 if self._runner is None or self._runner.server is None else len(self._runner.server.connections)

    def _cut_connections(self) -> None:
        if self._runner is None or self._runner.server is None:
            return
        for connection in self._runner.server.connections:
            if isinstance(connection.transport, asyncio.Transport):
                connection.transport.abort()

    async def _handle(self, raw: web.BaseRequest) -> web.StreamResponse:
        headers = {name.lower(): value for name, value in raw.headers.items()}
        received_at = time.time()
        path, _, query = raw.raw_path.partition("?")
        request = Request(raw.method, path, headers, await raw.content.read(), query, _client(raw, received_at))
        judgement = self.hub.judge(request, self.ledger)
        entry = self._begin(judgement, received_at)
        try:
            reply = await self._carry_out(entry, judgement, raw)
        except asyncio.CancelledError:
            self.ledger.abandon(entry)
            raise
        self.ledger.answer(entry, reply.status, reply.code, time.time())
        return _response(reply)

    def _begin(self, judgement: Judgement, now: float) -> Entry:
        entry = self.ledger.begin(now, judgement.operation, judgement.action, judgement.records)
        for what in judgement.violations:
            self.ledger.violate(entry.n, now, what)
        return entry

    async def _carry_out(self, entry: Entry, judgement: Judgement, raw: web.BaseRequest) -> Reply:
        main: FaultSpec | None = None
        keys = [key for key, _ in judgement.records]
        for spec in self.faults.pick(keys, judgement.action, time.time(), judgement.operation):
            self.ledger.note_fault(entry, spec.kind.value)
            if spec.kind is FaultKind.LATENCY:
                await asyncio.sleep(spec.delay_s)
            else:
                main = spec
        if main is None or main.takes_effect():
            self._apply(entry, judgement)
        return judgement.reply if main is None else await self._fail(main, entry, judgement, raw)

    async def _fail(self, spec: FaultSpec, entry: Entry, judgement: Judgement, raw: web.BaseRequest) -> Reply:
        match spec.kind:
            case FaultKind.HANG:
                return await _never()
            case FaultKind.LATE:
                self._spawn(self._apply_late(entry, judgement, spec.delay_s), f"{self.hub.name}-late-{entry.n}")
                return await _never()
            case FaultKind.RESET_BEFORE | FaultKind.RESET_AFTER:
                self.ledger.abandon(entry)
                _reset(raw)
                return await _never()
            case FaultKind.INVALID_BODY:
                return _invalid_body(spec)
            case FaultKind.STATUS | FaultKind.RATE_LIMIT | FaultKind.RESULT_FALSE:
                return self.hub.fault_reply(spec, judgement)
            case kind if kind in WRITTEN_WRONGLY:
                self.ledger.abandon(entry)
                if isinstance(raw.transport, asyncio.Transport):
                    await write_broken(raw.transport, spec, judgement.reply)
                return await _never()
            case _:
                raise AssertionError(
                    f"{spec.kind} is carried out before, or is the listener's: pick does not return it"
                )

    def _apply(self, entry: Entry, judgement: Judgement) -> None:
        if judgement.change is not None:
            self.ledger.apply(entry, judgement.change, time.time())

    async def _apply_late(self, entry: Entry, judgement: Judgement, seconds: float) -> None:
        await asyncio.sleep(seconds)
        self._apply(entry, judgement)

    def _spawn(self, work: Coroutine[None, None, None], name: str) -> None:
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _bound(port: int) -> socket.socket:
    reserved = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        reserved.bind(("127.0.0.1", port))
    except OSError:
        reserved.close()
        raise
    return reserved


async def _never() -> Reply:
    """Wait until the connection is gone, which cancels this."""
    await asyncio.get_running_loop().create_future()
    raise AssertionError("nobody completes this future")


def _client(raw: web.BaseRequest, at: float) -> ClientCertificate | None:
    peer = None if raw.transport is None else raw.transport.get_extra_info("peercert")
    return client_certificate(peer, at) if peer else None


def _reset(raw: web.BaseRequest) -> None:
    transport = raw.transport
    if isinstance(transport, asyncio.Transport):
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        transport.abort()


def _invalid_body(spec: FaultSpec) -> Reply:
    match spec.body:
        case "empty":
            return Reply(200)
        case "html":
            return Reply(200, "<html><body>Sign in</body></html>", "text/html")
        case "not_json":
            return Reply(200, '{"Result": tr')


def _response(reply: Reply) -> web.Response:
    headers = dict(reply.headers)
    if reply.text:
        headers["Content-Type"] = reply.content_type
    return web.Response(status=reply.status, body=reply.body(), headers=headers)
