"""Stand between SQLite and the disk: a VFS that fails on demand, and that knows what would survive a loss of power.

SQLite's own unix VFS does all the work; its functions that write, cut, sync and delete files are replaced with ours,
which ask a `Disk` first and tell it afterwards. It becomes the default VFS of the libsqlite3 that Python's `sqlite3` is
linked to, so that the product is run as it is. Where Python has SQLite built in there is nothing to stand between:
`library` says so.

Source: SQLite, "The SQLite OS Interface or VFS" (sqlite3_vfs version 3, sqlite3_io_methods version 3).
"""

from __future__ import annotations

import ctypes
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import pytest

OK = 0
_INT, _LONG, _POINTER = ctypes.c_int, ctypes.c_int64, ctypes.c_void_p
_OPEN = ctypes.CFUNCTYPE(_INT, _POINTER, _POINTER, _POINTER, _INT, _POINTER)
_DELETE = ctypes.CFUNCTYPE(_INT, _POINTER, ctypes.c_char_p, _INT)
_WRITE = ctypes.CFUNCTYPE(_INT, _POINTER, _POINTER, _INT, _LONG)
_TRUNCATE = ctypes.CFUNCTYPE(_INT, _POINTER, _LONG)
_SYNC = ctypes.CFUNCTYPE(_INT, _POINTER, _INT)
_OTHERS_OF_VFS = 14
_OTHERS_OF_FILE = 13


class _Vfs(ctypes.Structure):
    _fields_ = (
        ("version", _INT),
        ("size_of_file", _INT),
        ("longest_path", _INT),
        ("next", _POINTER),
        ("name", ctypes.c_char_p),
        ("data", _POINTER),
        ("open", _POINTER),
        ("delete", _POINTER),
        ("others", _POINTER * _OTHERS_OF_VFS),
    )


class _Methods(ctypes.Structure):
    _fields_ = (
        ("version", _INT),
        ("close", _POINTER),
        ("read", _POINTER),
        ("write", _POINTER),
        ("truncate", _POINTER),
        ("sync", _POINTER),
        ("others", _POINTER * _OTHERS_OF_FILE),
    )


class Disk(Protocol):
    """What the VFS asks before it touches a file, and tells after it did. Called in the thread that uses SQLite."""

    def fault(self, operation: str, path: str) -> int:
        """Return the result code that this operation fails with (open, write, truncate, sync), or `OK`."""
        ...

    def opened(self, path: str) -> None:
        """A file was opened, and made where it was missing."""
        ...

    def written(self, path: str, offset: int, data: bytes) -> None:
        """Bytes were written, and not synced yet."""
        ...

    def truncated(self, path: str, size: int) -> None:
        """A file was cut, and not synced yet."""
        ...

    def synced(self, path: str) -> None:
        """All that was written to a file so far is on the disk."""
        ...

    def deleted(self, path: str, *, durably: bool) -> None:
        """A file was deleted; not `durably`: a loss of power may bring it back."""
        ...


def library() -> ctypes.CDLL:
    """Return the libsqlite3 that Python's `sqlite3` uses; skips the test where there is none beside Python."""
    sqlite3.connect(":memory:").close()
    mapped = Path("/proc/self/maps")
    paths = {line.split()[-1] for line in mapped.read_text().splitlines()} if mapped.exists() else set()
    found = sorted(path for path in paths if "/libsqlite3" in path)
    if not found:
        pytest.skip("faults are injected into the libsqlite3 that Python uses, and this Python has SQLite built in")
    return ctypes.CDLL(found[0])


@contextmanager
def standing_between(disk: Disk) -> Iterator[None]:
    """Let every SQLite file that is opened from now on be on `disk`; those stay so when this ends."""
    sqlite = library()
    sqlite.sqlite3_vfs_find.restype = ctypes.POINTER(_Vfs)
    unix = sqlite.sqlite3_vfs_find(None)
    shim = _Shim(unix.contents, disk)
    _KEPT.append(shim)
    sqlite.sqlite3_vfs_register(ctypes.byref(shim.vfs), 1)
    try:
        yield
    finally:
        sqlite.sqlite3_vfs_unregister(ctypes.byref(shim.vfs))
        sqlite.sqlite3_vfs_register(unix, 1)


_KEPT: list[_Shim] = []
"""Connections may use a VFS until the process ends."""


class _Shim:
    def __init__(self, unix: _Vfs, disk: Disk) -> None:
        self._disk = disk
        self._paths: dict[int, str] = {}
        self._native: dict[int, tuple[Any, Any, Any]] = {}
        self._methods: dict[int, _Methods] = {}
        self._unix_open, self._unix_delete = _OPEN(unix.open), _DELETE(unix.delete)
        self._callbacks = (_OPEN(self._open), _DELETE(self._delete))
        self._file_callbacks = (_WRITE(self._write), _TRUNCATE(self._truncate), _SYNC(self._sync))
        self.vfs = _Vfs.from_buffer_copy(unix)
        self.vfs.name = b"between-%d" % id(self)
        self.vfs.open, self.vfs.delete = (_address(callback) for callback in self._callbacks)

    def _open(self, vfs: int, name: int | None, file: int, flags: int, flags_out: int) -> int:
        path = ctypes.string_at(name).decode() if name else ""
        code = self._disk.fault("open", path) or self._unix_open(vfs, name, file, flags, flags_out)
        if code != OK:
            return code
        methods = ctypes.cast(file, ctypes.POINTER(_POINTER))
        methods[0] = ctypes.addressof(self._ours(methods[0]))
        self._paths[file] = path
        self._disk.opened(path)
        return OK

    def _ours(self, native: int) -> _Methods:
        """Return a copy of a method table in which what changes files is ours."""
        if native not in self._methods:
            methods = _Methods.from_buffer_copy(ctypes.cast(native, ctypes.POINTER(_Methods)).contents)
            self._unix_file = _WRITE(methods.write), _TRUNCATE(methods.truncate), _SYNC(methods.sync)
            methods.write, methods.truncate, methods.sync = (_address(each) for each in self._file_callbacks)
            self._methods[native] = methods
        return self._methods[native]

    def _write(self, file: int, data: int, size: int, offset: int) -> int:
        def tell(path: str) -> None:
            self._disk.written(path, offset, ctypes.string_at(data, size))

        return self._do("write", file, lambda: self._unix_file[0](file, data, size, offset), tell)

    def _truncate(self, file: int, size: int) -> int:
        return self._do(
            "truncate", file, lambda: self._unix_file[1](file, size), lambda path: self._disk.truncated(path, size)
        )

    def _sync(self, file: int, flags: int) -> int:
        return self._do("sync", file, lambda: self._unix_file[2](file, flags), self._disk.synced)

    def _do(self, operation: str, file: int, native: Callable[[], int], tell: Callable[[str], None]) -> int:
        path = self._paths[file]
        code = self._disk.fault(operation, path) or native()
        if code == OK:
            tell(path)
        return code

    def _delete(self, vfs: int, name: bytes, sync_folder: int) -> int:
        code = int(self._unix_delete(vfs, name, sync_folder))
        if code == OK:
            self._disk.deleted(name.decode(), durably=bool(sync_folder))
        return code


def _address(callback: Any) -> int | None:
    return ctypes.cast(callback, _POINTER).value
