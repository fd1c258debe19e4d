"""The line about the machine: how fast its Python is, by work that is always the same."""

from __future__ import annotations

import re
import time
from pathlib import Path

from tests.benchmarks.machine import fastest_ms, fixed_loop, machine
from tests.benchmarks.options import Options


def test_fixed_loop_always_does_the_same() -> None:
    assert fixed_loop() == 450_375_000
    assert fixed_loop() == 450_375_000


def test_fastest_run_counts() -> None:
    clock = iter([0.0, 0.25, 1.0, 1.125, 2.0, 2.5])
    assert fastest_ms(lambda: None, runs=3, clock=lambda: next(clock)) == 125


def test_waiting_does_not_count() -> None:
    assert fastest_ms(lambda: time.sleep(0.02), runs=2) < 10


def test_line_says_how_fast_python_is(tmp_path: Path) -> None:
    assert re.search(
        r"Python 3\.\d+\.\S+ \(a fixed loop of Python [1-9]\d*\.\d ms\), ocpp ", machine(tmp_path, Options())
    )
