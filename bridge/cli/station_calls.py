"""Parse the verbs that send a station one CALL, and end with the exit code that its answer deserves.

Never words a payload: the bridge does, for the station's OCPP version. Before it: `station`. After it: `run`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Awaitable, Callable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from bridge.cli.run import ConfigOption, ExitCode, JsonOption, ask, examples, fail, new_group, print_document, say

if TYPE_CHECKING:
    from bridge.web.services import WebServices
    from bridge.web.station_shapes import CallResult, Timed

_LONGEST_S = 600
_Order = TypeVar("_Order", bound="Timed")

IdArgument = Annotated[str, typer.Argument(metavar="ID", help="The station's identity.", show_default=False)]
TimeoutOption = Annotated[
    float | None,
    typer.Option(
        "--timeout", min=1, max=_LONGEST_S, help="Seconds that the station may take to answer.", show_default="60"
    ),
]
ForceOption = Annotated[bool, typer.Option("--force", help="Though a quirk profile of the station forbids it.")]
EvseOption = Annotated[int | None, typer.Option("--evse", min=1, help="OCPP 2.x: number of the EVSE.")]
ConnectorOption = Annotated[int | None, typer.Option("--connector", min=1, help="Number of the connector.")]

configuration = new_group("A station's configuration keys (1.6) and variables (2.x).")


class Kind(StrEnum):
    """How a station restarts."""

    soft = "soft"
    hard = "hard"


class Service(StrEnum):
    """In or out of service."""

    operative = "operative"
    inoperative = "inoperative"


def call(
    context: typer.Context,
    station: IdArgument,
    action: Annotated[str, typer.Argument(metavar="ACTION", help="As the standard spells it.", show_default=False)],
    payload: Annotated[
        str, typer.Argument(metavar="JSON", help="The request: JSON, @FILE, or - for standard input.")
    ] = "{}",
    timeout: TimeoutOption = None,
    force: ForceOption = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Send any request of the station's OCPP version, checked by its schema, and print the answer."""
    from bridge.web.station_shapes import CallOrder

    order = made(CallOrder, as_json, action=action, payload=_payload(payload, as_json), timeout_s=timeout, force=force)
    found = ask(context, config, lambda services: services.stations.call(station, order), as_json=as_json)
    _show(found, as_json)
    if found.outcome != "answered":
        raise typer.Exit(ExitCode.FAILED)


