"""Parse `ocpp-bridge station log`: print what went over the wire of one station, and go on with it.

Never masks: what is kept is masked already. Text of a station is never printed as it came: what a terminal would obey
is shown instead. Asks the running bridge; with the bridge stopped it reads the files.
"""

from __future__ import annotations

import asyncio
from datetime import UTC
from typing import TYPE_CHECKING, Annotated

import typer

from bridge.cli.address import Address
from bridge.cli.printable import harmless
from bridge.cli.run import ConfigOption, ExitCode, address_of, examples, fail, fail_by, say, settings_of

if TYPE_CHECKING:
    from datetime import datetime

    from bridge.settings import Settings
    from bridge.web.wire_services import WireLogServices
    from bridge.web.wire_shapes import WireLine

_WAIT_S = 20
_LARGEST_LIMIT = 10_000
_ARROWS = {"from_station": "<", "to_station": ">", "opened": "*", "closed": "*"}
_HELP = (
    "Show what went over the wire of one station.\n\n"
    "Each line has the time in UTC, then < for a frame that the station sent, > for one that it was sent, and * where "
    "its connection was opened or closed. Secrets are ***, an idTag is a name that is always the same for the same "
    "idTag. A frame above 4 KiB is cut, with its size after it. --json prints one JSON document per line, which "
    "ocpp-sim replay plays."
)


_EXAMPLES = examples(
    "ocpp-bridge station log CS-0001 --config my.toml",
    "ocpp-bridge station log CS-0001 --since '10 min' --follow --config my.toml",
    "ocpp-bridge station log CS-0001 --limit 10000 --json --config my.toml > cs-0001.jsonl",
)


def add_to(group: typer.Typer) -> None:
    """Add the verb to the group `station`."""
    group.command("log", help=_HELP, epilog=_EXAMPLES)(_log)


def _log(
    context: typer.Context,
    station: Annotated[str, typer.Argument(metavar="ID", help="The station's id.", show_default=False)],
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with what comes, until Ctrl-C.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=_LARGEST_LIMIT, help="At most so many of the newest lines.")] = 100,
    since: Annotated[
        str | None, typer.Option("--since", help="Only what is not older: '10 min', '2 h', or a time.")
    ] = None,
    config: ConfigOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document per line.")] = False,
) -> None:
    address = address_of(context, config)
    whose = settings_of(config) if address is None else address
    moment = None if since is None else _moment(since)
    from bridge.web.services import ServiceError

    try:
        found = asyncio.run(_show(whose, station, limit, moment, follow=follow, as_json=as_json))
    except ServiceError as error:
        fail_by(error)
    if not found:
        named = "" if since is None else f" since {since}"
        off = "" if isinstance(whose, Address) or whose.wire_log.enabled else "; wire_log.enabled is false"
        fail(ExitCode.NOT_FOUND, f"nothing is logged of a station {station[:256]!r}{named}{off}")


async def _show(
    whose: Settings | Address, station: str, limit: int, since: datetime | None, *, follow: bool, as_json: bool
) -> bool:
    """Print the lines, and return whether there was one."""
    from datetime import timedelta

    from bridge.cli.session import running_services, services_at

    if isinstance(whose, Address):
        running, wire_log = True, services_at(whose).wire_log
    else:
        found = await running_services(whose)
        running, wire_log = found is not None, _stopped(whose) if found is None else found.wire_log
    page = await wire_log.lines(station, limit=limit, since=since)
    _print(page.items, as_json)
    if follow and not running:
        say("the bridge is stopped: nothing more will come")
        return True
    while follow:
        page = await wire_log.lines(
            station, limit=_LARGEST_LIMIT, after=page.cursor or 0, since=since, wait=timedelta(seconds=_WAIT_S)
        )
        _print(page.items, as_json)
    return bool(page.items)


def _stopped(settings: Settings) -> WireLogServices:
    from bridge.app.wire_services import StoredWireLog

    return StoredWireLog(settings.state_dir, None)


def _moment(since: str) -> datetime:
    from datetime import datetime

    from bridge.cli.moments import NoMoment, read_moment, read_period

    try:
        return datetime.now(UTC) - read_period(since)
    except NoMoment:
        pass
    try:
        return read_moment(since, None).astimezone(UTC)
    except NoMoment as error:
        fail(ExitCode.USAGE, f"--since {error}, or a period such as '10 min'")


def _print(lines: tuple[WireLine, ...], as_json: bool) -> None:
    import json

    for line in lines:
        text = json.dumps(line.model_dump(mode="json")) if as_json else text_of(line)
        print(text, flush=True)


def text_of(line: WireLine) -> str:
    """Return a line as an engineer reads it, on one line of a terminal, whatever the frame holds."""
    at = line.at.astimezone(UTC)
    verb = f"{line.direction} " if line.direction in ("opened", "closed") else ""
    rest = f" … ({line.size} bytes)" if line.cut else ""
    shown = f"{_ARROWS[line.direction]} {verb}{harmless(line.text)}{rest}"
    return f"{at:%Y-%m-%d %H:%M:%S}.{at.microsecond // 1000:03} {shown}"
