"""Parse `ocpp-bridge station …`: see stations, send them requests, change how they prove themselves.

Never sends anything unasked. Before it: `command`. After it: `station_calls` and `station_keys`, which hold the verbs.
"""

from __future__ import annotations

from typing import Annotated

import typer

from bridge.cli import station_calls, station_keys
from bridge.cli.run import ConfigOption, ExitCode, JsonOption, ask, examples, fail, new_group, print_document, say
from bridge.cli.station_calls import IdArgument

app = new_group("Charging stations.")


@app.command(
    "list",
    epilog=examples(
        "ocpp-bridge station list --config my.toml",
        "ocpp-bridge station list --connected --version 1.6 --config my.toml --json",
    ),
)
def list_all(
    context: typer.Context,
    connected: Annotated[bool | None, typer.Option("--connected/--away", help="Only those.")] = None,
    version: Annotated[
        str | None, typer.Option("--version", help="Only those that speak it: 1.6, 2.0.1 or 2.1.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000, help="At most so many.")] = 1000,
    cursor: Annotated[str | None, typer.Option("--after", help="Only those behind: the page before names it.")] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """List stations: connection, version, security profile, vendor, model."""
    spoken = _subprotocol(version, as_json)
    found = ask(
        context,
        config,
        lambda services: services.stations.list(limit, cursor, connected=connected, version=spoken),
        as_json=as_json,
    )
    if as_json:
        print_document(found.model_dump(mode="json"))
        return
    from bridge.cli.station_output import print_stations

    print_stations(found)
    if found.next_cursor is not None:
        say(f"there are more: --after {found.next_cursor!r}")


def _subprotocol(version: str | None, as_json: bool) -> str | None:
    """Return the subprotocol of a version that is written as in the inventory, or as the subprotocol itself."""
    from bridge.web.station_shapes import VERSIONS

    if version is None:
        return None
    named = f"ocpp{version.strip().lower().removeprefix('ocpp')}"
    if named not in VERSIONS:
        short = ", ".join(each.removeprefix("ocpp") for each in VERSIONS)
        fail(ExitCode.USAGE, f"--version: should be one of {short}", as_json=as_json)
    return named


@app.command(
    epilog=examples(
        "ocpp-bridge station show CP1 --config my.toml", "ocpp-bridge station show CP1 --config my.toml --json"
    )
)
def show(context: typer.Context, station: IdArgument, config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Show everything about one station."""
    found = ask(context, config, lambda services: services.stations.get(station), as_json=as_json)
    if as_json:
        print_document(found.model_dump(mode="json"))
        return
    from bridge.cli.station_output import print_station

    print_station(found)


app.command(
    epilog=examples(
        "ocpp-bridge station call CP1 ClearCache --config my.toml",
        """ocpp-bridge station call CP1 Reset '{"type": "Soft"}' --config my.toml --json""",
        "ocpp-bridge station call CP1 SetChargingProfile @profile.json --timeout 300 --config my.toml",
        "generate | ocpp-bridge station call CS2 SetVariables - --config my.toml",
    )
)(station_calls.call)
app.command(
    epilog=examples(
        "ocpp-bridge station trigger CP1 StatusNotification --connector 1 --config my.toml",
        "ocpp-bridge station trigger CS2 StatusNotification --evse 1 --connector 1 --config my.toml",
    )
)(station_calls.trigger)
app.command(
    epilog=examples(
        "ocpp-bridge station availability CP1 inoperative --connector 1 --config my.toml",
        "ocpp-bridge station availability CS2 operative --evse 1 --config my.toml",
    )
)(station_calls.availability)
app.command(
    epilog=examples(
        "ocpp-bridge station reset CP1 soft --config my.toml",
        "ocpp-bridge station reset CS2 hard --evse 1 --config my.toml",
    )
)(station_calls.reset)
app.command(
    epilog=examples(
        "ocpp-bridge station unlock CP1 --connector 1 --config my.toml",
        "ocpp-bridge station unlock CS2 --evse 1 --connector 1 --config my.toml",
    )
)(station_calls.unlock)
app.add_typer(station_calls.configuration, name="configuration")
app.command(
    "rotate-key",
    epilog=examples(
        "ocpp-bridge station rotate-key CP1 --config my.toml",
        "ocpp-bridge station rotate-key CP1 --key-file new.key --config my.toml --json",
    ),
)(station_keys.rotate_key)
app.command(
    epilog=examples(
        "ocpp-bridge station profile CP1 2 --config my.toml",
        "ocpp-bridge station profile CP1 1 --yes --config my.toml",
    )
)(station_keys.profile)
