"""Parse the verbs about how a station proves itself: give it another key, set its security profile.

Never keeps a key: a random one is printed once, one from a file is never printed. Before it: `station`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bridge.cli.run import ConfigOption, ExitCode, JsonOption, YesOption, ask, confirm, fail, parts_of, print_document
from bridge.cli.station_calls import IdArgument, TimeoutOption, made

if TYPE_CHECKING:
    from bridge.web.services import WebServices
    from bridge.web.station_shapes import RotationResult, StationDetail


def rotate_key(
    context: typer.Context,
    station: IdArgument,
    key_file: Annotated[
        Path | None, typer.Option("--key-file", help="Take the key from this file, instead of a random one.")
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Though an earlier one was sent and not used yet; all of them stay good.")
    ] = False,
    timeout: TimeoutOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Give a station another key; it can log in with the old one until it has used the new one."""
    from bridge.web.station_shapes import RotationOrder

    order = made(RotationOrder, as_json, key=_key(key_file, as_json), force=force, timeout_s=timeout)
    found = ask(context, config, lambda services: services.stations.rotate_key(station, order), as_json=as_json)
    print_document(found.model_dump(mode="json")) if as_json else _print(found)
    if found.state != "accepted":
        raise typer.Exit(ExitCode.FAILED)


def profile(
    context: typer.Context,
    station: IdArgument,
    number: Annotated[
        int,
        typer.Argument(
            metavar="PROFILE",
            min=0,
            max=3,
            help="0 no proof, 1 key, 2 key within TLS, 3 client certificate.",
            show_default=False,
        ),
    ],
    yes: YesOption = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Set how a station must prove itself from now on; lowering it needs a yes."""
    from bridge.web.station_shapes import ProfileOrder

    interactive = parts_of(context).interactive() and not as_json

    async def change(services: WebServices) -> StationDetail:
        agreed = yes
        if interactive and not yes:
            security = (await services.stations.get(station)).security
            demanded = max(security.profile, security.reached)
            if number < demanded:
                confirm(f"{station} must use profile {demanded} now. Let in whoever proves profile {number}?")
                agreed = True
        return await services.stations.set_profile(station, ProfileOrder(profile=number, yes=agreed))

    found = ask(context, config, change, as_json=as_json)
    if as_json:
        print_document(found.model_dump(mode="json"))
    else:
        print(f"{found.station} must use security profile {found.security.profile}")


def _key(key_file: Path | None, as_json: bool) -> str | None:
    if key_file is None:
        return None
    try:
        return key_file.read_text("utf-8").rstrip("\r\n")
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "is not UTF-8 text"
        fail(ExitCode.USAGE, f"--key-file {key_file}: {why}", as_json=as_json)


def _print(found: RotationResult) -> None:
    why = f": {found.why}" if found.why else ""
    match found.state:
        case "accepted":
            later = ", after a reboot" if found.status == "RebootRequired" else ""
            print(f"{found.station} has a new key{later}; the old one is over once it has logged in with the new one")
        case "refused":
            print(f"{found.station} keeps its key: {found.status or 'it refuses another'}{why}")
        case _:
            print(f"{found.station} may have the new key or not{why}; it can log in with either")
    if found.key is not None:
        print(f"key: {found.key}\nIt is shown this once and stored nowhere as it is.")
