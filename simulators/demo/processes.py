"""Start, watch and end the demo's child processes, each with a log file and a session of its own.

Never decides what is started: that is `session`. A child that dies before it is ended is an error that shows the tail
of its log. Children are ended in the reverse order of their start, so that nobody loses whom they talk to; where this
process is killed, the `leash` ends them.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from simulators.demo import leash

_TAIL_LINES = 20
_TERM_S = 10.0
_POLL_S = 0.05


class ChildDied(Exception):
    """A child process ended though nobody asked it to."""

    def __init__(self, name: str, code: int, log: Path) -> None:
        self.name, self.code, self.log = name, code, log

    def __str__(self) -> str:
        """Return what died, and what it said last."""
        return f"{self.name} ended with exit code {self.code}; the end of {self.log}:\n{tail(self.log)}"


class NotReady(Exception):
    """A child process did not get ready in time."""

    def __init__(self, name: str, seconds: float, log: Path) -> None:
        self.name, self.seconds, self.log = name, seconds, log

    def __str__(self) -> str:
        """Return what was not ready, and what it said last."""
        return f"{self.name} was not ready after {self.seconds:.0f} s; the end of {self.log}:\n{tail(self.log)}"


def tail(log: Path, lines: int = _TAIL_LINES) -> str:
    """Return the last lines of a log file, indented."""
    with suppress(OSError):
        found = log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:]
        return "\n".join(f"  {line}" for line in found)
    return "  (no log)"


def _content(path: Path) -> Any | None:
    with suppress(OSError, json.JSONDecodeError):
        return json.loads(path.read_text(encoding="utf-8"))
    return None


class Child:
    """One running child process."""

    def __init__(self, name: str, process: asyncio.subprocess.Process, log: Path) -> None:
        self.name = name
        self.log = log
        self._process = process

    def check(self) -> None:
        """Raise ChildDied where the process has ended."""
        if self._process.returncode is not None:
            raise ChildDied(self.name, self._process.returncode, self.log)

    async def wait(self, seconds: float) -> None:
        """Wait for the process to end well. Raises: ChildDied for a non-zero code, NotReady where it takes longer."""
        try:
            async with asyncio.timeout(seconds):
                code = await self._process.wait()
        except TimeoutError:
            raise NotReady(self.name, seconds, self.log) from None
        if code != 0:
            raise ChildDied(self.name, code, self.log)

    async def end(self) -> None:
        """End the process with SIGTERM, and with SIGKILL if it does not end in 10 s."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            with suppress(ProcessLookupError):
                if self._process.returncode is None:
                    self._process.send_signal(number)
            with suppress(TimeoutError):
                async with asyncio.timeout(_TERM_S):
                    await self._process.wait()
                return


class Children:
    """The child processes of one demo; leaving the context ends them all."""

    def __init__(self, folder: Path) -> None:
        """Write each child's log to `folder`."""
        self._folder = folder
        self._children: list[Child] = []

    async def __aenter__(self) -> Self:
        """Begin with no children."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End every child, the youngest first."""
        for child in reversed(self._children):
            await child.end()

    async def start(self, name: str, arguments: Sequence[str], environ: Mapping[str, str]) -> Child:
        """Start a child whose end is an error. Raises: OSError where the log cannot be written."""
        child = await self._spawn(name, arguments, environ)
        self._children.append(child)
        return child

    async def complete(self, name: str, arguments: Sequence[str], environ: Mapping[str, str], seconds: float) -> None:
        """Run a program to its good end. Raises: ChildDied, NotReady."""
        child = await self._spawn(name, arguments, environ)
        try:
            await child.wait(seconds)
        finally:
            await child.end()

    def check(self) -> None:
        """Raise ChildDied where any child has ended."""
        for child in self._children:
            child.check()

    async def ready(self, child: Child, path: Path, seconds: float) -> Any:
        """Wait until a child has written its JSON file, and return what is in it. Raises: ChildDied, NotReady."""
        ends = asyncio.get_running_loop().time() + seconds
        while asyncio.get_running_loop().time() < ends:
            self.check()
            if (content := _content(path)) is not None:
                return content
            await asyncio.sleep(_POLL_S)
        raise NotReady(child.name, seconds, child.log)

    async def _spawn(self, name: str, arguments: Sequence[str], environ: Mapping[str, str]) -> Child:
        log = self._folder / f"{name}.log"
        with log.open("ab") as output:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", leash.__name__, str(os.getpid()), str(int(signal.SIGTERM))),
                *arguments,
                env=dict(environ),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,  # Ctrl-C reaches us alone, and we end the children in order
            )
        return Child(name, process, log)
