"""What is said of two trees, and which code a benchmark runs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.benchmarks import compare
from tests.benchmarks.compare import Pair, told
from tests.benchmarks.processes import environment


def test_ratio_is_the_median_of_the_rounds_which_one_bad_round_does_not_move() -> None:
    pairs = [Pair(100, 90, 8000, 8800), Pair(200, 184, 4000, 4200), Pair(100, 300, 8000, 2000)]
    assert told(pairs) == [
        "CPU per status: old 133.3 µs, new 191.3 µs, 0.920 × (half of 3 rounds from 0.910 to 1.960)",
        "statuses/s: 1.050 × (half of 3 rounds from 0.650 to 1.075)",
    ]


def test_single_round_has_no_spread() -> None:
    assert told([Pair(100, 90, 8000, 8800)])[0].endswith("0.900 × in the one round")


def test_commands_are_those_of_the_tree_though_another_is_installed(tmp_path: Path) -> None:
    (tmp_path / "bridge").mkdir()
    (tmp_path / "bridge" / "__init__.py").write_text("")
    asked = [sys.executable, "-P", "-c", "import bridge; print(bridge.__file__)"]
    answer = subprocess.run(asked, env=environment(tmp_path), capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == str(tmp_path / "bridge" / "__init__.py")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["{empty}", "."], "is no working tree of this project: it has no folder bridge"),
        ([".", ".", "--rounds", "0"], "at least one round is needed"),
    ],
)
def test_wrong_order_is_refused_with_what_would_be_right(
    arguments: list[str],
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit, match="2"):
        compare.main([each.format(empty=tmp_path) for each in arguments])
    assert words in capsys.readouterr().err
