"""Keep the file that remembers how far the database had come, so that a restored one is noticed at the next start.

Written after each mark is committed, never before: the file is never ahead of a database that was not restored. Never
decides; a file that cannot be written costs only that notice. Before it: `parts`. After it: `edits.restored`.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path

import structlog

from bridge.core.marks import Marks
from bridge.core.model import Moment
from bridge.edits.restored import Beginning, begin, count_marks
from bridge.store.errors import StoreError
from bridge.store.writer import Writer

log = structlog.get_logger(__name__)

MARKS_FILE = "database-marks.json"


def read_marks_file(state_dir: Path) -> Marks | None:
    """Return what the file says; None where it is missing or unreadable."""
    try:
        content = json.loads((state_dir / MARKS_FILE).read_text(encoding="ascii"))
        return Marks(int(content["mark"]), int(content["transaction_id"]), int(content["temporary_id"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write_marks_file(state_dir: Path, marks: Marks) -> None:
    """Write the file, whole or not at all, to the disk. Raises: OSError."""
    draft = state_dir / f".{MARKS_FILE}.{os.getpid()}"
    with draft.open("w", encoding="ascii") as file:
        file.write(json.dumps(asdict(marks)) + "\n")
        file.flush()
        os.fsync(file.fileno())
    draft.replace(state_dir / MARKS_FILE)


@dataclass(slots=True)
class DatabaseMarks:
    """Counts marks while the bridge runs. Run `run` as one named task, after `begin`."""

    writer: Writer
    state_dir: Path
    clock: Callable[[], Moment]
    every: timedelta = timedelta(seconds=30)
    """A copy that is younger than this, and put back without `db restore`, may go unnoticed."""
    _unwritten: bool = False

    async def begin(self, pause: timedelta) -> bool:
        """Count the first mark and tell whether the database was restored. Raises: StoreError.

        `pause`: how long accounts then send nothing.
        """
        seen = read_marks_file(self.state_dir)
        begun = await self.writer.submit(begin, Beginning(seen, pause, self.clock()))
        if begun.restored:
            log.warning("database_restored", mark=begun.marks.mark, pause_s=pause.total_seconds())
        await self._write(begun.marks)
        return begun.restored

    async def run(self) -> None:
        """Count until cancelled; where storage fails, later again: lanes and ticker say so."""
        while True:
            await asyncio.sleep(self.every.total_seconds())
            try:
                await self.count()
            except StoreError:
                continue

    async def count(self) -> None:
        """Count one mark. Raises: StoreError."""
        await self._write(await self.writer.submit(count_marks, None))

    async def _write(self, marks: Marks) -> None:
        try:
            await asyncio.to_thread(write_marks_file, self.state_dir, marks)
        except OSError as error:
            if not self._unwritten:
                log.warning("database_marks_not_written", why=error.strerror or str(error))
            self._unwritten = True
        else:
            self._unwritten = False
