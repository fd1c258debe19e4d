"""Compare two working trees at the same time, which finds a hundredth where runs in turn find a tenth.

    git worktree add ../before main~3
    python -m tests.benchmarks.compare ../before .

Other work on a machine changes what a status costs by half from one minute to the next. So four bridges run at once,
each with stations and hubs of its own: two of either tree, in the order A B B A, since a bridge's place decides a
little, too. All are measured over the same seconds, and a round's figure is a ratio. What a status costs at all is
`status`'s to say: here four share the processors.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import psutil

from simulators.load.options import LoadOptions
from tests.benchmarks.bridge import Installation
from tests.benchmarks.hubs import mock_hubs
from tests.benchmarks.loader import Loader, Round, loader, one_round
from tests.benchmarks.options import Options
from tests.benchmarks.processes import ROOT

_WARM_S = 2
_ORDER = ("old", "new", "new", "old")


@dataclass(frozen=True, slots=True)
class Pair:
    """One round: the means of either tree's two bridges."""

    old_us: float
    new_us: float
    old_per_second: float
    new_per_second: float


def main(given: Sequence[str] | None = None) -> int:
    """Measure and print; timings decide nothing, so the exit code is 0 unless something failed. None: the shell's."""
    arguments = _arguments(given)
    trees = {"old": arguments.old, "new": arguments.new}
    arguments.folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=arguments.folder)))
        sides = [
            _side(stack, folder / f"{place}-{name}", trees[name], arguments.stations)
            for place, name in enumerate(_ORDER)
        ]
        threads = stack.enter_context(ThreadPoolExecutor(len(sides)))
        measure = partial(_measured, seconds=arguments.seconds, rate=arguments.rate)
        list(threads.map(partial(_measured, seconds=_WARM_S, rate=arguments.rate), sides))
        pairs = [_pair(list(threads.map(measure, sides))) for _ in range(arguments.rounds)]
    print("\n".join(told(pairs)))
    return 0


def told(pairs: Sequence[Pair]) -> list[str]:
    """Say what either tree took, and the ratios: the median of the rounds, and between what the middle half lies."""
    old, new = (statistics.mean(values) for values in ([p.old_us for p in pairs], [p.new_us for p in pairs]))
    return [
        f"CPU per status: old {old:.1f} µs, new {new:.1f} µs, {_ratio([p.new_us / p.old_us for p in pairs])}",
        f"statuses/s: {_ratio([p.new_per_second / p.old_per_second for p in pairs])}",
    ]


def _ratio(ratios: Sequence[float]) -> str:
    if len(ratios) == 1:
        return f"{ratios[0]:.3f} × in the one round"
    low, middle, high = statistics.quantiles(ratios, method="inclusive")
    return f"{middle:.3f} × (half of {len(ratios)} rounds from {low:.3f} to {high:.3f})"


def _pair(rounds: Sequence[Round]) -> Pair:
    by_tree = {
        name: [found for whose, found in zip(_ORDER, rounds, strict=True) if whose == name] for name in ("old", "new")
    }
    cost = {name: statistics.mean(found.cpu_us for found in each) for name, each in by_tree.items()}
    speed = {name: statistics.mean(found.per_second for found in each) for name, each in by_tree.items()}
    return Pair(cost["old"], cost["new"], speed["old"], speed["new"])


def _side(stack: ExitStack, folder: Path, tree: Path, stations: int) -> tuple[Loader, psutil.Process]:
    """Start a bridge of this tree, its hubs and its stations."""
    folder.mkdir()
    seed = Options().seed
    hubs = stack.enter_context(mock_hubs(folder, seed=seed))
    installation = Installation(folder, hubs, tree=tree)
    installation.add_stations(stations)
    bridge = stack.enter_context(installation.serving())
    load = stack.enter_context(loader(LoadOptions(bridge.url, seed=seed), stations))
    load.connect()
    return load, bridge.process


def _measured(side: tuple[Loader, psutil.Process], *, seconds: float, rate: float) -> Round:
    return one_round(*side, seconds, rate=rate)


def _arguments(given: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m tests.benchmarks.compare", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("old", type=_tree, help="folder of a working tree")
    parser.add_argument("new", type=_tree, help="folder of another, or of the same, which shows how much is chance")
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--seconds", type=float, default=4, help="length of a round")
    parser.add_argument("--rate", type=float, default=0, help="statuses a second to each bridge; 0: at saturation")
    parser.add_argument("--stations", type=int, default=Options().stations, help="of each bridge")
    parser.add_argument("--folder", type=Path, default=ROOT / ".build", help="where databases lie")
    arguments = parser.parse_args(given)
    if arguments.rounds < 1:
        parser.error("at least one round is needed")
    return arguments


def _tree(text: str) -> Path:
    tree = Path(text).resolve()
    if not (tree / "bridge" / "__init__.py").is_file():
        raise argparse.ArgumentTypeError(f"{text} is no working tree of this project: it has no folder bridge")
    return tree


if __name__ == "__main__":
    raise SystemExit(main())
