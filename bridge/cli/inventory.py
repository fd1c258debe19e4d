"""Parse `ocpp-bridge inventory …`: import a CSV file, list what is there, see and edit single rows.

Never reads the CSV's columns: the bridge does, so that both ways in say the same about a wrong row.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bridge.cli import listing, row_edits
from bridge.cli.importing import import_with, text_of
from bridge.cli.run import ConfigOption, JsonOption, YesOption, ask, examples, new_group, print_document

if TYPE_CHECKING:
    from bridge.web.services import WebServices
    from bridge.web.shapes import ImportReport

app = new_group("Stations, EVSEs and connectors.")
app.add_typer(listing.app, name="listing")


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
    from bridge.web.shapes import ImportRequest

    request = ImportRequest(csv=text_of(file, as_json), prune=prune, yes=yes, dry_run=dry_run)

    async def apply(services: WebServices, said_yes: bool) -> ImportReport:
        return await services.import_inventory(request.model_copy(update={"yes": said_yes}))

    import_with(context, config, apply, yes=yes, file=file, as_json=as_json)


app.command(epilog=row_edits.SHOW_EXAMPLES)(row_edits.show)
app.command(epilog=row_edits.EDIT_EXAMPLES)(row_edits.edit)
app.command(epilog=row_edits.REMOVE_EXAMPLES)(row_edits.remove)
