"""Parse `ocpp-bridge key …`: make keys for people and programs, list and revoke them.

A new key is the only thing on stdout, so that a script can take it; what there is to say about it is on stderr. Never
keeps one, and takes none as an argument. After it: the services.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from bridge.cli.run import ConfigOption, ExitCode, JsonOption, ask, examples, fail, new_group, print_document, say
from bridge.core.roles import Role

if TYPE_CHECKING:
    from datetime import datetime

    from bridge.web.key_shapes import KeyItem
    from bridge.web.services import WebServices

app = new_group("Keys of the REST interface and the dashboard, each with a role.")

_BY = "command line"
"""Who made it, as it is stored where the bridge is stopped; a running one knows by the token."""


@app.command(
    epilog=examples(
        "KEY=$(ocpp-bridge key create grafana --role viewer --config my.toml)",
        "ocpp-bridge key create 'installer Meier' --role operator --expires 90d --config my.toml",
        "ocpp-bridge key create acme-app --role viewer --operator acme --config my.toml",
    )
)
def create(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Who or what it is for.", show_default=False)],
    role: Annotated[
        Role,
        typer.Option(
            "--role",
            help="viewer looks, operator acts on what is there, admin decides what is there.",
            show_default=False,
        ),
    ],
    expires: Annotated[
        str | None, typer.Option("--expires", help="When it ends: '90d', or a day such as 2027-06-30; else never.")
    ] = None,
    operators: Annotated[
        list[str] | None,
        typer.Option("--operator", metavar="NAME", help="Only this operator's EVSEs; may be given several times."),
    ] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make a key and print it, this once."""
    from bridge.web.key_shapes import KeyWish

    wish = KeyWish(name=name, role=role, expires_at=_end(expires, as_json), operators=tuple(operators or ()) or None)
    made = ask(context, config, lambda services: services.api_keys.create(wish, by=_BY), as_json=as_json)
    if as_json:
        print_document(made.model_dump(mode="json"))
        return
    print(made.key)
    say(
        f"key {made.item.id} {made.item.name!r}: {_about(made.item)}; it is shown this once and stored nowhere as it is"
    )


@app.command("list", epilog=examples("ocpp-bridge key list --config my.toml"))
def list_all(
    context: typer.Context,
    everything: Annotated[bool, typer.Option("--all", help="Also those that were revoked.")] = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """List keys: their roles, and when they were used last."""
    found = ask(context, config, lambda services: services.api_keys.list(revoked=everything), as_json=as_json)
    if as_json:
        print_document(found.model_dump(mode="json"))
        return
    if not found.items:
        print("no keys: only the admin token counts, in the file admin-token of the state folder")
        return
    from bridge.cli.moments import shown
    from bridge.cli.output import print_table

    header = ("id", "name", "role", "operators", "state", "created", "by", "expires", "last used")
    rows = (
        (
            item.id,
            item.name,
            item.role,
            ", ".join(item.operators or ()) or "all",
            item.state,
            shown(item.created_at),
            item.created_by,
            shown(item.expires_at) or "never",
            shown(item.used_at) or "not yet",
        )
        for item in found.items
    )
    print_table(header, rows)


@app.command(epilog=examples("ocpp-bridge key revoke grafana --config my.toml", "ocpp-bridge key revoke 3"))
def revoke(
    context: typer.Context,
    key: Annotated[str, typer.Argument(metavar="ID|NAME", help="As in the list.", show_default=False)],
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Let a key count no more, from now on: requests, sessions and open streams alike."""

    async def end(services: WebServices) -> KeyItem:
        return await services.api_keys.revoke(await _number(services, key))

    found = ask(context, config, end, as_json=as_json)
    if as_json:
        print_document(found.model_dump(mode="json"))
    else:
        print(f"key {found.id} {found.name!r} is revoked")


async def _number(services: WebServices, key: str) -> int:
    from bridge.web.services import NotFound

    if key.isascii() and key.isdigit() and len(key) <= 18:
        return int(key)
    named = [item for item in (await services.api_keys.list()).items if item.name == key]
    if not named:
        raise NotFound("key", key)
    # Where an expired one has the same name, the one that still counts is meant.
    return next((item.id for item in named if item.state == "in force"), named[0].id)


def _end(text: str | None, as_json: bool) -> datetime | None:
    from datetime import UTC, datetime

    from bridge.cli.moments import NoMoment, read_moment, read_period

    if text is None:
        return None
    try:
        return datetime.now(UTC) + read_period(text)
    except NoMoment:
        pass
    except OverflowError:
        fail(ExitCode.USAGE, f"--expires {text!r}: ends after the year 9999", as_json=as_json)
    try:
        return read_moment(text, None).astimezone(UTC)
    except NoMoment:
        fail(ExitCode.USAGE, f"--expires {text!r}: should be such as 90d, 12h or 2027-06-30", as_json=as_json)


def _about(item: KeyItem) -> str:
    from bridge.cli.moments import shown

    whose = "" if item.operators is None else f" for {', '.join(item.operators)}"
    return f"{item.role}{whose}, " + ("never expires" if item.expires_at is None else f"until {shown(item.expires_at)}")
