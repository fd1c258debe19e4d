"""Read the alert rules and the dashboard, and find what they name that metrics have not.

Knows nothing of where the metrics come from: a registry of a test, or a bridge that runs.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from prometheus_client.parser import text_string_to_metric_families

from tests.architecture.promql import used

ROOT = Path(__file__).parents[2]
RULES: list[dict[str, Any]] = yaml.safe_load((ROOT / "ops/prometheus/alerts.yml").read_text("utf-8"))["groups"][0][
    "rules"
]
BOARD: dict[str, Any] = json.loads((ROOT / "ops/grafana/ocpp-bridge.json").read_text("utf-8"))
_LABEL_OF_TEXT = re.compile(r"\{\{\s*(?:\$labels\.)?(\w+)\s*\}\}")
_NO_LABEL = {"value"}


def labels_by_name(text: str) -> dict[str, set[str]]:
    """Return the name of every sample of an exposition, with its labels."""
    found: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name, set()).update(sample.labels)
    return found


def mistakes_of(expression: str, texts: str, exported: Mapping[str, set[str]]) -> list[str]:
    """Return what an expression, and the texts that are filled with its labels, name and is not exported."""
    found = used(expression)
    wrong = [f"no metric {name}" for name in found.metrics if name not in exported]
    there: set[str] = set().union(*(exported.get(name, set()) for name in found.metrics))
    for name, labels in found.selected.items():
        wrong += [f"{name} has no label {label}" for label in labels - exported.get(name, set())]
    for label in found.grouped | (set(_LABEL_OF_TEXT.findall(texts)) - _NO_LABEL):
        if label not in there:
            wrong.append(f"no label {label}")
    return wrong


def targets() -> Iterator[tuple[str, str]]:
    """Yield the expression and the legend of every panel."""
    for panel in BOARD["panels"]:
        for target in panel.get("targets", []):
            yield target["expr"], target["legendFormat"]
