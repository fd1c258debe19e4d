"""Order a crowd of stations, in a process of its own, and keep an installation that has been used for a day.

Before it: the rows about ten thousand stations. After it: `crowd`, `bridge`.
"""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.benchmarks.bridge import KEY, Installation, Serving
from tests.benchmarks.hubs import Hubs
from tests.benchmarks.processes import ROOT
from tests.history_chain import TIE

AT_ONCE = 500
"""Stations of the crowd that report at the same time where it says nothing else."""
_PATIENCE_S = 120.0
_SITE = 20
"""Stations behind one address: a site."""

_A_DAY = """
UPDATE delivery SET acked = desired, acked_seq = desired_seq, in_flight_seq = 0, doubt_until = NULL, not_before = NULL,
    known = 1, attempts = 24, acked_at = desired_at, attempted_at = desired_at,
    reassert_at = CASE WHEN account = 'chargeprice' THEN desired_at + 80000000000 + evse * 300000 END;
UPDATE delivery SET due_at = reassert_at;
UPDATE lane SET full_load_wanted = NULL, full_load_attempted_at = full_load_attempted_at - 3600000000,
    full_load_accepted_at = full_load_accepted_at - 3600000000;
INSERT INTO history (evse, at_w, status, live, rule, seq)
    WITH RECURSIVE hour(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM hour WHERE n < 24)
    SELECT evse, at_w - n * 3600000000, status, live, rule, seq FROM hour, (SELECT * FROM history GROUP BY evse);
INSERT INTO delivery_log (account, epoch, number, kind, evse, records, value, seq, sent_at_w, took_ms, http, outcome)
    WITH RECURSIVE hour(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM hour WHERE n < 24),
        last(at_w) AS (SELECT max(at_w) FROM history)
    SELECT account, 0, evse * 25 + n, 'status', evse, 1, desired, desired_seq, at_w - n * 3600000000, 30, 200,
        'accepted' FROM hour, last, delivery;
"""
"""24 changes and 48 pushes of each EVSE, the last of them acknowledged, the last fullLoad an hour ago."""


class Cohort:
    """A crowd's process. Orders are one line of JSON each, and so are its answers."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def connect(
        self, bridge: Serving, count: int, *, version: str = "1.6", deflate: bool = False, tls: bool = False
    ) -> dict[str, Any]:
        """Connect so many further stations."""
        where = {"host": "127.0.0.1", "port": bridge.ports["ocpp"], "key": KEY, "site": _SITE}
        manner = {"version": f"ocpp{version}", "deflate": deflate, "tls": tls}
        return self._order("connect", count=count, at_once=50, **where, **manner)

    def report(self, status: str, *, boot: bool = False) -> dict[str, Any]:
        """Let every station say its status, and boot before."""
        return self._order("report", status=status, at_once=AT_ONCE, boot=boot)

    def hold(self, seconds: float, heartbeat_s: float) -> dict[str, Any]:
        """Keep all of them connected, each with its heartbeat."""
        return self._order("hold", seconds=seconds, heartbeat_s=heartbeat_s)

    def storm(self, retry_s: float) -> dict[str, Any]:
        """Cut all at once; let all return at once, boot, and say their last status again."""
        return self._order("storm", statuses=True, retry_s=retry_s)

    def last(self) -> dict[str, str]:
        """Return the last status that each station was answered for."""
        return self._order("last")

    def connected(self) -> int:
        """Return how many stations are connected, as they see it."""
        return int(self._order("seen")["open"])

    def _order(self, do: str, **order: Any) -> dict[str, Any]:
        if self._process.stdin is None or self._process.stdout is None:
            raise AssertionError("both are pipes")
        self._process.stdin.write(json.dumps({"do": do, **order}) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the crowd ended early")
        answer: dict[str, Any] = json.loads(line)
        return answer


@contextmanager
def cohort() -> Iterator[Cohort]:
    """Run a crowd until the block ends."""
    command = [sys.executable, "-m", "tests.benchmarks.crowd"]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Cohort(process)
        finally:
            process.kill()
            process.wait(30)


def _wait_for_full_load(hubs: Hubs, last: dict[str, str]) -> None:
    """Wait until Hubject has been told everything: the next fullLoad is not the first. Raises: RuntimeError."""
    ends = time.monotonic() + _PATIENCE_S
    while hubs.differing(last, ("hubject",)):
        if time.monotonic() > ends:
            raise RuntimeError("the first fullLoad did not go out")
        time.sleep(0.5)


def used_for_a_day(folder: Path, hubs: Hubs, stations: int, *, status: str = "Charging", **how: Any) -> Installation:
    """Return an installation, stopped, whose stations have all said `status`; both hubs were told.

    `how` goes to `Installation`. The statuses come in over the wire; the day before them is written into the store.
    """
    installation = Installation(folder, hubs, **how)
    installation.add_stations(stations)
    with installation.serving() as bridge, cohort() as crowd:
        crowd.connect(bridge, stations)
        crowd.report(status, boot=True)
        if how.get("full_load", "never") != "never":
            _wait_for_full_load(hubs, crowd.last())
    with sqlite3.connect(installation.database) as database:
        database.executescript(_A_DAY)
        for statement in TIE:
            database.execute(statement)
    return installation
