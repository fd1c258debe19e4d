"""Parse `ocpp-bridge station attempts`: connections that were refused, why, and what to do.

Never asks a station. Registered on the group `station` by `command`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from bridge.cli.run import ConfigOption, JsonOption, ask, print_document

if TYPE_CHECKING:
    from bridge.web.quarantine_shapes import AttemptItem


def attempts(
    context: typer.Context,
    station: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="Only those of this station.", show_default=False)
    ] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """List refused connections since the bridge's start, the most recent first, with what to do about each."""
    found = ask(context, config, lambda services: services.quarantine.attempts(station), as_json=as_json)
    if as_json:
        print_document(found.model_dump(mode="json"))
        return
    if not found.items:
        print("no connection was refused since the bridge's start")
        return
    for item in found.items:
        for line in attempt_lines(item):
            print(line)


def attempt_lines(item: AttemptItem) -> list[str]:
    """Return one kind of refused attempt as an operator reads it."""
    from bridge.cli.output import counted

    agent = f", {item.user_agent}" if item.user_agent else ""
    status = f"HTTP {item.status} " if item.status else ""
    lines = [
        f"{item.station or '(no id)'} from {item.address}{agent}: {status}{item.reason}",
        f"  {counted(item.count, 'attempt')}, first {item.first:%Y-%m-%d %H:%M:%S %Z}, "
        f"last {item.last:%Y-%m-%d %H:%M:%S %Z}",
    ]
    if item.similar is not None:
        lines.append(f"  is it {item.similar}? The inventory has that one")
    if item.what_to_do:
        lines.append(f"  {item.what_to_do}")
    return lines
