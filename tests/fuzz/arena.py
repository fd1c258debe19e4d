"""Be a central system under attack: a server, a witness beside the attacked station, and what must not be left behind.

What is attacked is the shipped server on a real socket. The host is in memory, so that memory can be measured.
"""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import tracemalloc
from collections.abc import Awaitable, Callable, Coroutine, Iterator, MutableMapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, NoReturn, TypeVar

import psutil
import structlog

from csms.events import Epoch, OcppVersion, StationConnected, StationEvent
from csms.faults import Fault, error_code
from csms.options import ServerOptions
from csms.replies import IdTagPolicy, LocalReplies, ReplyOptions
from csms.server import CentralSystem
from tests.integration.csms.fakes import (
    KEY,
    PATIENCE_S,
    PEPPER,
    STATUS_16,
    STATUS_201,
    FakeCounter,
    FakeRecorder,
    FakeRegistry,
    Station,
    basic,
    dial,
)

KEPT_BYTES = 128 * 1024
"""What the server, its WebSocket library and asyncio may hold more after an attack than before it, however long."""

MAX_SIZE = 20_000
# RFC 6455 §7.4.1 and the IANA registry of close codes; 1011 would be an error of ours.
CLOSE_CODES = {1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1012, 1013, 1014}
ERROR_CODES = {version: {error_code(fault, version) for fault in Fault} for version in OcppVersion}

T = TypeVar("T")


class _Forgetful(FakeRecorder):
    """Keeps nothing: what a host stores is not the server's memory."""

    _opened = 0

    async def open(self, connected: StationConnected) -> Epoch:
        self._opened += 1
        self.epochs[connected.station] = Epoch(self._opened)
        return self.epochs[connected.station]

    async def record(self, event: StationEvent) -> Any:
        receipt = await super().record(event)
        self.events.clear()
        return receipt


