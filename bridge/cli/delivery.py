"""Parse `ocpp-bridge delivery …`: see what hubs were told and how they answered, and have a parked row tried again.

Never sends an old value: a retry makes the current one due. Times are read and shown in this machine's zone, or in the
one that is named.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from bridge.cli.run import ConfigOption, ExitCode, JsonOption, ask, examples, fail, new_group, print_document

if TYPE_CHECKING:
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from bridge.web.delivery_shapes import RetryReport
    from bridge.web.services import WebServices

app = new_group("What hubs were told, and how they answered.")

_OPERATOR = "command line"
"""Who ordered, as it is logged where the bridge is stopped; a running one knows by the key."""

ZoneOption = Annotated[
    str | None, typer.Option("--time-zone", help="Zone of the times, such as Europe/Berlin; else this machine's.")
]


@app.command(
    "list",
    epilog=examples(
        "ocpp-bridge delivery list --config my.toml",
        "ocpp-bridge delivery list --account hubject_main --outcome refused --outcome held --config my.toml",
        "ocpp-bridge delivery list --evse 'DE*ABC*E1*1' --since '2026-12-01 08:00' --config my.toml",
    ),
)
def list_newest(
    context: typer.Context,
    account: Annotated[str | None, typer.Option("--account", help="Those of this account.")] = None,
    evse: Annotated[str | None, typer.Option("--evse", help="Those about this EVSE, in any spelling.")] = None,
    outcome: Annotated[
        list[str] | None,
        typer.Option("--outcome", help="accepted, deferred, refused, wrong_action, held, in_doubt; may be repeated."),
    ] = None,
    kind: Annotated[str | None, typer.Option("--kind", help="status, full_load, station, …")] = None,
    since: Annotated[str | None, typer.Option("--since", help="Sent at this time or later.")] = None,
    before: Annotated[str | None, typer.Option("--before", help="Sent before this time.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000, help="How many at most.")] = 50,
    cursor: Annotated[str | None, typer.Option("--cursor", help="Go on after an earlier list.")] = None,
    time_zone: ZoneOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """List pushes to hubs, the newest first."""
    from bridge.web.delivery_services import DeliveryQuery

    zone = _zone(time_zone, as_json)
    query = DeliveryQuery(
        account=account,
        evse_id=evse,
        outcomes=_outcomes(outcome or [], as_json),
        kind=kind,
        since=_moment("--since", since, zone, as_json),
        before=_moment("--before", before, zone, as_json),
        limit=limit,
        cursor=cursor,
    )
    found = ask(context, config, lambda services: services.deliveries.list(query), as_json=as_json)
    if as_json:
        print_document(found.model_dump(mode="json"))
        return
    from bridge.cli.delivery_output import print_deliveries

    print_deliveries(found, zone)


@app.command(
    epilog=examples(
        "ocpp-bridge delivery show 4711 --config my.toml", "ocpp-bridge delivery show 4711 --json --config my.toml"
    )
)
def show(
    context: typer.Context,
    number: Annotated[
        int, typer.Argument(metavar="ID", min=1, max=10**18 - 1, help="Id, as in the list.", show_default=False)
    ],
    time_zone: ZoneOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show one push: what was sent, masked, and what came back."""
    zone = _zone(time_zone, as_json)
    found = ask(context, config, lambda services: services.deliveries.get(number), as_json=as_json)
    if as_json:
        print_document(found.model_dump(mode="json"))
        return
    from bridge.cli.delivery_output import print_delivery

    print_delivery(found, zone)


@app.command(
    epilog=examples(
        "ocpp-bridge delivery retry hubject_main 'DE*ABC*E1*1' --config my.toml",
        "ocpp-bridge delivery retry chargeprice 20006f18-3ed4-4715-92b5-08e37e6dd18c --kind station --config my.toml",
    )
)
def retry(
    context: typer.Context,
    account: Annotated[str, typer.Argument(help="Name of the account in the configuration.", show_default=False)],
    what: Annotated[str, typer.Argument(metavar="EVSE", help="EVSE id, or a document's key.", show_default=False)],
    kind: Annotated[
        str | None, typer.Option("--kind", help="A document of this kind: evse_data, station, company, temporary.")
    ] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Send the current value of a refused or waiting row now; what holds a whole account stays."""

    async def order(services: WebServices) -> RetryReport:
        if kind is None:
            return await services.deliveries.retry(what, account, by=_OPERATOR)
        return await services.deliveries.retry_document(account, kind, what, by=_OPERATOR)

    report = ask(context, config, order, as_json=as_json)
    if as_json:
        print_document(report.model_dump(mode="json"))
        return
    from bridge.cli.delivery_output import print_retry

    print_retry(report)


def _outcomes(given: list[str], as_json: bool) -> tuple[str, ...]:
    from typing import get_args

    from bridge.web.delivery_shapes import DeliveryOutcome

    known = get_args(DeliveryOutcome)
    for word in given:
        if word not in known:
            fail(ExitCode.USAGE, f"--outcome {word!r}: should be one of {', '.join(known)}", as_json=as_json)
    return tuple(given)


def _zone(name: str | None, as_json: bool) -> ZoneInfo | None:
    from bridge.cli.moments import NoMoment, read_zone

    try:
        return read_zone(name)
    except NoMoment as error:
        fail(ExitCode.USAGE, f"--time-zone {error}", as_json=as_json)


def _moment(option: str, text: str | None, zone: ZoneInfo | None, as_json: bool) -> datetime | None:
    from bridge.cli.moments import NoMoment, read_moment

    try:
        return None if text is None else read_moment(text, zone)
    except NoMoment as error:
        fail(ExitCode.USAGE, f"{option} {error}", as_json=as_json)
