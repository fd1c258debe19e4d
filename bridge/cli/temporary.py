"""Parse `ocpp-bridge temporary …`: see temporary statuses, create and end them.

Never decides what a temporary status does. Times are read and shown in this machine's zone, or in the one
that is named.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from bridge.cli.run import ConfigOption, ExitCode, JsonOption, ask, examples, fail, new_group, print_document
from bridge.core.model import TemporaryKind

if TYPE_CHECKING:
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from bridge.web.temporary_services import Which
    from bridge.web.temporary_shapes import TemporaryList, TemporaryPreview

app = new_group("Temporary statuses: what an EVSE shows for some time instead of its own status.")

_OPERATOR = "command line"
"""Who created it, as it is stored where the bridge is stopped; a running one knows by the token."""

ZoneOption = Annotated[
    str | None, typer.Option("--time-zone", help="Zone of the times, such as Europe/Berlin; else this machine's.")
]


@app.command(
    "list",
    epilog=examples(
        "ocpp-bridge temporary list --config my.toml",
        "ocpp-bridge temporary list --all --evse 'DE*ABC*E1*1' --config my.toml",
    ),
)
def list_current(
    context: typer.Context,
    everything: Annotated[bool, typer.Option("--all", help="Also those that are over.")] = False,
    evse: Annotated[str | None, typer.Option("--evse", help="Only those of this EVSE, in any spelling.")] = None,
    time_zone: ZoneOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """List temporary statuses that are in force or to come."""
    zone = _zone(time_zone, as_json)
    which: Which = "all" if everything else "current"
    found = ask(context, config, lambda services: services.temporaries.list(evse, which), as_json=as_json)
    _print(found, zone, as_json)


@app.command(
    epilog=examples(
        "ocpp-bridge temporary create 'DE*ABC*E1*1' --status MAINTENANCE --for '2 h' --config my.toml",
        "ocpp-bridge temporary create DEABCE11 DEABCE12 --status BLOCKED --from '2026-12-01 08:00' \\",
        "    --to '2026-12-01 18:00' --time-zone Europe/Berlin --config my.toml",
    )
)
def create(
    context: typer.Context,
    evses: Annotated[list[str], typer.Argument(metavar="EVSE...", help="EVSE ids.", show_default=False)],
    status: Annotated[TemporaryKind, typer.Option("--status", help="What the EVSEs show.", show_default=False)],
    begins: Annotated[str | None, typer.Option("--from", help="When it begins; else now.")] = None,
    ends: Annotated[str | None, typer.Option("--to", help="When it ends; else when it is ended.")] = None,
    lasting: Annotated[str | None, typer.Option("--for", help="How long, instead of --to: '2 h', '90 min'.")] = None,
    enforce: Annotated[
        bool | None,
        typer.Option("--enforce/--no-enforce", help="Also make the EVSEs inoperative; else as the configuration says."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what each hub would be told; create none.")] = False,
    time_zone: ZoneOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Create a temporary status for each of these EVSEs, or for none of them."""
    from bridge.web.temporary_shapes import TemporaryWish

    zone = _zone(time_zone, as_json)
    valid_from, valid_to = _period(begins, ends, lasting, zone, as_json)
    wish = TemporaryWish(
        evse_ids=tuple(evses), status=status, valid_from=valid_from, valid_to=valid_to, enforce=enforce
    )
    if dry_run:
        preview = ask(context, config, lambda services: services.temporaries.preview(wish), as_json=as_json)
        _print_preview(preview, zone, as_json)
        return
    found = ask(context, config, lambda services: services.temporaries.create(wish, by=_OPERATOR), as_json=as_json)
    _print(found, zone, as_json)


@app.command(epilog=examples("ocpp-bridge temporary end 42 43 --config my.toml"))
def end(
    context: typer.Context,
    numbers: Annotated[
        list[int],
        typer.Argument(metavar="ID...", min=1, max=2**63 - 1, help="Ids, as in the list.", show_default=False),
    ],
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """End temporary statuses now, all of these or none; those to come are called off."""
    found = ask(context, config, lambda services: services.temporaries.end(tuple(numbers)), as_json=as_json)
    if as_json:
        print_document(found.model_dump(mode="json"))
        return
    for item in found.items:
        print(f"{item.id} is ended: {item.evse_id} {item.status}")


def _zone(name: str | None, as_json: bool) -> ZoneInfo | None:
    from bridge.cli.moments import NoMoment, read_zone

    try:
        return read_zone(name)
    except NoMoment as error:
        fail(ExitCode.USAGE, f"--time-zone {error}", as_json=as_json)


def _period(
    begins: str | None, ends: str | None, lasting: str | None, zone: ZoneInfo | None, as_json: bool
) -> tuple[datetime | None, datetime | None]:
    from datetime import UTC, datetime

    from bridge.cli.moments import NoMoment, read_moment, read_period

    if ends is not None and lasting is not None:
        fail(ExitCode.USAGE, "--to and --for say the same: give one of them", as_json=as_json)
    option = "--from"
    try:
        valid_from = None if begins is None else read_moment(begins, zone)
        option = "--to" if lasting is None else "--for"
        if lasting is not None:
            return valid_from, (valid_from or datetime.now(UTC)).astimezone(UTC) + read_period(lasting)
        return valid_from, None if ends is None else read_moment(ends, zone)
    except NoMoment as error:
        fail(ExitCode.USAGE, f"{option} {error}", as_json=as_json)
    except OverflowError:
        fail(ExitCode.USAGE, f"{option} {lasting!r}: ends after the year 9999", as_json=as_json)


def _print(found: TemporaryList, zone: ZoneInfo | None, as_json: bool) -> None:
    if as_json:
        print_document(found.model_dump(mode="json"))
        return
    from bridge.cli.moments import shown
    from bridge.cli.output import print_table

    if not found.items:
        print("no temporary statuses")
        return
    header = ("id", "EVSE id", "status", "from", "to", "phase", "created by", "enforced", "station")
    rows = (
        (
            item.id,
            item.evse_id,
            item.status,
            shown(item.valid_from, zone),
            shown(item.valid_to, zone) or "until ended",
            item.phase,
            item.created_by,
            "yes" if item.enforce else "",
            item.station,
        )
        for item in found.items
    )
    print_table(header, rows)


def _print_preview(preview: TemporaryPreview, zone: ZoneInfo | None, as_json: bool) -> None:
    if as_json:
        print_document(preview.model_dump(mode="json"))
        return
    from bridge.cli.moments import shown
    from bridge.cli.output import print_table

    rows: list[tuple[str, ...]] = []
    for item in preview.items:
        if item.problem:
            rows.append((item.evse_id, "", item.problem, ""))
        overlaps = ", ".join(f"{other.id} {other.status}" for other in item.overlaps)
        for span in item.spans:
            words = ", ".join(f"{account} {word}" for account, word in span.words.items())
            rows.append((item.evse_id, shown(span.begin, zone), f"{span.status}: {words or 'no hub'}", overlaps))
    print_table(("EVSE id", "from", "what hubs are told", "overlaps"), rows)
