"""Parse `ocpp-bridge events`: print what changes, as it changes.

Never ends by itself while the bridge runs. Text of a station is never printed as it came. Before it: `command`. After
it: `event_client`.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bridge.cli.run import ConfigOption, ExitCode, ask, examples, fail

if TYPE_CHECKING:
    from bridge.core.feed import EventName
    from bridge.web.event_services import Event, EventWish
    from bridge.web.services import WebServices

_HELP = (
    "Show what changes, as it changes, until Ctrl-C.\n\n"
    "Each line has the time in UTC, what it is about (status, delivery, upstream, station, temporary), and how that "
    "stands now. What changes faster than it is printed is told once, as it stands at the end. A line `reset` says "
    "that what was before is not known, or that more changed than is told one by one. --json prints one JSON document "
    "per line."
)


_EXAMPLES = examples(
    "ocpp-bridge events --config my.toml",
    "ocpp-bridge events --evse 'DE*ABC*E1' --config my.toml",
    "ocpp-bridge events --only delivery --account hubject --json --config my.toml",
)


def add_to(group: typer.Typer) -> None:
    """Add the verb to a group."""
    group.command("events", help=_HELP, epilog=_EXAMPLES)(_events)


def _events(
    context: typer.Context,
    only: Annotated[
        list[str] | None,
        typer.Option("--only", help="Only this kind: status, delivery, upstream, station or temporary; repeatable."),
    ] = None,
    evse: Annotated[str | None, typer.Option("--evse", help="Only what is about this EVSE.")] = None,
    account: Annotated[str | None, typer.Option("--account", help="Only what is about this account.")] = None,
    config: ConfigOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document per line.")] = False,
) -> None:
    from bridge.web.event_services import EventWish

    wish = EventWish(names=_names(only or []), evse_id=evse, account=account)
    ask(context, config, lambda services: _follow(services, wish, as_json=as_json))


def _names(only: list[str]) -> frozenset[EventName]:
    from bridge.core.feed import EventName

    try:
        return frozenset(EventName(name.strip().lower()) for each in only for name in each.split(","))
    except ValueError:
        fail(ExitCode.USAGE, f"--only should be one of {', '.join(EventName)}")


async def _follow(services: WebServices, wish: EventWish, *, as_json: bool) -> None:
    from datetime import timedelta

    async with services.events.follow(wish, None) as stream:
        while True:
            event = await stream.next(timedelta(seconds=30))
            if event is not None:
                print(_json(event) if as_json else text_of(event, datetime.now(UTC)), flush=True)


def _json(event: Event) -> str:
    import json

    return json.dumps({"event": event.name, "id": event.id, "data": json.loads(event.data)}, ensure_ascii=True)


def text_of(event: Event, at: datetime) -> str:
    """Return an event as an engineer reads it, on one line of a terminal."""
    import json

    from bridge.cli.printable import harmless

    said = harmless(_said(event.name, json.loads(event.data)))
    return f"{at.astimezone(UTC):%H:%M:%S} {event.name:9} {said}"


def _said(name: str, data: dict[str, Any]) -> str:
    match name:
        case "status":
            live = "" if data["live"] == data["status"] else f" (live: {data['live']})"
            return f"{data['evse_id']} {data['status']}{live}: {data['rule']}"
        case "delivery":
            has = f"has {data['acked']}" if data["acked"] is not None else "has acknowledged nothing"
            why = f": {data['why']}" if data["why"] else ""
            return f"{data['evse_id']} at {data['account']} {data['state']}, wants {data['desired']}, {has}{why}"
        case "upstream":
            return _account(data)
        case "station":
            return f"{data['id']} {'connected' if data['connected'] else 'disconnected'}"
        case "temporary":
            return f"{data['evse_id']} temporary status {data['id']} {data['what']}"
        case _:
            return str(data.get("why", ""))


def _account(data: dict[str, Any]) -> str:
    parts = [f"{data['name']} {data['state']}", f"backlog {data['backlog']}", f"refused {data['refused']}"]
    if data["lag_s"] is not None:
        parts.append(f"lag {data['lag_s']:.0f} s")
    if data["paused_until"] is not None:
        parts.append(f"paused until {data['paused_until']}")
    return ", ".join(parts) + (f": {data['held'] or data['last_error']}" if data["held"] or data["last_error"] else "")
