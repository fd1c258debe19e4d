"""Read what OCPP 1.6 stations answer to our requests; total, whatever the payload holds.

Does no I/O. Before it: `verbs`. The twin of `v201.answers`: same names, same order.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from csms.orders import Setting


def settings(payload: Mapping[str, Any]) -> tuple[Setting, ...]:
    """Return what GetConfiguration.conf tells, unknown keys last. Source: OCPP 1.6 §6.24, and KeyValue in §7."""
    known, unknown = payload.get("configurationKey"), payload.get("unknownKey")
    return (
        *(_setting(each) for each in (known if isinstance(known, list) else ()) if isinstance(each, dict)),
        *(Setting(str(each), None, None, "UnknownKey") for each in (unknown if isinstance(unknown, list) else ())),
    )


def set_status(payload: Mapping[str, Any]) -> str:
    """Return how ChangeConfiguration.conf took the value. Source: OCPP 1.6 §6.10, ConfigurationStatus."""
    return str(payload.get("status", ""))


def _setting(told: Mapping[str, Any]) -> Setting:
    value = told.get("value")
    return Setting(
        str(told.get("key", "")), None if value is None else str(value), told.get("readonly") is True, "Accepted"
    )
