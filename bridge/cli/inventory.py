"""Parse `ocpp-bridge inventory …`: import a CSV file, list what is there.

Never reads the CSV's columns: the bridge does, so that both ways in say the same about a wrong row.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bridge.cli.run import (
    ConfigOption,
    ExitCode,
    JsonOption,
    YesOption,
    ask,
    confirm,
    examples,
    fail,
    new_group,
    parts_of,
    print_document,
    say,
)

if TYPE_CHECKING:
    from bridge.web.services import WebServices
    from bridge.web.shapes import ImportReport

app = new_group("Stations, EVSEs and connectors.")


@app.command("list", epilog=examples("ocpp-bridge inventory list --config my.toml"))
def list_all(context: typer.Context, config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """List every connector; keys are never shown."""
    from bridge.cli.output import print_inventory

    found = ask(context, config, lambda services: services.list_inventory(), as_json=as_json)
    print_document(found.model_dump(mode="json")) if as_json else print_inventory(found)


@app.command(
    "import",
    epilog=examples(
        "ocpp-bridge inventory import stations.csv --config my.toml --dry-run",
        "ocpp-bridge inventory import stations.csv --config my.toml",
        "ocpp-bridge inventory import stations.csv --config my.toml --prune --yes",
        "ocpp-sim inventory --stations 200 --seed 7 | ocpp-bridge inventory import - --config my.toml",
    ),
)
def import_file(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="CSV file; - is standard input.", show_default=False)],
    prune: Annotated[bool, typer.Option("--prune", help="Remove what is not in the file.")] = False,
    yes: YesOption = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the changes, make none.")] = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Add and change stations and EVSEs from a CSV file: all rows or none."""
    from bridge.cli.output import change_lines, print_report
    from bridge.web.services import NeedsYes
    from bridge.web.shapes import ImportRequest

    request = ImportRequest(csv=_text(file, as_json), prune=prune, yes=yes, dry_run=dry_run)
    can_ask = parts_of(context).interactive() and not as_json

    async def apply(services: WebServices) -> ImportReport:
        try:
            return await services.import_inventory(request)
        except NeedsYes as error:
            if not can_ask:
                raise
            for line in change_lines(error.report):
                say(line)
            confirm(f"{error}. Go on?")
            return await services.import_inventory(request.model_copy(update={"yes": True}))

    report = ask(context, config, apply, as_json=as_json, file=str(file))
    print_document(report.model_dump(mode="json")) if as_json else print_report(report)


def _text(file: Path, as_json: bool) -> str:
    """Return the file's text, with or without a byte order mark, or end."""
    try:
        content = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
        return content.decode("utf-8-sig")
    except FileNotFoundError:
        fail(ExitCode.NOT_FOUND, f"{file}: no such file", as_json=as_json)
    except OSError as error:
        fail(ExitCode.FAILED, f"{file}: {error.strerror}", as_json=as_json)
    except UnicodeDecodeError as error:
        fail(ExitCode.INVALID, f"{file}: should be UTF-8 text; byte {error.start} is not", as_json=as_json)
