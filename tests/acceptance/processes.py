"""Start real processes, collect what they say, and end every one of them whatever happens.

Plain `subprocess`, so that ending them needs no event loop: a test that fails, or Ctrl-C, cleans up by the same path.
Each process has a session of its own, and all that is in it is killed at the end. Where pytest itself is killed, the
kernel kills what it has started (`leash`).
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import socket
import subprocess
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from simulators.demo import leash

_Found = TypeVar("_Found")

TAIL_LINES = 25
_POLL_S = 0.02
_END_S = 3.0
_LEASH = (sys.executable, "-I", "-S", leash.__file__)
_PORTS = range(20_000, 32_000)
"""Below the ports that the kernel gives to clients: a station that tries to reconnect must never take the bridge's."""
_WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
_OWN_PORTS = random.sample(_PORTS[_WORKER % 16 :: 16], len(_PORTS) // 16)
"""Of this worker alone, in any order: a port is free until a server is started on it, and another test must not be
given the same one meanwhile."""


class Process:
    """One process and its log."""

    def __init__(self, name: str, arguments: Sequence[str], environ: Mapping[str, str], log: Path) -> None:
        self.name = name
        self.log = log
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                [*_LEASH, str(os.getpid()), str(int(signal.SIGKILL)), *arguments],
                env=dict(environ),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        self.pid = self._process.pid

    @property
    def exit_code(self) -> int | None:
        """The exit code, negative for a signal; None while it runs."""
        return self._process.poll()

    def check(self) -> None:
        """Fail where the process has ended."""
        assert self.exit_code is None, f"{self.name} ended with exit code {self.exit_code}\n{tail(self.log)}"

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the process alone."""
        self._process.send_signal(number)

    def kill(self) -> None:
        """End it as `kill -9` does, and wait until it is gone."""
        self._process.kill()
        self._process.wait(_END_S)

    async def ended(self, within: float) -> int:
        """Return its exit code once it has ended by itself, within so many seconds."""
        code = await until(lambda: _as_list(self.exit_code), within, f"the end of {self.name}")
        return code[0]

    def destroy(self) -> None:
        """End it and everything that it started."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            with suppress(ProcessLookupError):
                os.killpg(self.pid, number)
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(_END_S)
                break
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)


class Processes:
    """The processes of one test; `end` them in any case."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._started: list[Process] = []

    def start(self, name: str, arguments: Sequence[str], environ: Mapping[str, str]) -> Process:
        """Start a process that logs to NAME.log; one of the same name goes on with the same log."""
        process = Process(name, arguments, environ, self.folder / f"{name}.log")
        self._started.append(process)
        return process

    async def run(self, name: str, arguments: Sequence[str], environ: Mapping[str, str], within: float) -> int:
        """Run a process to its end and return its exit code."""
        return await self.start(name, arguments, environ).ended(within)

    def end(self) -> None:
        """End all, the youngest first, so that nobody loses whom it talks to."""
        for process in reversed(self._started):
            process.destroy()

    def logs(self) -> list[Path]:
        """Return every log file, the oldest process first."""
        return list(dict.fromkeys(process.log for process in self._started))


def tail(log: Path, lines: int = TAIL_LINES) -> str:
    """Return the end of a log."""
    with suppress(OSError):
        return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])
    return "(no log)"


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody listens on, and that no client is given by chance."""
    for _ in range(len(_OWN_PORTS)):
        port = _OWN_PORTS.pop()
        _OWN_PORTS.insert(0, port)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("no free port")


async def until(
    look: Callable[[], _Found | Awaitable[_Found]], within: float, what: str, *, every: float = _POLL_S
) -> _Found:
    """Look again and again until something that counts as true is found, and return it; fail after `within` seconds."""
    loop = asyncio.get_running_loop()
    ends = loop.time() + within
    while True:
        found = look()
        if isinstance(found, Awaitable):
            found = await found
        if found:
            return found
        assert loop.time() < ends, f"not seen within {within:g} s: {what}; last look: {found!r}"
        await asyncio.sleep(every)


def _as_list(code: int | None) -> list[int]:
    return [] if code is None else [code]
