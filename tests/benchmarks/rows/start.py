"""How long `ocpp-bridge serve` takes until stations are let in, with a day of 10,000 EVSEs in the store.

Loading the state is what a start takes longer than one with an empty store, imports and all else being the same.
"""

from __future__ import annotations

import statistics
import time
import urllib.error
import urllib.request
from pathlib import Path

from tests.benchmarks.bridge import Installation
from tests.benchmarks.cohort import cohort, used_for_a_day
from tests.benchmarks.figures import Figure, Goal, Report
from tests.benchmarks.hubs import mock_hubs
from tests.benchmarks.options import Options


def measure(options: Options, folder: Path) -> Report:
    """Start both stores alternately, one more time than there are rounds; the first compiles modules."""
    empty_folder = folder / "empty"
    empty_folder.mkdir()
    with mock_hubs(folder, seed=options.seed) as hubs:
        empty = Installation(empty_folder, hubs, wire_log=options.wire_log)
        full = used_for_a_day(folder, hubs, options.many, wire_log=options.wire_log)
        pairs = [(_ready(empty), _ready(full)) for _ in range(options.rounds + 1)][1:]
        wrong = full.differing({f"bench-{n:05d}": "Charging" for n in range(options.many)})
    ready = statistics.median(after for _, after in pairs)
    loading = statistics.median(after - before for before, after in pairs)
    listed = ", ".join(f"{before:.2f} and {after:.2f}" for before, after in pairs)
    return Report(
        (
            Figure(f"ready with {options.many:,} EVSEs", ready, "s", Goal(5)),
            Figure("of which loading the state", loading, "s", Goal(1)),
        ),
        (f"seconds of each pair of starts, without and with EVSEs: {listed}",),
        (*wrong,),
    )


def _ready(installation: Installation) -> float:
    """Return the seconds from the start of the process until it is ready; then one station has to get in."""
    started = time.monotonic()
    with installation.serving() as bridge:
        while not _says_ready(f"http://127.0.0.1:{bridge.ports['web']}/readyz"):
            time.sleep(0.01)
        took = time.monotonic() - started
        if installation.database.stat().st_size > 2**23:  # the one with stations
            with cohort() as crowd:
                crowd.connect(bridge, 1)
    return took


def _says_ready(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as response:
            return bool(response.status == 200)
    except urllib.error.URLError:
        return False
