"""Read what OCPP 2.0.1 stations answer to our requests; total, whatever the payload holds.

Does no I/O. Before it: `verbs`. The twin of `v16.answers`: same names, same order.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from csms.orders import Setting


def settings(payload: Mapping[str, Any]) -> tuple[Setting, ...]:
    """Return what GetVariablesResponse tells, in its order. Source: OCPP 2.0.1 Part 2, GetVariableResultType."""
    return tuple(map(_setting, _results(payload, "getVariableResult")))


def set_status(payload: Mapping[str, Any]) -> str:
    """Return how SetVariablesResponse took the one value. Source: OCPP 2.0.1 Part 2, SetVariableStatusEnumType."""
    results = _results(payload, "setVariableResult")
    return str(results[0].get("attributeStatus", "")) if results else ""


def _setting(told: Mapping[str, Any]) -> Setting:
    value = told.get("attributeValue")
    key = f"{_name(told.get('component'))}.{_name(told.get('variable'))}"
    return Setting(key, None if value is None else str(value), None, str(told.get("attributeStatus", "")))


def _results(payload: Mapping[str, Any], member: str) -> list[Mapping[str, Any]]:
    told = payload.get(member)
    return [each for each in told if isinstance(each, dict)] if isinstance(told, list) else []


def _name(told: object) -> str:
    return str(told.get("name", "")) if isinstance(told, dict) else ""