class Arena:
    """One server on a loop of its own, with BAD, STRICT and WITNESS in its registry."""

    def __init__(self) -> None:
        self._runner = asyncio.Runner()
        self._errors: list[str] = []
        self._runner.get_loop().set_exception_handler(lambda _loop, context: self._errors.append(str(context)))
        self.registry, self.counter = FakeRegistry(), FakeCounter()
        self.recorder = _Forgetful()
        for name in ("BAD", "SHAKER", "WITNESS"):
            self.registry.add(name)
        self.registry.add("STRICT", strict=True)
        hour = timedelta(hours=1)
        options = ServerOptions(
            port=0,
            max_size=MAX_SIZE,
            settle=hour,
            settle_after_boot=hour,
            messages_per_second=0,
            failures_window=timedelta(milliseconds=1),
            close_timeout=timedelta(milliseconds=50),
            stop_timeout=timedelta(seconds=3),
            hold_certificate_requests=True,
        )
        replies = LocalReplies(lambda: datetime.now(UTC), ReplyOptions(id_tags=IdTagPolicy.ACCEPT))
        self._central = CentralSystem(options, self.registry, self.recorder, replies, self.counter, PEPPER)
        self.port = self.run(self._central.start())

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return self._runner.run(coroutine)

    def close(self) -> None:
        self.run(self._central.stop())
        self._runner.close()

    async def beside(self, attack: Callable[[], Awaitable[None]], version: OcppVersion) -> None:
        """Attack, while another station gets an answer to everything that it sends."""
        witness = await dial(self.port, "WITNESS", offers=[version.value])
        over = asyncio.Event()

        async def live() -> None:
            status = STATUS_16 if version is OcppVersion.V16 else STATUS_201
            while not over.is_set():
                assert await witness.call("StatusNotification", status) == [3, f"m{witness._sent}", {}]
                await asyncio.sleep(0.001)
            assert (await witness.call("Heartbeat", {}))[0] == 3

        async with asyncio.TaskGroup() as group:
            group.create_task(live())
            try:
                await attack()
            finally:
                over.set()
        await witness.socket.close()

    @contextmanager
    def leaves_nothing(self, version: OcppVersion) -> Iterator[None]:
        """Check that what runs inside leaves no session, task, file or memory behind, and no error of ours."""
        self.run(self.beside(self._nothing, version))
        self.run(self._settled())
        tracemalloc.start()
        try:
            before = self._held()
            with self._logged_errors(), self._library_errors():
                yield
            self.run(self._settled())
            after = self._held()
        finally:
            tracemalloc.stop()
        assert after[:2] == before[:2], "tasks and open files"
        assert after[2] - before[2] <= KEPT_BYTES, "bytes"
        assert not self._errors, self._errors[:3]
        assert self.counter.counts["frame_failed"] == 0

    async def _nothing(self) -> None:
        """Attack nobody: the witness alone has everything loaded that is loaded once."""

    async def _settled(self) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while self._central.connected:  # noqa: ASYNC110 - the ends of sockets set no event here
                await asyncio.sleep(0.01)
        await asyncio.sleep(0.05)

    async def forgets(self, identity: str) -> None:
        """Wait until the server has no session of the station any more."""
        async with asyncio.timeout(PATIENCE_S):
            while identity in self._central.connected:  # noqa: ASYNC110 - the ends of sockets set no event here
                await asyncio.sleep(0.005)

    def _held(self) -> tuple[int, int, int]:
        """Return how many tasks and files there are, and how many bytes the parts under test hold."""
        gc.collect()
        kept = [tracemalloc.Filter(True, f"*/{part}/*") for part in ("csms", "websockets", "asyncio", "json")]
        kept.append(tracemalloc.Filter(False, "*/tests/*"))
        traces = tracemalloc.take_snapshot().filter_traces(kept)
        files = psutil.Process().num_fds()
        return len(asyncio.all_tasks(self._runner.get_loop())), files, sum(trace.size for trace in traces.traces)

    @contextmanager
    def _logged_errors(self) -> Iterator[None]:
        """Keep the server's own lines where they are errors; the rest would be memory that is not the server's."""

        def keep(_logger: object, method: str, event: MutableMapping[str, Any]) -> NoReturn:
            if method in ("error", "exception", "critical"):
                self._errors.append(str(event))
            raise structlog.DropEvent

        processors = structlog.get_config()["processors"]
        before = processors.copy()
        processors[:] = [keep]
        try:
            yield
        finally:
            processors[:] = before

    @contextmanager
    def _library_errors(self) -> Iterator[None]:
        arena = self

        class Keeping(logging.Handler):
            def emit(self, record: logging.LogRecord) -> None:
                arena._errors.append(record.getMessage())

        handler = Keeping(logging.ERROR)
        loggers = [logging.getLogger(name) for name in ("websockets", "asyncio")]
        for logger in loggers:
            logger.addHandler(handler)
        try:
            yield
        finally:
            for logger in loggers:
                logger.removeHandler(handler)

    async def upgraded(
        self, identity: str, version: OcppVersion, *, compressed: bool
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Open a WebSocket by hand, so that anything can be written behind the handshake."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        extensions = "Sec-WebSocket-Extensions: permessage-deflate\r\n" if compressed else ""
        writer.write(
            f"GET /{identity} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n{extensions}"
            f"Sec-WebSocket-Protocol: {version}\r\nAuthorization: {basic(identity, KEY)}\r\n\r\n".encode()
        )
        async with asyncio.timeout(PATIENCE_S):
            head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 101 ")
        return reader, writer

    async def station(self, identity: str, version: OcppVersion) -> Station:
        return await dial(self.port, identity, offers=[version.value])


def check_text(text: str | bytes, version: OcppVersion) -> list[Any]:
    """Check that this is a legal answer of ours, and return it."""
    message = json.loads(text)
    assert type(message) is list
    assert message[0] in (3, 4)
    assert type(message[1]) is str
    assert 0 < len(message[1]) <= 36
    if message[0] == 3:
        assert len(message) == 3
        assert type(message[2]) is dict
    else:
        assert message[2] in ERROR_CODES[version]
        assert type(message[3]) is str
        assert len(message[3]) <= 255
        assert message[4:] == [{}]
    return message
