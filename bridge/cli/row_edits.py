"""Parse `ocpp-bridge inventory show`, `edit` and `remove`: one EVSE or one station, without a file of all of them.

Never changes what nobody has seen: an edit holds for what was read before it. Where that has changed meanwhile, it says
what, and changes nothing. Registered by `inventory`. After it: `inventory_row`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bridge.cli.importing import text_of
from bridge.cli.run import (
    ConfigOption,
    ExitCode,
    JsonOption,
    YesOption,
    ask,
    confirm,
    examples,
    fail,
    parts_of,
    print_document,
    say,
)

if TYPE_CHECKING:
    from bridge.cli.inventory_row import Change, Row, Shown
    from bridge.core.etags import Condition
    from bridge.web.inventory_services import EditDone, EditWay
    from bridge.web.inventory_shapes import InventoryEdit
    from bridge.web.services import WebServices

EvseOption = Annotated[str | None, typer.Option("--evse", metavar="ID", help="The EVSE, in any spelling of its id.")]
StationOption = Annotated[str | None, typer.Option("--station", metavar="ID", help="The station, with its EVSEs.")]
TagOption = Annotated[
    str | None, typer.Option("--if-match", metavar="ETAG", help="Only if it is still what `show` said with this etag.")
]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Show the changes, make none.")]

SHOW_EXAMPLES = examples(
    "ocpp-bridge inventory show --evse 'DE*ABC*E1' --config my.toml",
    "ocpp-bridge inventory show --station CP42 --json --config my.toml > cp42.json",
)
EDIT_EXAMPLES = examples(
    "ocpp-bridge inventory edit --evse 'DE*ABC*E1' --set operator=acme --config my.toml",
    "ocpp-bridge inventory edit --station CP42 --set layer0=source --set ping_seconds=30 --dry-run --config my.toml",
    "ocpp-bridge inventory edit --from cp42.json --config my.toml",
)
REMOVE_EXAMPLES = examples(
    "ocpp-bridge inventory remove --evse 'DE*ABC*E1' --dry-run --config my.toml",
    "ocpp-bridge inventory remove --station CP42 --yes --config my.toml",
)


def show(
    context: typer.Context,
    evse: EvseOption = None,
    station: StationOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what the inventory says of one EVSE or station, never its key; the etag is for `edit` and `remove`."""
    from bridge.cli.inventory_row import document_of, written

    row = _row(evse, station, as_json)
    document = document_of(ask(context, config, lambda services: row.read(services.inventory_edits), as_json=as_json))
    if as_json:
        print_document(document)
    else:
        print("\n".join(f"{name}: {written(value)}" for name, value in document.items()))


def edit(
    context: typer.Context,
    evse: EvseOption = None,
    station: StationOption = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="What is to be different, as `show` names it; repeatable."),
    ] = None,
    file: Annotated[
        Path | None,
        typer.Option("--from", metavar="FILE", help="What `show --json` said, edited; - is standard input."),
    ] = None,
    key_file: Annotated[
        Path | None, typer.Option("--key-file", help="File with a new key of the station; - is standard input.")
    ] = None,
    generate_key: Annotated[
        bool, typer.Option("--generate-key", help="Make a new key of the station, and print it once.")
    ] = False,
    weak_key: Annotated[bool, typer.Option("--weak-key", help="Take a key of less than 16 bytes.")] = False,
    tag: TagOption = None,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Change one EVSE or station; what is not named stays, and what others changed meanwhile is not overwritten."""
    from bridge.cli.inventory_row import NoEdit, change_of, row_of_file

    if file is not None and (evse is not None or station is not None):
        fail(ExitCode.USAGE, "--from says which one it is: leave --evse and --station out", as_json=as_json)
    given: dict[str, Any] = {}
    try:
        if file is None:
            row = _row(evse, station, as_json)
        else:
            row, given, seen = row_of_file(text_of(file, as_json))
            tag = tag or seen
        key = None if key_file is None else text_of(key_file, as_json).rstrip("\r\n")
        change = change_of(row, settings or (), given, key=key, generate_key=generate_key, weak_key=weak_key)
    except NoEdit as error:
        fail(ExitCode.USAGE, str(error), as_json=as_json)

    async def apply(services: WebServices, way: EditWay) -> EditDone:
        return await row.change(services.inventory_edits, change, way)

    _Order(context, row, apply, tag, change, yes=yes, dry_run=dry_run, as_json=as_json).run(config)


def remove(
    context: typer.Context,
    evse: EvseOption = None,
    station: StationOption = None,
    tag: TagOption = None,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take one EVSE, or a station with its EVSEs, out of the inventory; hubs are told."""
    row = _row(evse, station, as_json)
    if not (yes or dry_run) and (as_json or not parts_of(context).interactive()):
        fail(ExitCode.USAGE, f"nobody is there to ask; add --yes to remove {row.id}, or --dry-run", as_json=as_json)

    async def apply(services: WebServices, way: EditWay) -> EditDone:
        return await row.remove(services.inventory_edits, way)

    _Order(context, row, apply, tag, None, yes=yes, dry_run=dry_run, as_json=as_json).run(config)


