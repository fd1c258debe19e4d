from __future__ import annotations

from prometheus_client import generate_latest

from bridge.web.meters import Meters, Usage


class Clock:
    def __init__(self) -> None:
        self.at = 1000.0

    def __call__(self) -> float:
        return self.at


def lines(meters: Meters, *names: str) -> list[str]:
    text = generate_latest(meters.registry).decode()
    return [line for line in text.splitlines() if line.startswith(names)]


def test_every_series_of_an_account_is_there_before_its_first_push() -> None:
    assert lines(Meters(["hubject"], Clock()), "ocpp_bridge_pushes_total") == [
        f'ocpp_bridge_pushes_total{{account="hubject",outcome="{outcome}"}} 0.0'
        for outcome in ("accepted", "deferred", "refused", "wrong_action", "held", "in_doubt")
    ]


def test_a_lag_counts_from_50_ms_to_an_hour() -> None:
    meters = Meters(["hubject"], Clock())
    for lag_s in (0.04, 0.3, 3599.0, 9000.0):
        meters.pushed("hubject", "accepted", records=1, requests=1, took_s=0.02, lags_s=[lag_s])
    found = lines(meters, "ocpp_bridge_status_to_hub_seconds_bucket")
    assert found[0] == 'ocpp_bridge_status_to_hub_seconds_bucket{account="hubject",le="0.05"} 1.0'
    assert found[-2:] == [
        'ocpp_bridge_status_to_hub_seconds_bucket{account="hubject",le="3600.0"} 3.0',
        'ocpp_bridge_status_to_hub_seconds_bucket{account="hubject",le="+Inf"} 4.0',
    ]


def test_only_accepted_records_count_as_told() -> None:
    meters = Meters(["hubject"], Clock())
    meters.pushed("hubject", "accepted", records=40, requests=1, took_s=0.1, lags_s=[])
    meters.pushed("hubject", "refused", records=9, requests=1, took_s=0.1, lags_s=[])
    assert lines(meters, "ocpp_bridge_push_records_total") == ['ocpp_bridge_push_records_total{account="hubject"} 40.0']


def test_statuses_count_by_version_with_how_long_their_commit_took() -> None:
    meters = Meters([], Clock())
    meters.recorded("ocpp1.6", 0.004)
    meters.recorded("ocpp2.0.1", 0.2)
    assert lines(meters, "ocpp_bridge_statuses_total", "ocpp_bridge_status_commit_seconds_count") == [
        'ocpp_bridge_statuses_total{version="ocpp1.6"} 1.0',
        'ocpp_bridge_statuses_total{version="ocpp2.0.1"} 1.0',
        "ocpp_bridge_status_commit_seconds_count 2.0",
    ]


def test_usage_forgets_requests_after_a_minute_and_pushes_after_an_hour() -> None:
    clock = Clock()
    meters = Meters(["hubject"], clock)
    meters.pushed("hubject", "accepted", records=1, requests=1, took_s=0.1, lags_s=[])
    meters.pushed("hubject", "refused", records=1, requests=3, took_s=0.1, lags_s=[])
    assert meters.usage("hubject") == Usage(4, 1, 1)
    clock.at += 61
    assert meters.usage("hubject") == Usage(0, 1, 1)
    clock.at += 3600
    assert meters.usage("hubject") == Usage(0, 0, 0)
