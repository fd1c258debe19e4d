"""Parse `ocpp-bridge quarantine …`: see stations that the inventory does not know, map and forget them.

Never decides what a mapping may say: the bridge does, by the rules of an import. A key is printed once, by the command
that had it made.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bridge.cli.importing import text_of
from bridge.cli.run import ConfigOption, ExitCode, JsonOption, ask, examples, fail, new_group, print_document

if TYPE_CHECKING:
    from bridge.web.quarantine_shapes import MapReport, QuarantineItem

app = new_group("Stations that connected and that the inventory does not know.")

StationArgument = Annotated[
    str, typer.Argument(metavar="ID", help="Id of the station, as in the list.", show_default=False)
]


@app.command("list", epilog=examples("ocpp-bridge quarantine list --config my.toml"))
def list_all(context: typer.Context, config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """List stations in quarantine, those that were seen last first."""
    found = ask(context, config, lambda services: services.quarantine.list(), as_json=as_json)
    if as_json:
        print_document(found.model_dump(mode="json"))
        return
    if not found.items:
        print("no stations in quarantine")
        return
    from bridge.cli.output import print_table

    header = ("station", "connected", "version", "vendor", "model", "serial", "firmware", "address")
    more = ("first seen", "last seen", "connections", "sent a key")
    print_table((*header, *more), (_row(item) for item in found.items))


@app.command(
    "map",
    epilog=examples(
        "ocpp-bridge quarantine map CP42 --evse 'DE*ABC*E42' --operator acme --generate-key --config my.toml",
        "ocpp-bridge quarantine map CP43 --evse '1=DE*ABC*E43*1' --evse '2=DE*ABC*E43*2' --operator acme \\",
        "    --key-file cp43.key --config my.toml",
        "ocpp-bridge quarantine map CP44 --evse '1.1=DE*ABC*E44' --evse '1.2=DE*ABC*E44' --operator acme \\",
        "    --certificate-name CP44 --dry-run --config my.toml",
    ),
)
def map_station(
    context: typer.Context,
    station: StationArgument,
    evses: Annotated[
        list[str],
        typer.Option(
            "--evse",
            metavar="[[EVSE.]CONNECTOR=]EVSEID",
            help="An EVSE; for each of several connectors CONNECTOR=EVSEID, with OCPP 2.x EVSE.CONNECTOR=EVSEID.",
            show_default=False,
        ),
    ],
    operator: Annotated[str, typer.Option("--operator", help="Name in the configuration.", show_default=False)],
    key_file: Annotated[Path | None, typer.Option("--key-file", help="File with its key; - is standard input.")] = None,
    generate_key: Annotated[bool, typer.Option("--generate-key", help="Make a key, and print it once.")] = False,
    insecure: Annotated[bool, typer.Option("--insecure", help="It need not prove itself at all.")] = False,
    certificate_name: Annotated[
        str | None, typer.Option("--certificate-name", help="Common name of its client certificate.")
    ] = None,
    weak_key: Annotated[bool, typer.Option("--weak-key", help="Take a key of less than 16 bytes.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the changes, make none.")] = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make a station in quarantine one of the inventory; it is disconnected, and logs in anew."""
    from pydantic import ValidationError

    from bridge.web.quarantine_shapes import MapWish

    if (key_file is not None) + generate_key + insecure + (certificate_name is not None) != 1:
        fail(
            ExitCode.USAGE,
            "how does it prove itself? Give one of --key-file, --generate-key, --certificate-name or --insecure",
            as_json=as_json,
        )
    try:
        wish = MapWish(
            evses=tuple(evses),
            operator=operator,
            key=None if key_file is None else text_of(key_file, as_json).rstrip("\r\n"),
            generate_key=generate_key,
            insecure=insecure,
            certificate_name=certificate_name,
            weak_key=weak_key,
            dry_run=dry_run,
        )
    except ValidationError as error:
        wrong = [f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors(include_input=False)]
        fail(ExitCode.USAGE, *wrong, as_json=as_json)
    report = ask(
        context, config, lambda services: services.quarantine.map(station, wish), as_json=as_json, file="--evse"
    )
    print_document(report.model_dump(mode="json")) if as_json else _print_report(report)


@app.command(epilog=examples("ocpp-bridge quarantine forget CP42 --config my.toml"))
def forget(
    context: typer.Context, station: StationArgument, config: ConfigOption = None, as_json: JsonOption = False
) -> None:
    """Remove a station from quarantine; where it connects again, it is back."""
    found = ask(context, config, lambda services: services.quarantine.forget(station), as_json=as_json)
    print_document(found.model_dump(mode="json")) if as_json else print(f"{found.station} is forgotten")


def _row(item: QuarantineItem) -> tuple[object, ...]:
    return (
        item.station,
        "yes" if item.connected else "no",
        item.version,
        item.vendor,
        item.model,
        item.serial,
        item.firmware,
        item.address,
        f"{item.first_seen:%Y-%m-%d %H:%M:%S %Z}",
        f"{item.last_seen:%Y-%m-%d %H:%M:%S %Z}",
        item.connections,
        "yes" if item.showed_credentials else "no",
    )


def _print_report(report: MapReport) -> None:
    for warning in report.warnings:
        print(f"warning: {warning}")
    evses = ", ".join(report.evses)
    if not report.applied:
        print(f"nothing was changed; {report.station} would be mapped to {evses}")
        return
    print(f"{report.station} is mapped to {evses}")
    if report.key is not None:
        print(f"its key, which is shown only now: {report.key}")
