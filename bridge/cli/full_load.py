"""Parse `ocpp-bridge upstream full-load`: show what a fullLoad would replace, ask, order it.

Never sends one: the account's lane does, as soon as it may. Registered by `upstream`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from bridge.cli.run import ConfigOption, ExitCode, JsonOption, YesOption, ask, confirm, fail, parts_of, print_document

if TYPE_CHECKING:
    from bridge.web.full_load_shapes import FullLoadItem, Scope
    from bridge.web.services import WebServices

_NAMED = 20
"""EVSEs of one kind that are printed; the rest is counted."""


def full_load(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="Name of the account in the configuration.", show_default=False)],
    data: Annotated[bool, typer.Option("--data", help="Of EVSEs' data; one of statuses follows it.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would change, send nothing.")] = False,
    yes: YesOption = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what a fullLoad would replace at the hub, ask, and send it.

    It is the yes to this account's fullLoads from now on, if none was given. Only Hubject has fullLoads.
    """
    from bridge.web.full_load_shapes import FullLoadRequest

    scope: Scope = "data" if data else "statuses"
    if not (yes or dry_run) and (as_json or not parts_of(context).interactive()):
        fail(ExitCode.USAGE, "nobody is there to ask; add --yes to send it, or --dry-run", as_json=as_json)

    async def order(services: WebServices) -> FullLoadItem:
        item = await services.full_load_preview(name, scope)
        if dry_run:
            return item
        if not yes:
            _show(item, err=True)
            confirm(_question(item))
        return await services.order_full_load(name, FullLoadRequest(scope=scope, confirm=True))

    item = ask(context, config, order, as_json=as_json)
    if as_json:
        print_document(item.model_dump(mode="json"))
        return
    if yes or dry_run:
        _show(item, err=False)
    ordered = f"the fullLoad of {scope} is ordered: it goes out as soon as the account may send"
    typer.echo(ordered if item.ordered else "nothing was sent")


def _show(item: FullLoadItem, *, err: bool) -> None:
    for line in diff_lines(item):
        typer.echo(line, err=err)


def diff_lines(item: FullLoadItem) -> list[str]:
    """Return what a fullLoad changes, a line for each kind of change, as an operator reads it."""
    from bridge.cli.output import counted

    total = len(item.new) + len(item.changed) + len(item.same)
    what = f"the {'status' if item.scope == 'statuses' else 'data'} of {counted(total, 'EVSE')}"
    lines = [f"{item.name}: a fullLoad with {what}"]
    for label, ids in (
        ("new", item.new),
        ("changed", item.changed),
        ("withdrawn", item.withdrawn),
        ("left out, since the hub refuses them", item.refused),
        ("left out, of another operator", item.foreign),
        ("left out until the hub has their data", item.waiting),
    ):
        if ids:
            lines.append(f"  {label}: {len(ids)} ({_names(ids)})")
    lines.append(f"  same: {len(item.same)}")
    if item.held_back is not None:
        lines.append(f"warning: {item.held_back}")
    return lines


def _names(ids: Sequence[str]) -> str:
    more = f", and {len(ids) - _NAMED} more; --json lists all" if len(ids) > _NAMED else ""
    return ", ".join(ids[:_NAMED]) + more


def _question(item: FullLoadItem) -> str:
    if item.held_back is not None:
        return f"Although {item.held_back}: replace what the hub has of {item.name}?"
    return f"Replace everything that the hub has of {item.name} by this?"
