"""Run `ocpp-bridge` with one part that dies or hangs for as long as a file exists.

    python faulty.py FAULT FILE ARGUMENTS...

A second file, FILE.store, makes the storage answer with an I/O error that has whatever was being written in its text.

Used as a command, in the place of `ocpp-bridge`. Everything else is as shipped, but for shorter patience.
"""

from __future__ import annotations

import asyncio
import sqlite3
import sys
from collections.abc import Callable, Coroutine
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy.exc import OperationalError

import bridge.app.options
import bridge.app.parts
import bridge.cli
import bridge.store.writer
import bridge.ticker
from bridge.app.watch import Watch
from bridge.core.backoff import BackoffOptions
from bridge.core.watching import WatchOptions
from bridge.upstreams.oicp import Oicp

Method = Callable[..., Coroutine[Any, Any, Any]]


def _dying(method: Method, faulty: Callable[[], bool]) -> Method:
    async def run(*arguments: Any) -> Any:
        if faulty():
            raise KeyError("a fault that nobody expects")
        return await method(*arguments)

    return run


def _hanging(method: Method, faulty: Callable[[], bool]) -> Method:
    async def run(*arguments: Any) -> Any:
        if faulty():
            await asyncio.Event().wait()
        return await method(*arguments)

    return run


def _breaking(apply: Callable[..., Any], faulty: Callable[[], bool]) -> Callable[..., Any]:
    def run(connection: Any, jobs: Any) -> Any:
        if faulty():
            error = sqlite3.OperationalError("disk I/O error")
            error.sqlite_errorcode, error.sqlite_errorname = sqlite3.SQLITE_IOERR, "SQLITE_IOERR"
            raise OperationalError("INSERT", [repr(job.payload) for job in jobs], error)
        return apply(connection, jobs)

    return run


def main(fault: str, switch: Path) -> None:
    part, _, how = fault.partition(" ")
    broken = {"dies": _dying, "hangs": _hanging}[how]
    if part == "ticker":
        bridge.ticker.Ticker.tick = broken(bridge.ticker.Ticker.tick, switch.exists)  # type: ignore[method-assign]
    else:
        for name in ("push", "full_load"):
            setattr(Oicp, name, broken(getattr(Oicp, name), switch.exists))
    bridge.store.writer.apply = _breaking(bridge.store.writer.apply, switch.with_suffix(".store").exists)
    bridge.ticker._ROUND = bridge.app.options._LEAST_PATIENCE = timedelta(seconds=1.5)
    bridge.app.options._EXCHANGES = 1
    options = WatchOptions(
        restart=BackoffOptions(first=timedelta(seconds=0.5), ceiling=timedelta(seconds=1)),
        well_after=timedelta(seconds=3),
        look_every=timedelta(seconds=0.25),
    )
    bridge.app.parts.Watch = partial(Watch, options=options)  # type: ignore[misc, assignment]
    bridge.cli.main()


if __name__ == "__main__":
    fault, switch = sys.argv[1], Path(sys.argv[2])
    del sys.argv[1:3]
    main(fault, switch)
