"""Gather two threads where the kernel refuses it, and print what was logged; exit 0: the task goes on, both are free.

    python refused_affinity.py "at once"|later|partner|missing

Refused is any thread's placing from the beginning or later, the partner's alone, or there is no such call.

A filter of system calls answers EPERM, as systemd's does. Exit 77: no such filter can be set here.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import platform
import struct
import sys
import threading
from datetime import timedelta
from typing import NoReturn

from structlog.testing import capture_logs

from bridge.app.gathering import Gathering
from bridge.core.gathering import GatherOptions

NUMBERS = {"x86_64": 203, "aarch64": 122}
"""Of sched_setaffinity. Source: the kernel's tables of system calls."""
ITS_NUMBER, ITS_THREAD = 0, 16
"""Where a filter finds the call's number and the lower half of its first argument. Source: seccomp(2), seccomp_data."""
NO_NEW_PRIVILEGES, SECCOMP, FILTER = 38, 22, 2
LOAD, JUMP_IF_EQUAL, RETURN = 0x20, 0x15, 0x06
ALLOW, REFUSE = 0x7FFF0000, 0x00050000 | 1
"""The latter with EPERM. Source: seccomp(2)."""


def refuse(thread: int | None = None) -> None:
    """Have the kernel refuse this thread, and those that it starts from now on, to place that one; None: any."""
    if (number := NUMBERS.get(platform.machine())) is None:
        give_up()
    steps = [(LOAD, 0, 0, ITS_NUMBER), (JUMP_IF_EQUAL, 1, 0, number), (RETURN, 0, 0, ALLOW)]
    if thread is not None:
        steps += [(LOAD, 0, 0, ITS_THREAD), (JUMP_IF_EQUAL, 1, 0, thread), (RETURN, 0, 0, ALLOW)]
    steps.append((RETURN, 0, 0, REFUSE))
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in steps))
    program = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(steps), ctypes.addressof(code)))
    system = ctypes.CDLL(None, use_errno=True)
    if system.prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0) or system.prctl(SECCOMP, FILTER, program, 0, 0):
        give_up()


def give_up() -> NoReturn:
    print("no filter of system calls can be set here", file=sys.stderr)
    sys.exit(77)


async def main(how: str) -> None:
    ends = threading.Event()
    partner = threading.Thread(target=ends.wait, daemon=True)
    everywhere = os.sched_getaffinity(0)
    partner.start()
    if how == "partner":
        refuse(partner.native_id)
    asked = 0

    def ask() -> int | None:
        nonlocal asked
        asked += 1
        if how == "later" and asked == 2:
            refuse()
        return partner.native_id

    options = GatherOptions(busy=0.0, calm=0.0, look_every=timedelta(milliseconds=5), choose_again=timedelta(0))
    with capture_logs() as logs:
        task = asyncio.create_task(Gathering(ask, options).run())
        await asyncio.sleep(0.3)
        went_on = not task.done()
        free = all(os.sched_getaffinity(thread) == everywhere for thread in (0, partner.native_id or 0))
        task.cancel()
        await asyncio.wait({task})
    for each in logs:
        print(f"{each['event']}: {each.get('why')}")
    if not (went_on and free and task.cancelled()):
        sys.exit(1)


if __name__ == "__main__":
    way = sys.argv[1]
    if way == "at once":
        refuse()
    if way == "missing":
        del os.sched_setaffinity
    asyncio.run(main(way))
