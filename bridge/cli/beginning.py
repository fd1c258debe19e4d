"""Parse `ocpp-bridge init`: write a configuration and an inventory of one station to begin with.

Never overwrites a file, and never talks to a bridge. Before it: `command`. After it: the operator, who edits both.
"""

from __future__ import annotations

import csv
import io
import json
import os
import platform
import secrets
import shlex
from pathlib import Path
from typing import Annotated
from urllib.parse import quote

import typer

from bridge.cli.run import ExitCode, JsonOption, fail, print_document

_KEY_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
"""No 0, O, 1 or I: the key is typed on a station's own menu."""
_KEY_LENGTH = 20
"""Source: OCPP 1.6 security whitepaper, A00.FR.205: 16 to 20 bytes; OCPP 2.0.1, BasicAuthPassword: 16 to 40."""

_CONFIG = """\
# The bridge's configuration. Every key, with its default, is in docs/configuration.md and config/bridge.toml.
# `ocpp-bridge check-config` finds every mistake, `ocpp-bridge config show` shows what counts.

# Database, admin token and logs of frames: on a local disk, and only for the user who runs the bridge.
state_dir = {state_dir}

[ocpp]
# Stations connect to ws://THIS-MACHINE:9000/STATION-ID.
port = 9000
# Which cards and apps may start charging: reject (none), list (those of id_tag_list) or accept (every one).
id_tags = "reject"

[web]
# Dashboard and REST interface, reached from this machine only.
host = "127.0.0.1"
port = 8080

# Whose stations these are; the column operator of the inventory names this table. Hubs are told nothing until an
# account is set up, listed here, and enabled: docs/hubs.md.
[operators.own]
name = {operator}
accounts = []
"""

_INVENTORY = """\
# One row per connector; every column is explained in config/stations.csv.
station,version,key,security,evse,connector,evse_id,operator
"""
_OPTION_OF = {"station": "--station", "version": "--ocpp", "evse_id": "--evse-id"}


def init(
    folder: Annotated[Path, typer.Argument(help="Where; made if it is missing.", metavar="[DIR]")] = Path(),
    station: Annotated[str, typer.Option(help="Identity of the first station.")] = "CP001",
    ocpp: Annotated[str, typer.Option(help="OCPP version that it speaks: 1.6, 2.0.1 or 2.1.")] = "1.6",
    evse_id: Annotated[str, typer.Option(help="Its EVSE's id at the hubs.")] = "DE*ABC*E1",
    operator: Annotated[str, typer.Option(help="The operator's name.")] = "My company",
    as_json: JsonOption = False,
) -> None:
    """Write a small bridge.toml, and a stations.csv of one station with a new random key."""
    folder = folder.resolve()
    config, inventory = folder / "bridge.toml", folder / "stations.csv"
    key = "".join(secrets.choice(_KEY_LETTERS) for _ in range(_KEY_LENGTH))
    rows = _rows(station, ocpp, key, evse_id)
    for problem in _problems(rows, operator):
        fail(ExitCode.USAGE, problem, as_json=as_json)
    state_dir = _quoted(str(folder / "state"))
    _write({config: _CONFIG.format(state_dir=state_dir, operator=_quoted(operator)), inventory: rows}, as_json=as_json)
    if as_json:
        found = {"config": str(config), "inventory": str(inventory), "station": station, "key": key}
        print_document(found)
        return
    print(f"{config} and {inventory.name} are written. Next, in {folder}:")
    print("  ocpp-bridge serve                            # and in another terminal, in the same folder:")
    print("  ocpp-bridge inventory import stations.csv")
    print(f"  ocpp-bridge station show {shlex.quote(station)}")
    print("and in the station's own menu (security profile 1, HTTP Basic):")
    print(f"  address   ws://{platform.node()}:9000/{quote(station, safe='')}   (some append the identity themselves)")
    print(f"  identity  {station}")
    print(f"  password  {key}")


def _quoted(text: str) -> str:
    """Return a text as TOML writes it; a JSON string is one."""
    return json.dumps(text, ensure_ascii=False)


def _rows(station: str, ocpp: str, key: str, evse_id: str) -> str:
    row = io.StringIO()
    evse = "" if ocpp == "1.6" else "1"
    csv.writer(row, lineterminator="\n").writerow((station, ocpp, key, "1", evse, "1", evse_id, "own"))
    return _INVENTORY + row.getvalue()


def _problems(rows: str, operator: str) -> list[str]:
    """Return what is wrong with the options, by the same rules as an import and a start."""
    from pydantic import ValidationError

    from bridge.inventory_file import InventoryInvalid, parse_inventory
    from bridge.settings import OperatorTable

    found = []
    try:
        OperatorTable(name=operator)
    except ValidationError:
        found.append("--operator: should be a name of 1 to 100 characters")
    try:
        parse_inventory(rows, operators=("own",), read_key_file=lambda _: b"")
    except InventoryInvalid as error:
        found += [
            f"{_OPTION_OF.get(one.column, one.column)} {_quoted(one.value)}: {one.wanted}" for one in error.errors
        ]
    return found


def _write(contents: dict[Path, str], *, as_json: bool) -> None:
    """Write new files that this user alone can read; all or none, where one of them exists."""
    for path in contents:
        if path.exists():
            fail(ExitCode.CONFLICT, f"{path} exists already; name another folder", as_json=as_json)
    try:
        for path, content in contents.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(content)
    except OSError as error:
        fail(ExitCode.FAILED, f"{error.filename}: {error.strerror}", as_json=as_json)
