"""Be a disk that breaks, and a disk that loses power. Implements `vfs.Disk`.

A disk that loses power keeps what was synced. What was written and not synced yet may be on it or not, sector by
sector and in any order: chance decides, by a seed.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.torture.disk.vfs import OK

FULL = 13
"""Source: SQLite, "Result and Error Codes": SQLITE_FULL, what the unix VFS makes of ENOSPC."""
READONLY = 8
CORRUPT = 11
WRITE_FAILED, SYNC_FAILED, CUT_FAILED = 778, 1034, 1546
"""SQLITE_IOERR_WRITE, SQLITE_IOERR_FSYNC, SQLITE_IOERR_TRUNCATE."""
_FAILURES = {"write": WRITE_FAILED, "sync": SYNC_FAILED, "truncate": CUT_FAILED}
_SECTOR = 512
_JOURNALS = ("-journal", "-wal")


class SoundDisk:
    """A disk on which nothing fails; the others are this one with a fault."""

    def fault(self, operation: str, path: str) -> int:
        return OK

    def opened(self, path: str) -> None:
        return

    def written(self, path: str, offset: int, data: bytes) -> None:
        return

    def truncated(self, path: str, size: int) -> None:
        return

    def synced(self, path: str) -> None:
        return

    def deleted(self, path: str, *, durably: bool) -> None:
        return


class BreakingDisk(SoundDisk):
    """A disk on which one operation fails with an I/O error, and every other one is done."""

    def __init__(self) -> None:
        self._operation, self._left = "", 0
        self.broke: str | None = None
        """Which operation failed; None: none has yet."""

    def arm(self, operation: str, nth: int) -> None:
        """Let the nth such operation from now on fail: write, sync, truncate; 0: none."""
        self._operation, self._left = operation, nth

    def fault(self, operation: str, path: str) -> int:
        if operation != self._operation or not self._left:
            return OK
        self._left -= 1
        if self._left:
            return OK
        self.broke = f"{operation} {Path(path).name}"
        return _FAILURES[operation]


class RefusingDisk(SoundDisk):
    """A disk on which every write fails with the result code in a file, while that file is there."""

    def __init__(self, order: Path) -> None:
        self._order = order

    def fault(self, operation: str, path: str) -> int:
        if operation != "write":
            return OK
        try:
            return int(self._order.read_text(encoding="ascii"))
        except FileNotFoundError:
            return OK


Change = tuple[int, bytes | None]
"""Bytes written at an offset; or None: the file was cut to this size."""


@dataclass
class _File:
    synced: bytearray = field(default_factory=bytearray)
    pending: list[Change] = field(default_factory=list)
    sure: bool = False
    """Its name is on the disk, too."""
    deleted: bool = False


Image = dict[str, bytes]
"""What is on a disk: content by path."""


class PowerlessDisk(SoundDisk):
    """A disk whose power can be lost: `on_operation` is called before each operation, `image` says what stays."""

    def __init__(self, on_operation: Callable[[], None] = lambda: None) -> None:
        self._files: dict[str, _File] = {}
        self.on_operation = on_operation

    def fault(self, operation: str, path: str) -> int:
        self.on_operation()
        return OK

    def opened(self, path: str) -> None:
        if path not in self._files or self._files[path].deleted:
            content = bytearray(Path(path).read_bytes())
            self._files[path] = _File(content, sure=bool(content))

    def written(self, path: str, offset: int, data: bytes) -> None:
        self._files[path].pending.append((offset, data))

    def truncated(self, path: str, size: int) -> None:
        self._files[path].pending.append((size, None))

    def synced(self, path: str) -> None:
        file = self._files[path]
        for change in file.pending:
            _apply(file.synced, change)
        file.pending.clear()
        if not file.sure and path.endswith(_JOURNALS):
            self._sync_folder()
        file.sure = True

    def deleted(self, path: str, *, durably: bool) -> None:
        if durably:
            self._files.pop(path, None)
        elif path in self._files:
            self._files[path].deleted = True

    def _sync_folder(self) -> None:
        """The unix VFS syncs the folder with the first sync of a journal: names made and removed so far are sure."""
        self._files = {path: file for path, file in self._files.items() if not file.deleted}
        for file in self._files.values():
            file.sure = True

    def image(self, chance: random.Random) -> Image:
        """Return what a loss of power at this moment leaves behind."""
        found: Image = {}
        for path, file in self._files.items():
            if (file.deleted or not file.sure) and chance.random() < 0.5:
                continue
            content = bytearray(file.synced)
            share = chance.choice((0.0, 0.5, 0.9, 1.0))
            for change in file.pending:
                _apply_by_chance(content, change, share, chance)
            found[path] = bytes(content)
        return found


def _apply(content: bytearray, change: Change) -> None:
    offset, data = change
    if data is None:
        del content[offset:]
        return
    if len(content) < offset:
        content.extend(bytes(offset - len(content)))
    content[offset : offset + len(data)] = data


def _apply_by_chance(content: bytearray, change: Change, share: float, chance: random.Random) -> None:
    offset, data = change
    if data is None:
        if chance.random() < share:
            _apply(content, change)
        return
    for first in range(0, len(data), _SECTOR):
        if chance.random() < share:
            _apply(content, (offset + first, data[first : first + _SECTOR]))
