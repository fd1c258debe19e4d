"""Read from the command line which fleet is meant: the same options for every command, so that they mean one fleet.

Parses only. Before it: `command` and `preparation`. After it: `plan`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

import typer

from simulators.fleet.layout import Version
from simulators.fleet.plan import Plan
from simulators.fleet.quirks import UnknownQuirk, chosen

_PROFILES = ("0", "1", "2", "3")

Stations = Annotated[int, typer.Option(min=1, help="Number of charging stations.")]
Seed = Annotated[int, typer.Option(help="Seed of the fleet, and of everything that happens.")]
Versions = Annotated[str, typer.Option(help="OCPP versions of the stations, with commas: 1.6, 2.0.1, 2.1.")]
Security = Annotated[
    str,
    typer.Option(
        help="Security profile: 0 nothing, 1 Basic, 2 TLS and Basic, 3 TLS and client certificate; "
        "several with commas take turns."
    ),
]
Quirks = Annotated[
    list[str] | None, typer.Option("--quirk", help="What stations do wrong, with commas; `ocpp-sim quirks` lists it.")
]
QuirkShare = Annotated[
    float, typer.Option(min=0, max=1, help="Share of the stations that have a quirk, each quirk for itself.")
]
DEFAULT_VERSIONS = "1.6,2.0.1"


def plan_of(
    stations: int, seed: int, versions: str, security: str, quirks: Iterable[str] | None, quirk_share: float
) -> Plan:
    """Return the plan that the options mean. Raises: typer.BadParameter, which says what would be right."""
    try:
        entries = chosen(_parts(",".join(quirks or ())))
    except UnknownQuirk as unknown:
        raise typer.BadParameter(str(unknown), param_hint="--quirk") from None
    known = {version.value: version for version in Version}
    return Plan(
        stations,
        seed,
        versions=tuple(known[part] for part in _known(versions, tuple(known), "--versions")),
        security=tuple(int(part) for part in _known(security, _PROFILES, "--security")),
        quirks=entries,
        quirk_share=quirk_share,
    )


def _known(text: str, known: tuple[str, ...], hint: str) -> list[str]:
    parts = _parts(text)
    wrong = next((part for part in parts if part not in known), None)
    if wrong is not None or not parts:
        raise typer.BadParameter(f"{(wrong or text)!r} is none of {', '.join(known)}", param_hint=hint)
    return parts


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]
