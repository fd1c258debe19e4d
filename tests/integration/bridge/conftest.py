"""Give each test a bridge without sockets, as `tests_bridge` describes it."""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from tests_bridge import CHARGEPRICE, HUBJECT, STATIONS, Bridge, FakeProber, TestClock

from bridge.core.effective import EffectiveOptions
from bridge.core.mapping import mapping_for
from bridge.core.reachability import ReachabilityOptions
from bridge.derive import Derived, DeriveOptions, Route
from bridge.intake import Intake
from bridge.store.engine import Store
from bridge.store.writer import Writer
from bridge.ticker import Ticker, TickerOptions


@pytest.fixture
def clock() -> TestClock:
    return TestClock()


@pytest.fixture
async def bridge(store: Store, writer: Writer, clock: TestClock) -> Bridge:
    """A bridge whose inventory is `STATIONS` and whose hold is 2 s."""
    routes = (
        Route(HUBJECT, mapping_for("oicp").TABLE, ""),
        Route(CHARGEPRICE, mapping_for("chargeprice").TABLE, "unknown", needs_references=True),
    )
    options = DeriveOptions(EffectiveOptions(timedelta(seconds=2)), {"demo": routes})
    woken: list[Derived] = []
    prober = FakeProber()
    ticker = Ticker(
        writer,
        clock=clock,
        options=TickerOptions(reachability=ReachabilityOptions(), derive=options, node="test"),
        woken=woken.append,
        prober=prober,
    )
    intake = Intake(writer, clock=clock, node="test", options=options, woken=woken.append, heard=ticker.heard)
    made = Bridge(store, writer, clock, options, intake, ticker, prober, woken)
    await made.import_(STATIONS)
    await ticker.start()
    return made
