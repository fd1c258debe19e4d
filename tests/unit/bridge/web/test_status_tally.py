from __future__ import annotations

from prometheus_client import CollectorRegistry, generate_latest

from bridge.web.status_tally import StatusTally


def shown(*commits_s: float) -> list[str]:
    tally, registry = StatusTally(), CollectorRegistry()
    registry.register(tally)
    for took_s in commits_s:
        tally.recorded("ocpp1.6", took_s)
    return [line for line in generate_latest(registry).decode().splitlines() if not line.startswith("#")]


def test_a_commit_counts_in_every_bucket_that_is_at_least_as_long() -> None:
    assert shown(0.001, 0.0011, 0.3, 20.0) == [
        'ocpp_bridge_statuses_total{version="ocpp1.6"} 4.0',
        'ocpp_bridge_status_commit_seconds_bucket{le="0.001"} 1.0',
        'ocpp_bridge_status_commit_seconds_bucket{le="0.0025"} 2.0',
        'ocpp_bridge_status_commit_seconds_bucket{le="0.005"} 2.0',
        'ocpp_bridge_status_commit_seconds_bucket{le="0.01"} 2.0',
        'ocpp_bridge_status_commit_seconds_bucket{le="0.025"} 2.0',
        'ocpp_bridge_status_commit_seconds_bucket{le="0.05"} 2.0',
        'ocpp_bridge_status_commit_seconds_bucket{le="0.1"} 2.0',
        'ocpp_bridge_status_commit_seconds_bucket{le="0.25"} 2.0',
        'ocpp_bridge_status_commit_seconds_bucket{le="1.0"} 3.0',
        'ocpp_bridge_status_commit_seconds_bucket{le="10.0"} 3.0',
        'ocpp_bridge_status_commit_seconds_bucket{le="+Inf"} 4.0',
        "ocpp_bridge_status_commit_seconds_count 4.0",
        "ocpp_bridge_status_commit_seconds_sum 20.3021",
    ]


def test_the_histogram_is_shown_before_the_first_status() -> None:
    assert shown()[-2:] == ["ocpp_bridge_status_commit_seconds_count 0.0", "ocpp_bridge_status_commit_seconds_sum 0.0"]
