"""Import a file by whichever services answer: read it, ask where much would go, show what changed.

Never reads what the file says: the bridge does, so that both ways in say the same about a mistake. Before it:
`inventory`, `listing`. After it: `run`.
"""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from bridge.cli.run import ExitCode, ask, confirm, fail, parts_of, print_document, say

if TYPE_CHECKING:
    from bridge.web.services import WebServices
    from bridge.web.shapes import ImportReport


def text_of(file: Path, as_json: bool) -> str:
    """Return the file's text, with or without a byte order mark, or end."""
    try:
        content = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
        return content.decode("utf-8-sig")
    except FileNotFoundError:
        fail(ExitCode.NOT_FOUND, f"{file}: no such file", as_json=as_json)
    except OSError as error:
        fail(ExitCode.FAILED, f"{file}: {error.strerror}", as_json=as_json)
    except UnicodeDecodeError as error:
        fail(ExitCode.INVALID, f"{file}: should be UTF-8 text; byte {error.start} is not", as_json=as_json)


def import_with(
    context: typer.Context,
    config: Path | None,
    apply: Callable[[WebServices, bool], Awaitable[ImportReport]],
    *,
    yes: bool,
    file: Path,
    as_json: bool,
) -> None:
    """Import by `apply(services, yes)` and print what changed; where it needs a yes, show why and ask for it."""
    from bridge.cli.output import change_lines, print_report
    from bridge.web.services import NeedsYes

    can_ask = parts_of(context).interactive() and not as_json

    async def applied(services: WebServices) -> ImportReport:
        try:
            return await apply(services, yes)
        except NeedsYes as error:
            if not can_ask:
                raise
            for line in change_lines(error.report):
                say(line)
            confirm(f"{error}. Go on?")
            return await apply(services, True)

    report = ask(context, config, applied, as_json=as_json, file=str(file))
    print_document(report.model_dump(mode="json")) if as_json else print_report(report)
