"""Drive the load generator, in a process of its own, and measure a server meanwhile.

Before it: the rows. After it: `simulators.load.worker`, which `ocpp-sim load` runs, too.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, astuple, dataclass
from typing import Any

import psutil

from simulators.load.options import LoadOptions
from simulators.load.roster import from_pattern
from simulators.load.strain import Strain
from simulators.load.tally import Tally
from tests.benchmarks.bridge import KEY, NAME
from tests.benchmarks.processes import ROOT, cpu_seconds


@dataclass(frozen=True, slots=True)
class Found:
    """What the generator found while it carried out one order."""

    seconds: float
    connected: int
    settled: int
    """After a cut: stations whose status was answered again."""
    tally: Tally
    strain: Strain
    trace: tuple[tuple[str, str, float], ...]
    """With the option `trace`, each status: station, word, when it was sent by `time.time()`."""

    @property
    def failures(self) -> list[str]:
        """Say which messages had no CALLRESULT."""
        tally = self.tally
        counts = {**tally.errors, "no answer": tally.unanswered, "no answer to what was asked": tally.strange}
        return [f"{number} × {what}" for what, number in counts.items() if number]


class Loader:
    """The load generator. Orders are one line of JSON each, and so are its answers."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def connect(self, count: int = sys.maxsize) -> Found:
        """Connect so many further stations. Raises: RuntimeError where one is refused."""
        found = self._counted(do="connect", count=count)
        if found.tally.refused:
            raise RuntimeError(f"refused: {dict(found.tally.refused)}")
        return found

    def run(self, seconds: float, *, rate: float = 0, stations: int = sys.maxsize, profile: str = "steady") -> Found:
        """Let the first stations report: `rate` statuses a second together, 0 as fast as answered."""
        return self._counted(do="run", profile=profile, rate=rate, seconds=seconds, stations=stations)

    def storm(self, seconds: float) -> Found:
        """Cut every station, and let it come back with the status that it told last."""
        return self._counted(do="storm", seconds=seconds)

    def hold(self, seconds: float) -> Found:
        """Let time pass."""
        return self._counted(do="hold", seconds=seconds)

    def last(self) -> dict[str, str]:
        """Return the last status that each station was answered for."""
        return dict(self.order(do="last")["last"])

    def _counted(self, **order: Any) -> Found:
        answer = self.order(**order)
        return Found(
            answer["seconds"],
            answer["connected"],
            answer["settled"],
            Tally.of(answer["tally"]),
            Strain.of(answer["strain"]),
            tuple((name, word, sent) for name, word, sent in answer["trace"]),
        )

    def order(self, **order: Any) -> dict[str, Any]:
        """Give an order, and return its answer. Raises: RuntimeError where the generator ended."""
        if self.process.stdin is None or self.process.stdout is None:
            raise AssertionError("both are pipes")
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        while line := self.process.stdout.readline():
            answer: dict[str, Any] = json.loads(line)
            if "done" in answer:
                return answer
        raise RuntimeError("the load generator ended early")


@contextmanager
def loader(options: LoadOptions, stations: int) -> Iterator[Loader]:
    """Run the load generator with the benchmark's stations until the block ends."""
    command = [sys.executable, "-m", "simulators.load.worker"]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            load = Loader(process)
            members = [astuple(one) for one in from_pattern(NAME, stations, KEY)]
            load.order(do="prepare", options=asdict(options), stations=members)
            yield load
        finally:
            if process.stdin is not None:
                process.stdin.close()
            process.wait(30)


@dataclass(frozen=True, slots=True)
class Round:
    """One round against one server."""

    cpu_us: float
    """CPU microseconds of the server process per answered message."""
    per_second: float
    p50_ms: float
    p99_ms: float
    busy: float
    """CPU seconds of the server per second: 1 is one core."""
    generator_busy: float
    """The same of the generator, in its busiest second."""


def one_round(load: Loader, server: psutil.Process, seconds: float, *, rate: float = 0) -> Round:
    """Let stations report, at a rate or as fast as they are answered, and return what a message cost the server."""
    before = cpu_seconds(server)
    found = load.run(seconds, rate=rate)
    used = cpu_seconds(server) - before
    if found.failures:
        raise RuntimeError("; ".join(found.failures))
    return Round(
        cpu_us=1e6 * used / found.tally.answered,
        per_second=found.tally.answered / found.seconds,
        p50_ms=found.tally.answers.percentile(50) or 0.0,
        p99_ms=found.tally.answers.percentile(99) or 0.0,
        busy=used / found.seconds,
        generator_busy=found.strain.busiest,
    )


def median(rounds: Sequence[Round]) -> Round:
    """Return each figure's median."""
    return Round(*(statistics.median(values) for values in zip(*map(astuple, rounds), strict=True)))


def spread(name: str, rounds: Sequence[Round]) -> str:
    """Say what each round of a server cost, and the rest of what they saw as medians."""
    middle = median(rounds)
    each = " ".join(f"{one.cpu_us:.0f}" for one in rounds)
    return (
        f"{name}: CPU µs {each}; {middle.per_second:,.0f}/s, p50 {middle.p50_ms:.1f} ms, p99 {middle.p99_ms:.1f} ms, "
        f"{middle.busy:.2f} cores, generator {middle.generator_busy:.2f}"
    )
