"""Parse `ocpp-bridge config`: show the configuration that counts.

Never starts anything and asks no bridge. Before it: `command`. After it: `bridge.settings.shown`.
"""

from __future__ import annotations

import os
from typing import Annotated

import typer

from bridge.cli.run import ConfigOption, JsonOption, config_path, examples, new_group, print_document, refuse

app = new_group("The configuration.")


@app.command(
    epilog=examples(
        "ocpp-bridge config show --config my.toml",
        "ocpp-bridge config show --changed --config my.toml",
        "BRIDGE_OCPP__PORT=9001 ocpp-bridge config show --json",
    )
)
def show(
    changed: Annotated[bool, typer.Option("--changed", help="Only what is not as the defaults are.")] = False,
    configuration: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show every setting as it counts, and whether file, environment, secret or default says so; secrets are hidden."""
    from dataclasses import asdict

    from bridge.settings import ConfigurationErrors
    from bridge.settings.shown import DEFAULT, effective_values

    try:
        values = effective_values(config_path(configuration), os.environ)
    except ConfigurationErrors as error:
        refuse(error, as_json=as_json)
    shown = [value for value in values if not changed or value.source != DEFAULT]
    if as_json:
        print_document({"values": [asdict(value) for value in shown]})
        return
    from bridge.cli.output import print_table

    print_table(("key", "value", "from"), ((one.key, _as_text(one.value), one.source) for one in shown))


def _as_text(value: object) -> str:
    import json

    return "" if value is None else json.dumps(value, ensure_ascii=False)
