"""Hold a file locked for as long as the process lives, so that no second one uses the same database or state folder.

Never waits for another's lock. Before it: `engine` and `backup`. After it: the operating system.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from bridge.store.errors import StoreInUse


class LockFile:
    """An exclusive lock that ends with its process, however that ends."""

    def __init__(self, path: Path, what: str) -> None:
        """Take the lock. Raises: StoreInUse, OSError."""
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.pread(self._descriptor, 32, 0).decode("ascii", "replace").strip()
            os.close(self._descriptor)
            raise StoreInUse(what, f"process {holder or 'unknown'}") from error
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, f"{os.getpid()}\n".encode("ascii"), 0)

    def release(self) -> None:
        """Give up the lock; the file stays, since removing it would let two others lock two files of one name."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