def trigger(
    context: typer.Context,
    station: IdArgument,
    message: Annotated[str, typer.Argument(metavar="MESSAGE", help="For example StatusNotification.")],
    evse: EvseOption = None,
    connector: ConnectorOption = None,
    timeout: TimeoutOption = None,
    force: ForceOption = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Ask a station to send a message (TriggerMessage)."""
    from bridge.web.station_shapes import TriggerOrder

    order = made(TriggerOrder, as_json, message=message, evse=evse, connector=connector, timeout_s=timeout, force=force)
    _send(context, config, as_json, lambda services: services.stations.trigger(station, order))


def availability(
    context: typer.Context,
    station: IdArgument,
    service: Annotated[Service, typer.Argument(help="In or out of service.", show_default=False)],
    evse: EvseOption = None,
    connector: ConnectorOption = None,
    timeout: TimeoutOption = None,
    force: ForceOption = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take a station, or one EVSE or connector of it, in or out of service (ChangeAvailability)."""
    from bridge.web.station_shapes import AvailabilityOrder

    order = made(
        AvailabilityOrder,
        as_json,
        operative=service is Service.operative,
        evse=evse,
        connector=connector,
        timeout_s=timeout,
        force=force,
    )
    _send(context, config, as_json, lambda services: services.stations.availability(station, order))


def reset(
    context: typer.Context,
    station: IdArgument,
    kind: Annotated[
        Kind, typer.Argument(help="soft: it may finish what it does (2.x: OnIdle); hard: at once.", show_default=False)
    ],
    evse: EvseOption = None,
    timeout: TimeoutOption = None,
    force: ForceOption = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Restart a station, or one EVSE of it (Reset)."""
    from bridge.web.station_shapes import ResetOrder

    order = made(ResetOrder, as_json, kind=kind.value, evse=evse, timeout_s=timeout, force=force)
    _send(context, config, as_json, lambda services: services.stations.reset(station, order))


def unlock(
    context: typer.Context,
    station: IdArgument,
    connector: Annotated[int, typer.Option("--connector", min=1, help="Number of the connector.", show_default=False)],
    evse: EvseOption = None,
    timeout: TimeoutOption = None,
    force: ForceOption = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Unlock a connector (UnlockConnector)."""
    from bridge.web.station_shapes import UnlockOrder

    order = made(UnlockOrder, as_json, connector=connector, evse=evse, timeout_s=timeout, force=force)
    _send(context, config, as_json, lambda services: services.stations.unlock(station, order))


@configuration.command(
    "get",
    epilog=examples(
        "ocpp-bridge station configuration get CP1 --config my.toml",
        "ocpp-bridge station configuration get CP1 HeartbeatInterval --config my.toml --json",
        "ocpp-bridge station configuration get CS2 OCPPCommCtrlr.HeartbeatInterval --config my.toml",
    ),
)
def get_configuration(
    context: typer.Context,
    station: IdArgument,
    keys: Annotated[
        list[str] | None, typer.Argument(metavar="[KEY...]", help="1.6: none for all. 2.x: Component.Variable.")
    ] = None,
    timeout: TimeoutOption = None,
    force: ForceOption = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Read a station's configuration; the values of passwords and keys are hidden."""
    from bridge.web.station_shapes import ConfigurationQuery

    order = made(ConfigurationQuery, as_json, keys=tuple(keys or ()), timeout_s=timeout, force=force)
    found = _send(context, config, as_json, lambda services: services.stations.get_configuration(station, order))
    missing = [setting.key for setting in found.settings if setting.status != "Accepted"]
    if keys and missing:
        say(f"not told: {', '.join(missing)}")
        raise typer.Exit(ExitCode.FAILED)


@configuration.command(
    "set",
    epilog=examples(
        "ocpp-bridge station configuration set CP1 HeartbeatInterval 300 --config my.toml",
        "ocpp-bridge station configuration set CS2 OCPPCommCtrlr.HeartbeatInterval 300 --config my.toml",
    ),
)
def set_configuration(
    context: typer.Context,
    station: IdArgument,
    key: Annotated[str, typer.Argument(metavar="KEY", help="2.x: Component.Variable.", show_default=False)],
    value: Annotated[str, typer.Argument(help="What it is to be.", metavar="VALUE", show_default=False)],
    timeout: TimeoutOption = None,
    force: ForceOption = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write one value of a station's configuration."""
    from bridge.web.station_shapes import ConfigurationChange

    order = made(ConfigurationChange, as_json, key=key, value=value, timeout_s=timeout, force=force)
    _send(context, config, as_json, lambda services: services.stations.set_configuration(station, order))


def made(model: type[_Order], as_json: bool, **members: object) -> _Order:
    """Return an order with these members, or end where one of them is impossible."""
    from pydantic import ValidationError

    try:
        return model.model_validate(members)
    except ValidationError as error:
        lines = [f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors(include_input=False)]
        fail(ExitCode.USAGE, *lines, as_json=as_json)


def _send(
    context: typer.Context,
    config: Path | None,
    as_json: bool,
    order: Callable[[WebServices], Awaitable[CallResult]],
) -> CallResult:
    """Send, show the answer, and end with 1 where the station does not do what it was told."""
    found = ask(context, config, order, as_json=as_json)
    _show(found, as_json)
    if not found.done:
        raise typer.Exit(ExitCode.FAILED)
    return found


def _show(found: CallResult, as_json: bool) -> None:
    if as_json:
        print_document(found.model_dump(mode="json"))
        return
    from bridge.cli.station_output import print_result

    print_result(found)


def _payload(text: str, as_json: bool) -> dict[str, Any]:
    """Return the request that an argument gives: JSON, @FILE, or - for standard input."""
    try:
        if text == "-":
            text = sys.stdin.read()
        elif text.startswith("@"):
            text = Path(text[1:]).read_text("utf-8")
        found = json.loads(text)
    except (OSError, ValueError) as error:
        fail(ExitCode.USAGE, f'JSON: should be an object such as \'{{"type": "Soft"}}\': {error}', as_json=as_json)
    if not isinstance(found, dict):
        fail(ExitCode.USAGE, 'JSON: should be an object such as \'{"type": "Soft"}\'', as_json=as_json)
    return found
