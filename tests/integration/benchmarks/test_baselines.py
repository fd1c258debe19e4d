"""The servers that the bridge is compared with, at a rate that they could exceed many times over."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.benchmarks.baselines import IN_PYTHON, baseline_round
from tests.benchmarks.options import Options


@pytest.mark.parametrize("name", ["ocpp", "ocpp-inline", "websockets"])
def test_baseline_is_given_no_more_than_the_rate(name: str, tmp_path: Path) -> None:
    found = baseline_round(name, IN_PYTHON, tmp_path, Options(stations=5), seconds=1, warm_s=0.2, rate=50)
    assert 25 <= found.per_second <= 60
    assert found.cpu_us > 0
