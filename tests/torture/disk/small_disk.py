"""Give a test a disk of a few megabytes that it can fill up and empty again, and files that nobody may write.

Both stop root, too, and need rights that containers often lack: the test is skipped there, and says why.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

_BLOCK = 4096


class SmallDisk:
    """A file system in memory with a size of its own."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._ballast = path / "ballast"

    def fill(self) -> None:
        """Take every byte that is left."""
        with self._ballast.open("ab", buffering=0) as ballast:
            try:
                while ballast.write(bytes(_BLOCK)):
                    pass
            except OSError:
                return

    def free(self) -> None:
        """Give back what `fill` took."""
        self._ballast.unlink()


@contextmanager
def small_disk(path: Path, megabytes: int) -> Iterator[SmallDisk]:
    """Mount one at `path`, and unmount it at the end, whoever still uses it."""
    path.mkdir(parents=True, exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=0700", "tmpfs", str(path)]
    try:
        done = subprocess.run(mount, capture_output=True, text=True, timeout=10, check=False)
    except FileNotFoundError:
        pytest.skip("a disk that is full needs `mount`, which this machine lacks")
    if done.returncode:
        pytest.skip(f"a disk that is full needs the right to mount one: {done.stderr.strip()}")
    try:
        yield SmallDisk(path)
    finally:
        subprocess.run(["umount", "--lazy", str(path)], timeout=10, check=True)


@contextmanager
def immutable(path: Path) -> Iterator[None]:
    """Let nobody write to this file, root and who has it open included."""
    try:
        done = subprocess.run(["chattr", "+i", str(path)], capture_output=True, text=True, timeout=10, check=False)
    except FileNotFoundError:
        pytest.skip("a file that nobody may write needs `chattr`, which this machine lacks")
    if done.returncode:
        pytest.skip(f"a file that nobody may write needs rights and a file system that has it: {done.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["chattr", "-i", str(path)], timeout=10, check=True)
