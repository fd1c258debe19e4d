"""Print the quirk profiles: `ocpp-bridge quirks`.

The profiles are part of the release; the bridge is asked only which of them apply to a station. Before it: `command`.
After it: `run`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from bridge.cli.run import ConfigOption, JsonOption, ask, print_document

if TYPE_CHECKING:
    from bridge.web.quirk_shapes import QuirkItem, StationQuirks


def quirks(
    context: typer.Context,
    station: Annotated[str | None, typer.Option("--station", help="Only those that apply to it, and why.")] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the quirk profiles: how known hardware is treated in a way of its own, and why."""
    if station is not None:
        named = station
        found = ask(context, config, lambda services: services.quirks.of_station(named), as_json=as_json)
        print_document(found.model_dump(mode="json")) if as_json else _print_station(found)
        return
    from bridge.app.quirk_services import profiles_shown
    from bridge.cli.output import print_table

    every = profiles_shown()
    if as_json:
        print_document(every.model_dump(mode="json", exclude={"items": {"__all__": {"why"}}}))
        return
    rows = ((each.name, _devices(each), each.symptom, "; ".join(each.changes), each.evidence) for each in every.items)
    print_table(("name", "applied to", "without it", "what it changes", "evidence"), rows)


def _print_station(found: StationQuirks) -> None:
    from bridge.cli.output import print_table

    state = "connected" if found.connected else "not connected"
    if not found.items:
        print(f"{found.station} ({state}): no quirk profile applies")
        return
    print(f"{found.station} ({state}):")
    print_table(
        ("name", "why", "without it", "what it changes"),
        ((each.name, each.why, each.symptom, "; ".join(each.changes)) for each in found.items),
    )


def _devices(item: QuirkItem) -> str:
    """Return by what the profile is applied, as patterns of BootNotification's fields."""
    if not item.automatic:
        return "stations whose column `quirks` names it"
    fields = (("vendor", item.vendor), ("model", item.model), ("firmware", item.firmware))
    return ", ".join(f"{field} {' or '.join(patterns)}" for field, patterns in fields if patterns != ("*",))
