from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bridge.app.health import health_of, not_sending, readiness_of, task_warnings
from bridge.app.listener_items import listener_warnings
from bridge.app.upstreams_shown import certificate_item, certificate_warnings
from bridge.core.expiry import server_expiry_warning, urgency
from bridge.core.modes import Mode
from bridge.upstreams.certificates import Certificate
from bridge.web.health_shapes import Component, Readiness
from bridge.web.shapes import CertificateItem, ListenerItem, UpstreamItem
from bridge.web.task_shapes import TaskItem, TaskState

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
READY = Readiness(ready=True)


def item(state: str = "ok", *, days: float | None = None, **more: object) -> UpstreamItem:
    certificate = None if days is None else Certificate("CN=DE*ABC", NOW, NOW + timedelta(days=days))
    return UpstreamItem.model_validate(
        {
            "name": "hubject",
            "kind": "oicp",
            "mode": Mode.LIVE,
            "state": state,
            "backlog": 0,
            "refused": 0,
            "lag_s": None,
            "certificate": certificate_item(certificate, NOW),
            **more,
        }
    )


def test_all_is_well_where_nothing_is_wrong() -> None:
    health = health_of(READY, [item(days=90)])
    assert health.status == "ok"
    assert health.components == {
        "database": Component(status="ok"),
        "account hubject": Component(status="ok"),
        "certificate hubject": Component(status="ok"),
    }


@pytest.mark.parametrize(
    ("found", "component", "why"),
    [
        pytest.param(item("held", held="HTTP 401"), "account hubject", "HTTP 401", id="held"),
        pytest.param(item("degraded", last_error="cannot connect"), "account hubject", "cannot connect", id="down"),
        pytest.param(
            item(days=30),
            "certificate hubject",
            "the client certificate ends on 2026-12-25, in 30 days: ask the hub for a new one",
            id="certificate-near-its-end",
        ),
        pytest.param(
            item(days=-1),
            "certificate hubject",
            "EXPIRED: the client certificate ended on 2026-11-24: the hub refuses everything until it is replaced",
            id="certificate-expired",
        ),
    ],
)
def test_a_hub_or_a_certificate_only_degrades(found: UpstreamItem, component: str, why: str) -> None:
    health = health_of(READY, [found])
    assert health.status == "degraded"
    assert health.components[component] == Component(status="degraded", why=why)


@pytest.mark.parametrize("state", ["off", "dry_run"])
def test_an_account_that_is_not_live_is_well(state: str) -> None:
    assert health_of(READY, [item(state)]).status == "ok"


def test_what_makes_the_bridge_unready_is_a_failure() -> None:
    health = health_of(Readiness(ready=False, why="the disk is full"), [item("held", held="HTTP 401")])
    assert health.status == "failed"
    assert health.components["database"] == Component(status="failed", why="the disk is full")


def test_accounts_that_cannot_be_read_degrade_the_database() -> None:
    assert health_of(READY, (), unread="busy").components == {"database": Component(status="degraded", why="busy")}


def test_warnings_name_the_account() -> None:
    assert certificate_warnings([item(), item(days=90), item(days=7)]) == [
        "hubject: URGENT: the client certificate ends on 2026-12-02, in 7 days: replace it now"
    ]


def listener(days: float) -> ListenerItem:
    ends = NOW + timedelta(days=days)
    shown = CertificateItem(
        subject="CN=csms",
        not_before=NOW,
        not_after=ends,
        days=int(days),
        urgency=urgency(ends, NOW),
        warning=server_expiry_warning(ends, NOW) or "",
    )
    return ListenerItem(name="tls", secure=True, profiles=(2, 3), certificate=shown)


def test_a_server_certificate_that_ends_is_degraded() -> None:
    assert health_of(READY, [], listeners=[listener(90)]).status == "ok"
    health = health_of(READY, [], listeners=[listener(5)])
    assert health.status == "degraded"
    assert health.components["listener certificate tls"] == Component(
        status="degraded", why="URGENT: the server certificate ends on 2026-11-30, in 5 days: replace it now"
    )


def test_a_server_certificate_that_ends_is_a_warning() -> None:
    assert listener_warnings([listener(90)]) == []
    expired = "EXPIRED: the server certificate ended on 2026-11-24: stations refuse to connect until it is replaced"
    assert listener_warnings([listener(-1)]) == [f"ocpp.listeners.tls: {expired}"]


def task(name: str, state: TaskState) -> TaskItem:
    well = state == "running"
    return TaskItem(name=name, state=state, restarts=0 if well else 2, why="" if well else "it ended with KeyError")


def test_tasks_that_run_are_components_that_are_well() -> None:
    health = health_of(READY, [], tasks=[task("ticker", "running"), task("wire log", "running")])
    assert (health.status, health.components["task wire log"]) == ("ok", Component(status="ok"))
    assert task_warnings([task("ticker", "running")]) == []


@pytest.mark.parametrize(
    ("name", "state", "shown", "ready"),
    [
        pytest.param("lane hubject", "down", "degraded", True, id="a lane that waits"),
        pytest.param("lane hubject", "stalled", "degraded", True, id="a lane that hangs"),
        pytest.param("ticker", "down", "failed", False, id="the ticker waits"),
        pytest.param("ticker", "stalled", "failed", False, id="the ticker hangs"),
        pytest.param("ticker", "recovering", "degraded", True, id="the ticker runs again"),
    ],
)
def test_without_its_ticker_no_status_comes_true_and_other_tasks_only_degrade(
    name: str, state: TaskState, shown: str, ready: bool
) -> None:
    found = [task(name, state)]
    health = health_of(READY, [], tasks=found)
    assert (health.status, health.components[f"task {name}"].status) == (shown, shown)
    assert health.components["database"].status == "ok"
    assert readiness_of(found).ready is ready


def test_warning_says_what_the_task_does_now_and_where_to_look() -> None:
    assert task_warnings([task("lane hubject", "down")]) == [
        "task lane hubject waits to be started anew: it ended with KeyError (restarts: 2; the log has task_failed)"
    ]


HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("found", "running", "silent"),
    [
        pytest.param(item(silent_s=900.0), HOUR, True, id="due-and-nothing-sent"),
        pytest.param(item(silent_s=899.0), HOUR, False, id="not-for-long"),
        pytest.param(item(silent_s=None), HOUR, False, id="nothing-due"),
        pytest.param(item(silent_s=3600.0), timedelta(minutes=14), False, id="just-started"),
        pytest.param(item(silent_s=3600.0, mode_at=NOW - timedelta(minutes=14)), HOUR, False, id="just-enabled"),
        pytest.param(item("held", silent_s=3600.0, held="HTTP 401"), HOUR, False, id="held-says-so-itself"),
    ],
)
def test_a_live_account_that_sends_nothing_that_is_due_is_found(
    found: UpstreamItem, running: timedelta, silent: bool
) -> None:
    assert not_sending(found, NOW, running) is silent


@pytest.mark.row("T10")
def test_an_account_that_sends_nothing_that_is_due_is_degraded() -> None:
    health = health_of(READY, [item(silent_s=1000.0, backlog=7)], not_sending=["hubject"])
    assert health.components["account hubject"] == Component(
        status="degraded", why="7 statuses wait, and nothing was sent for 16 min"
    )
