"""Open the wire log, and answer questions about it from its file. Implements `bridge.web.wire_services`.

Before it: `web`, or the command line with the bridge stopped. After it: `wire_log`.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from bridge.app import options as fill
from bridge.app.counts import Counts
from bridge.settings import Settings
from bridge.web.services import Unavailable
from bridge.web.wire_services import LONGEST_WAIT
from bridge.web.wire_shapes import WireLine, WireLines
from bridge.wire_log import FileWireLog, Line, LogUnreadable, Masking, read_lines


def open_wire_log(settings: Settings, pepper: bytes, counts: Counts) -> FileWireLog | None:
    """Return the wire log, or None where it is off; its pseudonyms' key comes from the pepper, and is not the pepper.

    Of the files nothing is touched before the first line.
    """
    if not settings.wire_log.enabled:
        return None
    masking = Masking(hmac.digest(pepper, b"wire log pseudonyms", hashlib.sha256))
    return FileWireLog(settings.state_dir, masking, fill.wire_log_options(settings), counts.add)


class StoredWireLog:
    """The lines in this state folder."""

    def __init__(self, state_dir: Path, written: FileWireLog | None) -> None:
        """`written`: the log of this process; None where it writes none, and who waits waits in vain."""
        self._state_dir = state_dir
        self._written = written

    async def lines(
        self,
        station: str,
        *,
        limit: int,
        after: int | None = None,
        since: datetime | None = None,
        wait: timedelta = timedelta(0),
    ) -> WireLines:
        """Return lines of a station; see `WireLogServices`. Raises: Unavailable."""
        question = partial(read_lines, self._state_dir, station, limit=limit, after=after, since=since)
        ends = asyncio.get_running_loop().time() + min(wait, LONGEST_WAIT).total_seconds()
        while True:
            flushed = None if self._written is None else self._written.flushed()
            try:
                found = await asyncio.to_thread(question)
            except LogUnreadable as error:
                raise Unavailable(str(error)) from error
            left = ends - asyncio.get_running_loop().time()
            if found or left <= 0:
                return WireLines(items=tuple(map(_shown, found)), cursor=found[-1].id if found else after)
            if flushed is None:
                await asyncio.sleep(left)
            else:
                await asyncio.wait({flushed}, timeout=left)


def _shown(line: Line) -> WireLine:
    return WireLine.model_validate(
        {
            "id": line.id,
            "at": line.at,
            "station": line.station,
            "epoch": line.epoch,
            "direction": line.kind.name.lower(),
            "text": line.text,
            "size": line.size,
            "cut": line.cut,
        }
    )
