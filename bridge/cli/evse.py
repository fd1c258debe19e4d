"""Parse `ocpp-bridge evse …`: list EVSEs, and show what one was.

Never decides. Why an EVSE is what it is: `explain`. Before it: `command`. After it: `run`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from bridge.cli.run import ConfigOption, JsonOption, ask, examples, new_group, print_document
from bridge.core.model import EvseStatus
from bridge.web.evse_query import EvseQuery

if TYPE_CHECKING:
    from bridge.web.history_shapes import EvseHistory, HistorySpan
    from bridge.web.services import WebServices
    from bridge.web.shapes import EvseItem

app = new_group("Look at EVSEs: what they are, and what they were.")
_PAGE = 1000
EvseArgument = Annotated[str, typer.Argument(metavar="EVSE", help="The EVSE's id.", show_default=False)]


@app.command(
    "list",
    epilog=examples(
        "ocpp-bridge evse list --config my.toml",
        "ocpp-bridge evse list --problems --config my.toml",
        "ocpp-bridge evse list --status faulted --status unknown --config my.toml",
    ),
)
def list_(
    context: typer.Context,
    status: Annotated[
        list[EvseStatus] | None,
        typer.Option(
            "--status",
            metavar="STATUS",
            case_sensitive=False,
            help=f"Only those with this effective status: {', '.join(EvseStatus)}; may be repeated.",
        ),
    ] = None,
    problems: Annotated[
        bool, typer.Option("--problems", help="Only those with which something is wrong, the most urgent first.")
    ] = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """List EVSEs with their status and what each hub has."""
    query = EvseQuery(_PAGE, statuses=tuple(status or ()))
    if problems:
        query = replace(query, problems=True, sort="problems")
    found = ask(context, config, lambda services: _all(services, query), as_json=as_json)
    if as_json:
        print_document({"items": [item.model_dump(mode="json") for item in found]})
        return
    from bridge.cli.output import print_table
    from bridge.cli.printable import harmless

    rows = [
        (
            item.evse_id,
            item.station,
            "yes" if item.connected else "no",
            item.effective,
            _told(item),
            harmless(item.rule),
        )
        for item in found
    ]
    print_table(("EVSE id", "station", "connected", "status", "hubs", "rule"), rows)


async def _all(services: WebServices, query: EvseQuery) -> list[EvseItem]:
    found: list[EvseItem] = []
    while True:
        page = await services.list_evses(query)
        found += page.items
        if page.next_cursor is None:
            return found
        query = replace(query, cursor=page.next_cursor)


def _told(item: EvseItem) -> str:
    return ", ".join(f"{account} {delivery.state}" for account, delivery in item.deliveries.items())


@app.command(
    epilog=examples(
        "ocpp-bridge evse history 'DE*ABC*E1' --config my.toml",
        "ocpp-bridge evse history deabce1 --hours 168 --json --config my.toml",
    )
)
def history(
    context: typer.Context,
    evse: EvseArgument,
    hours: Annotated[float, typer.Option("--hours", min=0.01, max=24 * 400, help="How far back.")] = 24,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what an EVSE was: every change of its status, since when and for how long."""

    async def question(services: WebServices) -> EvseHistory:
        from datetime import UTC, datetime, timedelta

        since = datetime.now(UTC) - timedelta(hours=hours)
        page = await services.history.of_evse(evse, since, None)
        items = list(page.items)
        while page.next_cursor is not None:
            page = await services.history.of_evse(evse, since, None, cursor=page.next_cursor)
            items += page.items
        return page.model_copy(update={"items": tuple(items)})

    found = ask(context, config, question, as_json=as_json)
    if as_json:
        print_document(found.model_dump(mode="json", by_alias=True))
        return
    from bridge.cli.output import print_table

    if not found.items:
        print("nothing is known of that time")
        return
    print_table(("from", "for", "status", "live", "rule"), [_row(span, found) for span in found.items])


def _row(span: HistorySpan, found: EvseHistory) -> tuple[str, str, str, str, str]:
    from bridge.cli.moments import shown
    from bridge.cli.printable import harmless

    lasted = (span.end or found.until) - span.begin
    still = " so far" if span.end is None else ""
    live = "" if span.live == span.status else span.live
    return shown(span.begin, None), f"{_length(lasted.total_seconds())}{still}", span.status, live, harmless(span.rule)


def _length(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    if minutes < 1:
        return f"{rest} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"
