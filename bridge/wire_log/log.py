"""Carry frames from the ring to the file, in a thread, and tell followers that there is more.

Never lets an error of the file out: lines are lost, counted, and the first failure and the recovery are logged. Before
it: `ring`. After it: `masking` and `file`.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import structlog

from bridge.wire_log.file import WireFile, discard
from bridge.wire_log.line import LONGEST_TEXT, Entry, cut_text
from bridge.wire_log.masking import Masking, is_plain
from bridge.wire_log.ring import Held, Ring

log = structlog.get_logger(__name__)

_AT_ONCE = 5000
"""Lines of one transaction: enough that each station's are few rows, few enough that not all is lost where it fails."""
_BYTES_AT_ONCE = 4 * 2**20
"""Bytes of one transaction, about, by which the file may be longer than it should before the oldest lines go."""


@dataclass(frozen=True, slots=True)
class WireLogOptions:
    """Bounds of the log."""

    per_station: int = 1000
    """Newest lines that are kept of each station."""
    total: int = 256 * 2**20
    """Bytes of the file, about."""
    ring: int = 16 * 2**20
    """Bytes in memory that wait for the file."""
    delay: timedelta = timedelta(milliseconds=200)
    """From the first frame to the flush, so that a flush is worth its while."""


class FileWireLog:
    """The wire log of this process: give `ring` to the OCPP side, `run` it, `stop` and `close` it."""

    def __init__(
        self, state_dir: Path, masking: Masking, options: WireLogOptions, counted: Callable[[str, int], None]
    ) -> None:
        """`counted` is told how many lines were lost, and why: "wire_log_dropped" or "wire_log_failed"."""
        self._state_dir = state_dir
        self._masking = masking
        self._options = options
        self._counted = counted
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="wire-log")
        self._file: WireFile | None = None
        self._failed = False
        self._stopping = False
        self._waiting = asyncio.Event()
        self._flushed: asyncio.Future[None] | None = None
        self.ring = Ring(options.ring, self._waiting.set)

    async def run(self) -> None:
        """Flush whenever something waits, until `stop`, and then for the last time."""
        while not self._stopping:
            await self._waiting.wait()
            if not self._stopping:
                await asyncio.sleep(self._options.delay.total_seconds())
            await self.flush()

    def stop(self) -> None:
        """Let `run` end."""
        self._stopping = True
        self._waiting.set()

    async def flush(self) -> None:
        """Write what the ring holds; never raises for what the file does."""
        self._waiting.clear()
        held = self.ring.take()
        if self.ring.dropped:
            self._counted("wire_log_dropped", self.ring.dropped)
            self.ring.dropped = 0
        loop = asyncio.get_running_loop()
        while held:
            lost = await loop.run_in_executor(self._thread, self._write, _some(held))
            if lost:
                self._counted("wire_log_failed", lost)
        flushed, self._flushed = self._flushed, None
        if flushed is not None:
            flushed.set_result(None)

    def flushed(self) -> asyncio.Future[None]:
        """Return what is done after the next flush; ask for it before looking into the file, and never cancel it."""
        if self._flushed is None:
            self._flushed = asyncio.get_running_loop().create_future()
        return self._flushed

    async def close(self) -> None:
        """Flush for the last time and close the file."""
        await self.flush()
        await asyncio.get_running_loop().run_in_executor(self._thread, self._close)
        self._thread.shutdown()

    # --- in the thread ------------------------------------------------------------------------------------------------

    def _write(self, held: list[Held]) -> int:
        """Write these, and return how many were lost."""
        try:
            if self._file is None:
                options = self._options
                self._file = WireFile(self._state_dir, per_station=options.per_station, total=options.total)
            self._file.append([self._entry(each) for each in held])
        except (sqlite3.Error, OSError) as error:
            self._fail(error)
            return len(held)
        if self._failed:
            self._failed = False
            log.info("wire_log_recovered")
        return 0

    def _entry(self, held: Held) -> Entry:
        data = held.data
        text = data if isinstance(data, str) else data.decode("utf-8", "backslashreplace")
        at = int(held.at * 1_000_000)
        if len(text) <= LONGEST_TEXT and is_plain(text):
            return Entry(at, held.identity, held.epoch, held.kind, text, held.size)
        size = held.size
        if isinstance(data, str) and not data.isascii():  # the ring counted characters
            size = max(size, len(data.encode("utf-8", "backslashreplace")))
        shown, cut = cut_text(self._masking.masked(text))
        return Entry(at, held.identity, held.epoch, held.kind, shown, size, cut or held.size > len(data))

    def _fail(self, error: Exception) -> None:
        if not self._failed:
            self._failed = True
            log.warning("wire_log_failed", why=str(error))
        self._close()
        if type(error) is sqlite3.DatabaseError:  # "malformed", "not a database"; its subclasses are other troubles
            with suppress(OSError):
                discard(self._state_dir)

    def _close(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            with suppress(sqlite3.Error):
                file.close()


def _some(held: deque[Held]) -> list[Held]:
    """Take as many as one transaction may have."""
    taken: list[Held] = []
    size = 0
    while held and len(taken) < _AT_ONCE and size < _BYTES_AT_ONCE:
        taken.append(held.popleft())
        size += taken[-1].size
    return taken
