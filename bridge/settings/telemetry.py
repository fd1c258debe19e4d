"""Describe [telemetry]: where traces go, if anywhere."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Annotated

from pydantic import AfterValidator

from bridge.settings.fields import matching, whole
from bridge.settings.sections import Section


def _check_installed(url: str) -> str:
    if find_spec("opentelemetry") is None or find_spec("opentelemetry.sdk") is None:
        raise ValueError("traces need OpenTelemetry: pip install 'ocpp-bridge[otel]'")
    return url


_Collector = Annotated[
    str,
    matching(r"https?://[^\s@?#]{1,500}", "the address of a collector such as http://127.0.0.1:4318/v1/traces"),
    AfterValidator(_check_installed),
]


class TelemetrySection(Section):
    """Traces by OpenTelemetry (OTLP over HTTP)."""

    endpoint: _Collector | None = None
    service_name: Annotated[str, matching(r"\S(.{0,98}\S)?", "a name of 1 to 100 characters")] = "ocpp-bridge"
    percent: Annotated[int, whole(1, 100)] = 100
