"""The dashboard and the alert rules name metrics and labels that the bridge exports, and sections that exist."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest

from bridge.core.expiry import Urgency
from bridge.core.modes import Mode
from bridge.web.health_shapes import Status
from bridge.web.meters import Meters
from bridge.web.metrics import Metrics
from bridge.web.shapes import CertificateItem, ListenerItem, UpstreamItem
from bridge.web.task_shapes import LoopLag, TaskItem
from tests.architecture.monitoring import BOARD, ROOT, RULES, labels_by_name, mistakes_of, targets
from tests.architecture.promql import NotUnderstood, used

OPERATIONS = (ROOT / "docs/operations.md").read_text("utf-8")
ENDS = datetime(2027, 1, 1, tzinfo=UTC)


def exported() -> dict[str, set[str]]:
    """Return what the bridge's own registry gives to Prometheus when everything that it can show is there."""
    certificate = CertificateItem(subject="CN=A", not_before=ENDS, not_after=ENDS, days=3, urgency=Urgency.NONE)
    account = UpstreamItem(
        name="hubject",
        kind="oicp",
        mode=Mode.LIVE,
        state="ok",
        backlog=0,
        refused=0,
        lag_s=None,
        certificate=certificate,
    )
    status = Status(
        version="0.1.0",
        started_at=None,
        stations=1,
        connected=1,
        evses=1,
        effective={},
        upstreams=(account,),
        listeners=(ListenerItem(name="plain", secure=True, profiles=(2,), certificate=certificate),),
        counts={"call_refused_internal": 1},
        tasks=(TaskItem(name="ticker", state="running"),),
        loop_lag=LoopLag(p99_s=0.0, max_s=0.0),
    )
    meters = Meters(["hubject"], lambda: 0.0)
    meters.recorded("ocpp1.6", 0.01)
    body, _ = Metrics(meters).render(status, "", ready=True)
    return labels_by_name(body.decode())


EXPORTED = exported()


def mistakes(expression: str, texts: str = "") -> list[str]:
    return mistakes_of(expression, texts, EXPORTED)


@pytest.mark.parametrize("rule", RULES, ids=[rule["alert"] for rule in RULES])
def test_an_alert_names_what_the_bridge_exports_and_has_everything_that_it_needs(rule: dict[str, Any]) -> None:
    assert mistakes(rule["expr"], rule["annotations"]["summary"]) == []
    assert rule["labels"]["severity"] in ("critical", "warning")
    assert rule["annotations"]["summary"].endswith((".", "fails"))
    assert f"\n#### {rule['alert']}\n" in OPERATIONS
    assert rule["annotations"]["runbook"] == f"docs/operations.md#{rule['alert'].lower()}"


def test_every_alarm_that_is_described_is_a_rule_and_the_other_way_round() -> None:
    section = OPERATIONS.partition("\n## Alarms\n")[2].partition("\n## ")[0]
    assert re.findall(r"^#### (\w+)$", section, re.MULTILINE) == [rule["alert"] for rule in RULES]


def test_every_alarm_is_found_from_the_first_table_of_the_runbook() -> None:
    table = OPERATIONS.partition("\n## ")[0]
    assert [rule["alert"] for rule in RULES if f"(#{rule['alert'].lower()})" not in table] == []


def test_every_metric_and_its_labels_are_described() -> None:
    section = OPERATIONS.partition("\n## Metrics\n")[2].partition("\n### ")[0]
    described = dict[str, set[str]]()
    for line in re.findall(r"^\| (`.*?`) \|", section, re.MULTILINE):
        for name, labels in re.findall(r"`(\w+)(?:\{([\w,]+)\})?`", line):
            described[name] = set(labels.split(",")) - {""}
    samples = {re.sub("_(bucket|sum|count|created)$", "", name): labels for name, labels in EXPORTED.items()}
    assert described == {name: labels - {"le"} for name, labels in samples.items() if name.startswith("ocpp_")}


def test_every_task_is_described() -> None:
    section = OPERATIONS.partition("\n### Tasks\n")[2].partition("\n### ")[0]
    kept = re.findall(r'keep\("([a-z ]+)"', (ROOT / "bridge/app/serve.py").read_text("utf-8"))
    assert "retention" in kept
    assert [name for name in kept if f"`{name}`" not in " ".join(section.split())] == []


@pytest.mark.parametrize(("expression", "legend"), sorted(set(targets())))
def test_a_panel_names_what_the_bridge_exports(expression: str, legend: str) -> None:
    assert mistakes(expression, legend) == []


def test_the_dashboard_can_be_imported_anywhere() -> None:
    panels = [panel for panel in BOARD["panels"] if panel["type"] != "row"]
    assert len({panel["id"] for panel in BOARD["panels"]}) == len(BOARD["panels"])
    assert all(panel["title"] and panel["description"] for panel in panels)
    assert {panel["datasource"]["uid"] for panel in panels} == {"${datasource}"}
    account = next(each for each in BOARD["templating"]["list"] if each["name"] == "account")
    assert account["query"]["query"] == "label_values(ocpp_bridge_account_info, account)"
    assert "account" in EXPORTED["ocpp_bridge_account_info"]


@pytest.mark.parametrize(
    ("expression", "texts", "said"),
    [
        ("ocpp_bridge_backlogs > 1", "", "no metric ocpp_bridge_backlogs"),
        ('ocpp_bridge_backlog{acount="x"} > 1', "", "ocpp_bridge_backlog has no label acount"),
        ("sum by (hub) (ocpp_bridge_backlog)", "", "no label hub"),
        ("ocpp_bridge_backlog > 1", "of {{ $labels.hub }}", "no label hub"),
        ("ocpp_bridge_backlog", "{{hub}}", "no label hub"),
    ],
)
def test_a_mistyped_name_is_found(expression: str, texts: str, said: str) -> None:
    assert mistakes(expression, texts) == [said]


@pytest.mark.parametrize("expression", ["sum(ocpp_bridge_backlog", "summ(ocpp_bridge_backlog)", "a } b", "a ~ b", "x)"])
def test_what_is_no_promql_is_refused(expression: str) -> None:
    with pytest.raises(NotUnderstood):
        used(expression)
