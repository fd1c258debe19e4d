"""Two trees side by side, in real processes: here the same one twice."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from tests.benchmarks.processes import ROOT

_FIGURE = r"(\d+\.\d{3}) × in the one round"


def test_same_tree_twice_is_measured_in_all_four_bridges(tmp_path: Path) -> None:
    few = ["--rounds", "1", "--seconds", "1", "--rate", "20", "--stations", "4", "--folder", str(tmp_path)]
    command = [sys.executable, "-m", "tests.benchmarks.compare", str(ROOT), str(ROOT), *few]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    cost, speed = done.stdout.splitlines()
    assert re.fullmatch(rf"CPU per status: old [\d.]+ µs, new [\d.]+ µs, {_FIGURE}", cost)
    found = re.fullmatch(rf"statuses/s: {_FIGURE}", speed)
    assert found is not None
    assert 0.5 < float(found[1]) < 2  # 20 a second were asked for at either
