from __future__ import annotations

from datetime import UTC, datetime

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics
from prometheus_client.parser import text_string_to_metric_families as read_text

from bridge.core.expiry import Urgency
from bridge.core.modes import Mode
from bridge.web.health_shapes import Status
from bridge.web.metrics import Metrics
from bridge.web.shapes import CertificateItem, UpstreamItem
from bridge.web.task_shapes import LoopLag, TaskItem

ENDS = datetime(2027, 1, 1, tzinfo=UTC)


def status() -> Status:
    hubject = UpstreamItem(
        name="hubject",
        kind="oicp",
        mode=Mode.LIVE,
        state="held",
        backlog=3,
        refused=1,
        lag_s=7.5,
        certificate=CertificateItem(
            subject="CN=DE*ABC", not_before=ENDS, not_after=ENDS, days=37, urgency=Urgency.NONE
        ),
    )
    chargeprice = UpstreamItem(
        name="chargeprice",
        kind="chargeprice",
        mode=Mode.OFF,
        state="off",
        backlog=0,
        refused=0,
        lag_s=None,
        documents_backlog=4,
        documents_refused=2,
        documents_held="stations: HTTP 403",
    )
    return Status(
        version="0.1.0",
        started_at=None,
        stations=5,
        connected=4,
        evses=6,
        effective={"charging": 5, "maintenance": 1},
        upstreams=(hubject, chargeprice),
        counts={"frame_binary": 2},
        tasks=(
            TaskItem(name="ticker", state="running"),
            TaskItem(name="lane hubject", state="down", restarts=3, stalls=1, why="it ended with KeyError"),
        ),
        loop_lag=LoopLag(p99_s=0.004, max_s=0.25),
    )


def samples(body: bytes) -> dict[str, float]:
    found = {}
    for family in read_text(body.decode()):
        for sample in family.samples:
            labels = ",".join(f"{name}={value}" for name, value in sorted(sample.labels.items()))
            found[f"{sample.name}{{{labels}}}"] = sample.value
    return found


def test_every_figure_of_the_status_is_a_metric() -> None:
    found = samples(Metrics().render(status(), "")[0])
    expected = {
        "ocpp_bridge_build_info{version=0.1.0}": 1,
        "ocpp_bridge_stations{}": 5,
        "ocpp_bridge_stations_connected{}": 4,
        "ocpp_bridge_evses{status=charging}": 5,
        "ocpp_bridge_evses{status=maintenance}": 1,
        "ocpp_bridge_evses{status=available}": 0,
        "ocpp_bridge_ocpp_events_total{what=frame_binary}": 2,
        "ocpp_bridge_account_info{account=hubject,kind=oicp}": 1,
        "ocpp_bridge_account_state{account=hubject,state=held}": 1,
        "ocpp_bridge_account_state{account=hubject,state=ok}": 0,
        "ocpp_bridge_account_state{account=chargeprice,state=off}": 1,
        "ocpp_bridge_backlog{account=hubject}": 3,
        "ocpp_bridge_refused{account=hubject}": 1,
        "ocpp_bridge_documents_backlog{account=chargeprice}": 4,
        "ocpp_bridge_documents_refused{account=chargeprice}": 2,
        "ocpp_bridge_documents_held{account=chargeprice}": 1,
        "ocpp_bridge_documents_held{account=hubject}": 0,
        "ocpp_bridge_lag_seconds{account=hubject}": 7.5,
        "ocpp_bridge_lag_seconds{account=chargeprice}": 0,
        "ocpp_bridge_certificate_expiry_timestamp_seconds{account=hubject}": 1798761600,
        "ocpp_bridge_task_running{task=ticker}": 1,
        "ocpp_bridge_task_running{task=lane hubject}": 0,
        "ocpp_bridge_task_restarts_total{task=ticker}": 0,
        "ocpp_bridge_task_restarts_total{task=lane hubject}": 3,
        "ocpp_bridge_task_stalls_total{task=lane hubject}": 1,
        "ocpp_bridge_loop_lag_p99_seconds{}": 0.004,
        "ocpp_bridge_loop_lag_max_seconds{}": 0.25,
    }
    assert expected.items() <= found.items()
    assert "ocpp_bridge_certificate_expiry_timestamp_seconds{account=chargeprice}" not in found
    assert found["process_open_fds{}"] > 0


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        ("", "text/plain; version=0.0.4; charset=utf-8"),
        ("application/openmetrics-text; version=1.0.0", "application/openmetrics-text; version=1.0.0; charset=utf-8"),
        ("text/html,*/*;q=0.1", "text/plain; version=0.0.4; charset=utf-8"),
    ],
)
def test_the_format_is_the_scraper_s_choice(accept: str, content_type: str) -> None:
    body, said = Metrics().render(status(), accept)
    assert said.startswith(content_type)
    families = list((read_openmetrics if "openmetrics" in said else read_text)(body.decode()))
    assert "ocpp_bridge_backlog" in {family.name for family in families}


def test_two_applications_have_metrics_of_their_own() -> None:
    assert Metrics().render(status(), "")[0].count(b"# TYPE process_open_fds") == 1
    assert Metrics().render(status(), "")[0].count(b"# TYPE process_open_fds") == 1
