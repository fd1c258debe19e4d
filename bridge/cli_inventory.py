"""Parse `ocpp-bridge inventory …`: import a CSV file, list what is there.

Never reads the CSV's columns: the bridge does, so that both ways in say the same about a wrong row.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bridge.cli_run import ConfigOption, ExitCode, JsonOption, YesOption, ask, confirm, fail, parts_of, print_document

if TYPE_CHECKING:
    from bridge.web.services import WebServices
    from bridge.web.shapes import ImportReport

app = typer.Typer(help="Stations, EVSEs and connectors.", no_args_is_help=True)


@app.command("list")
def list_all(context: typer.Context, config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """List every connector; keys are never shown."""
    from bridge.cli_output import print_inventory

    found = ask(context, config, lambda services: services.list_inventory(), as_json=as_json)
    print_document(found.model_dump(mode="json")) if as_json else print_inventory(found)


@app.command("import")
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
    from bridge.cli_output import print_report
    from bridge.web.services import NeedsYes
    from bridge.web.shapes import ImportRequest

    request = ImportRequest(csv=_text(file), prune=prune, yes=yes, dry_run=dry_run)
    can_ask = parts_of(context).interactive() and not as_json

    async def apply(services: WebServices) -> ImportReport:
        try:
            return await services.import_inventory(request)
        except NeedsYes as error:
            if not can_ask:
                raise
            print_report(error.report)
            confirm(f"{error} Go on?")
            return await services.import_inventory(request.model_copy(update={"yes": True}))

    report = ask(context, config, apply, as_json=as_json, file=str(file))
    print_document(report.model_dump(mode="json")) if as_json else print_report(report)


def _text(file: Path) -> str:
    """Return the file's text, with or without a byte order mark, or end."""
    try:
        content = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
        return content.decode("utf-8-sig")
    except FileNotFoundError:
        fail(ExitCode.NOT_FOUND, f"{file}: no such file")
    except OSError as error:
        fail(ExitCode.FAILED, f"{file}: {error.strerror}")
    except UnicodeDecodeError as error:
        fail(ExitCode.INVALID, f"{file}: should be UTF-8 text; byte {error.start} is not")
