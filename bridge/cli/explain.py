"""Parse `ocpp-bridge explain`: one page of plain words about one EVSE.

Never decides. Text of a station is never printed as it came. Before it: `command`. After it: `run`.
"""

from __future__ import annotations

from typing import Annotated

import typer

from bridge.cli.run import ConfigOption, JsonOption, ask, examples, print_document

_HELP = (
    "Explain why an EVSE shows what it shows, and what happens next.\n\n"
    "What was reported and how old it is, how that became the status, until when it stays so, and for each hub what it "
    "should have, what it acknowledged, the last attempts, and what happens next. The id may be written with any "
    "separators, or without. Works with the bridge stopped, too."
)


def add_to(group: typer.Typer) -> None:
    """Add the verb to a group."""
    lines = ("ocpp-bridge explain 'DE*ABC*E1' --config my.toml", "ocpp-bridge explain deabce1 --json --config my.toml")
    group.command("explain", help=_HELP, epilog=examples(*lines))(_explain)


def _explain(
    context: typer.Context,
    evse: Annotated[str, typer.Argument(metavar="EVSE", help="The EVSE's id.", show_default=False)],
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    found = ask(context, config, lambda services: services.explanations.of_evse(evse), as_json=as_json)
    if as_json:
        print_document(found.model_dump(mode="json"))
        return
    from bridge.cli.printable import harmless

    for line in found.text:
        print(harmless(line))