def _row(evse: str | None, station: str | None, as_json: bool) -> Row:
    from bridge.cli.inventory_row import Row

    if (evse is None) == (station is None):
        fail(ExitCode.USAGE, "which one? Give --evse ID or --station ID", as_json=as_json)
    return Row(evse, is_station=False) if evse is not None else Row(station or "", is_station=True)


class _Order:
    """One edit, from what is seen to what was changed."""

    def __init__(
        self,
        context: typer.Context,
        row: Row,
        apply: Callable[[WebServices, EditWay], Awaitable[EditDone]],
        tag: str | None,
        change: Change | None,
        *,
        yes: bool,
        dry_run: bool,
        as_json: bool,
    ) -> None:
        self._context = context
        self._row = row
        self._apply = apply
        self._condition = None if tag is None else _condition(tag, as_json)
        self._change = change
        self._yes = yes
        self._dry_run = dry_run
        self._as_json = as_json
        self._can_ask = parts_of(context).interactive() and not as_json

    def run(self, config: Path | None) -> None:
        """Make the edit and print what it did, or end."""
        report = ask(self._context, config, self._made, as_json=self._as_json, file=self._row.id)
        if self._as_json:
            print_document(report.model_dump(mode="json"))
            return
        from bridge.cli.output import print_report

        print_report(report, "done")
        if report.key is not None:
            print(f"its key, which is shown only now: {report.key}")

    async def _made(self, services: WebServices) -> InventoryEdit:
        from bridge.cli.inventory_row import condition_of, document_of
        from bridge.cli.output import change_lines
        from bridge.web.inventory_services import EditWay
        from bridge.web.services import Changed, NeedsYes

        seen = await self._row.read(services.inventory_edits)
        condition = self._condition or condition_of(document_of(seen)["etag"])
        way = EditWay(condition, yes=self._yes, dry_run=self._dry_run)
        if self._change is None and not (self._yes or self._dry_run):
            confirm(f"Remove {_named(seen)} from the inventory?")
        try:
            return (await self._apply(services, way)).report
        except NeedsYes as error:
            if not self._can_ask:
                raise
            for line in change_lines(error.report):
                say(line)
            confirm(f"{error}. Go on?")
            return (await self._apply(services, EditWay(way.condition, yes=True))).report
        except Changed:
            await self._refuse(services, seen)
            raise

    async def _refuse(self, services: WebServices, seen: Shown) -> None:
        """End with what has changed: since it was read here or, where an older etag was given, what the edit would."""
        from bridge.cli.inventory_row import differences, differs_from, document_of

        now = await self._row.read(services.inventory_edits)
        lines = differences(seen, now) if self._condition is None else []
        if not lines and self._change is not None:
            lines = differs_from(self._change, now)
        said = (
            f"somebody else has changed {self._row.id} since you read it; nothing was changed by you: "
            f"look at it with `inventory show`, and go on with its etag {document_of(now)['etag']}"
        )
        fail(ExitCode.CONFLICT, *lines, said, as_json=self._as_json)


def _condition(tag: str, as_json: bool) -> Condition:
    from bridge.cli.inventory_row import NoEdit, condition_of

    try:
        return condition_of(tag)
    except NoEdit as error:
        fail(ExitCode.USAGE, str(error), as_json=as_json)


def _named(shown: Shown) -> str:
    from bridge.cli.output import counted
    from bridge.web.inventory_shapes import InventoryEvse

    if isinstance(shown, InventoryEvse):
        return f"{shown.evse_id} of station {shown.station}"
    return f"station {shown.station} with {counted(len(shown.evses), 'EVSE')}"
