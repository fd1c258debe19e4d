"""Replay a recording from the command line. Parses, shows and ends; `player` plays."""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from pathlib import Path
from typing import Annotated, NoReturn
from urllib.parse import urlsplit

import typer

from simulators.replay.lines import Line, Unreadable, read
from simulators.replay.player import PlayOptions, play
from simulators.replay.script import visits_of

_VERSIONS = ("1.6", "2.0.1", "2.1")


def replay(
    file: Annotated[
        Path, typer.Argument(help="A station's log as JSON lines or text, or a list of frames; - is standard input.")
    ],
    to: Annotated[str, typer.Option("--to", help="Where to connect to, the station's id included: ws://HOST:PORT/ID.")],
    key: Annotated[str | None, typer.Option(help="Password for HTTP Basic; others on this machine can see it.")] = None,
    key_file: Annotated[
        Path | None, typer.Option(help="File with that password; its last line end is not part.")
    ] = None,
    version: Annotated[str | None, typer.Option(help="1.6, 2.0.1 or 2.1; else as recorded, else 1.6.")] = None,
    speed: Annotated[float, typer.Option(min=0.01, max=1_000_000, help="How much faster than recorded.")] = 1.0,
    fast: Annotated[bool, typer.Option("--as-fast-as-possible", help="No pauses at all.")] = False,
    station: Annotated[
        str | None, typer.Option(help="Play this station's lines, where the file has several's.")
    ] = None,
    answer_timeout: Annotated[float, typer.Option(min=0.01, help="Seconds to wait for each answer.")] = 30.0,
    diff: Annotated[bool, typer.Option("--diff", help="List every member that is not as recorded.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as one JSON document.")] = False,
) -> None:
    """Play the station's side of a recording against a central system, and compare the answers.

    Frames go out in order, with the recorded pauses; CALLs of the CSMS are answered as recorded. Exit codes: 0 every
    frame sent, every CALL answered, each answer of the kind that was recorded; 1 otherwise; 2 usage.
    """
    if urlsplit(to).scheme not in ("ws", "wss") or not urlsplit(to).hostname:
        raise typer.BadParameter(f"{to!r} is not an address such as ws://127.0.0.1:9000/CS-1", param_hint="--to")
    if version is not None and version not in _VERSIONS:
        raise typer.BadParameter(f"{version!r} is none of {', '.join(_VERSIONS)}", param_hint="--version")
    logging.getLogger("websockets").setLevel(logging.CRITICAL)
    options = PlayOptions(
        to,
        _key(key, key_file),
        None if version is None else f"ocpp{version}",
        None if fast else speed,
        answer_timeout,
    )
    report = asyncio.run(play(visits_of(_lines(file, station)), options))
    if as_json:
        print(json.dumps(report.document(), ensure_ascii=True, indent=2))
    else:
        print("\n".join(_printable(line) for line in report.lines(differences=diff)))
    raise typer.Exit(0 if report.good else 1)


def _key(key: str | None, file: Path | None) -> bytes | None:
    if key is not None and file is not None:
        raise typer.BadParameter("say --key or --key-file, not both", param_hint="--key")
    if file is None:
        return None if key is None else key.encode()
    try:
        content = file.read_bytes()
    except OSError as error:
        _end(f"{file}: {error.strerror}")
    return content.removesuffix(b"\n").removesuffix(b"\r")


def _lines(file: Path, station: str | None) -> list[Line]:
    """Return the lines of one station, or end with what is wrong."""
    try:
        content = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
        lines = read(content.decode("utf-8", "backslashreplace").removeprefix("\ufeff"))
    except OSError as error:
        _end(f"{file}: {error.strerror}")
    except Unreadable as error:
        _end(f"{file}: {error}")
    found = sorted({line.station for line in lines if line.station is not None})
    if station is None and len(found) > 1:
        raise typer.BadParameter(f"the file has several stations: {', '.join(found)[:512]}", param_hint="--station")
    if station is not None and found and station not in found:
        raise typer.BadParameter(f"the file has no {station!r}, but {', '.join(found)[:512]}", param_hint="--station")
    return [line for line in lines if station is None or line.station in (None, station)]


def _end(why: str) -> NoReturn:
    typer.echo(f"ocpp-sim replay: {why}", err=True)
    raise typer.Exit(1)


def _printable(line: str) -> str:
    """Escape what a terminal could obey: ids and codes come from the file and from the CSMS."""
    return "".join(each if each.isprintable() else f"\\u{ord(each):04x}" for each in line)
