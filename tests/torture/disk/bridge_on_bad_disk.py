"""Run `ocpp-bridge` on a disk that does what a test says: DISK_REFUSES names a file, or DISK_BREAKS an operation.

Used as a command, in the place of `ocpp-bridge`. DISK_REFUSES: while the file is there, every write fails with the
SQLite result code in it. DISK_BREAKS: `sync:300` lets the 300th sync fail with an I/O error.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import bridge.cli
from tests.torture.disk.disks import BreakingDisk, RefusingDisk, SoundDisk
from tests.torture.disk.vfs import standing_between

ON_BAD_DISK = [sys.executable, "-m", "tests.torture.disk.bridge_on_bad_disk"]


def _disk() -> SoundDisk:
    if "DISK_REFUSES" in os.environ:
        return RefusingDisk(Path(os.environ["DISK_REFUSES"]))
    operation, nth = os.environ["DISK_BREAKS"].split(":")
    disk = BreakingDisk()
    disk.arm(operation, int(nth))
    return disk


if __name__ == "__main__":
    with standing_between(_disk()):
        bridge.cli.main()
