"""Run one command: find its configuration, ask the bridge, and end with the right exit code.

Holds what the commands share. Results go to stdout, everything else to stderr. Imports what it needs only when a
command runs, so that help and version are quick. Before it: `command`, `inventory`, `upstream`. After it: `session`.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, TypeVar

import typer
from typer.core import TyperGroup

from bridge.cli.elsewhere import add_options, address_given, can_be_overheard

if TYPE_CHECKING:
    from bridge.cli.address import Address
    from bridge.cli.session import Stopped
    from bridge.settings import ConfigurationErrors, Settings
    from bridge.web.services import ServiceError, WebServices

_Result = TypeVar("_Result")

ConfigOption = Annotated[
    Path | None,
    typer.Option("--config", "-c", help="Configuration file; else $BRIDGE_CONFIG, else bridge.toml in this folder."),
]
"""Of a parameter `config` the command asks a bridge, of a parameter `configuration` it stays on its own machine."""
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask; the answer is yes.")]


class ExitCode(IntEnum):
    """How a command ended."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    NOT_FOUND = 3
    CONFLICT = 4
    INVALID = 5
    UNREACHABLE = 6


def _serve(settings: Settings) -> int:
    from bridge.app.listening import station_urls
    from bridge.app.serve import serve
    from bridge.cli.output import print_started
    from bridge.web.health_shapes import Status
    from bridge.web.ports_file import Ports

    def started(ports: Ports, status: Status) -> None:
        print_started(ports, station_urls(settings, ports.listeners), str(settings.state_dir), status)

    return serve(settings, started if sys.stderr.isatty() else None)


def _stopped() -> Stopped:
    from bridge.app.stopped import stopped

    log_to_stderr()
    return stopped


def _interactive() -> bool:
    return sys.stdin.isatty()


@dataclass(frozen=True, slots=True)
class Parts:
    """What commands are made of besides their own files; tests bring their own."""

    serve: Callable[[Settings], int] = _serve
    """Runs the bridge until it is told to end, and returns the exit code. Raises: StoreError, OSError."""
    stopped: Callable[[], Stopped] = _stopped
    interactive: Callable[[], bool] = _interactive
    """Can somebody answer a question."""
    patience: timedelta = timedelta(seconds=5)
    """How long a bridge that has the store and does not answer yet, or not any more, is waited for."""


class _Group(TyperGroup):
    """A group whose help ends with an example of each of its commands, where it has none of its own.

    Each of its commands that asks a bridge may ask one on another machine.
    """

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        for command in self.commands.values():
            add_options(command)
        if not self.epilog:
            found = [command.epilog.partition("\n  ")[2] for command in self.commands.values() if command.epilog]
            self.epilog = examples(*(lines.partition("\n  ")[0] for lines in found if lines))


def new_group(about: str, epilog: str | None = None) -> typer.Typer:
    """Return an empty group of commands: plain help, no tracebacks of typer's own."""
    return typer.Typer(
        cls=_Group,
        help=about,
        epilog=epilog,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        add_completion=False,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
    )


def examples(*lines: str) -> str:
    """Return the end of a command's help, whose lines stay as they are (click's mark at the start)."""
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)


def parts_of(context: typer.Context) -> Parts:
    """Return what this command is made of."""
    return context.obj if isinstance(context.obj, Parts) else Parts()


def config_path(config: Path | None) -> Path | None:
    """Return the configuration file that counts: named, in the environment, bridge.toml here, or none."""
    if config is not None:
        return config
    if named := os.environ.get("BRIDGE_CONFIG"):
        return Path(named)
    here = Path("bridge.toml")
    return here if here.exists() else None


def settings_of(config: Path | None, *, as_json: bool = False, certificates_at: datetime | None = None) -> Settings:
    """Return the settings, or end with every mistake; `certificates_at` as of `load_settings`."""
    from bridge.settings import ConfigurationErrors, load_settings

    try:
        return load_settings(config_path(config), os.environ, certificates_at=certificates_at)
    except ConfigurationErrors as error:
        refuse(error, as_json=as_json)


def refuse(error: ConfigurationErrors, *, as_json: bool) -> NoReturn:
    """End with every mistake of the configuration."""
    from bridge.cli.output import counted

    lines = [str(mistake) for mistake in error.mistakes]
    total = f"{counted(len(lines), 'mistake')} in the configuration; nothing was started"
    fail(ExitCode.INVALID, *lines, total, as_json=as_json)


def address_of(
    context: typer.Context, config: Path | None, *, as_json: bool = False, needs_key: bool = True
) -> Address | None:
    """Return the bridge that was named by its address, None where this machine's is meant, or end."""
    from bridge.cli.failures import Misdirected, Missing

    try:
        address = address_given(context, config, os.environ, needs_key=needs_key)
    except Missing as error:
        fail(ExitCode.NOT_FOUND, str(error), as_json=as_json)
    except Misdirected as error:
        fail(ExitCode.USAGE, str(error), as_json=as_json)
    if address is not None and address.key and can_be_overheard(address):
        say(f"warning: {address.url} is not https: everybody on the way can read the key")
    return address


def log_to_stderr() -> None:
    """Let what parts of the bridge log inside a command go to stderr, from warnings on: stdout is for results."""
    from bridge.logging_setup import configure_logging

    configure_logging("warning")


def say(line: str) -> None:
    """Print a line on stderr."""
    print(line, file=sys.stderr)


def fail(code: ExitCode, *lines: str, as_json: bool = False) -> NoReturn:
    """End with these lines on stderr, the last one being what it comes to; as a document on stdout too."""
    if as_json:
        print_document({"error": lines[-1], "details": lines[:-1]})
    for line in lines:
        say(line)
    raise typer.Exit(code)


def confirm(question: str) -> None:
    """Ask on stderr, and end unless the answer is yes."""
    if not typer.confirm(question, err=True):
        fail(ExitCode.FAILED, "nothing was changed")


def print_document(document: object) -> None:
    """Print one JSON document on stdout."""
    import json

    print(json.dumps(document, ensure_ascii=False, indent=2))


def ask(
    context: typer.Context,
    config: Path | None,
    question: Callable[[WebServices], Awaitable[_Result]],
    *,
    as_json: bool = False,
    file: str = "inventory",
) -> _Result:
    """Return what the bridge answers, running or stopped; end with its exit code where it fails.

    Args:
        context: The command's.
        config: The configuration file, if one was named.
        question: Asks the services.
        as_json: A failure is a document on stdout too.
        file: What to call the inventory file in its mistakes.
    """
    asked = _asked(context, config, as_json)
    from bridge.web.services import ServiceError

    async def run() -> _Result:
        async with asked as services:
            return await question(services)

    try:
        return asyncio.run(run())
    except ServiceError as error:
        fail_by(error, file=file, as_json=as_json)


def fail_by(error: ServiceError, *, file: str = "inventory", as_json: bool = False) -> NoReturn:
    """End as the services failed."""
    code, lines = _failure(error, file)
    fail(code, *lines, as_json=as_json)


def _asked(context: typer.Context, config: Path | None, as_json: bool) -> AbstractAsyncContextManager[WebServices]:
    """Return what gives the services of the bridge that is meant."""
    from bridge.cli.session import services_at, services_of

    if (address := address_of(context, config, as_json=as_json)) is not None:
        return nullcontext(services_at(address))
    parts = parts_of(context)
    return services_of(settings_of(config, as_json=as_json), parts.stopped, parts.patience)


def _failure(error: ServiceError, file: str) -> tuple[ExitCode, list[str]]:
    """Return the exit code and the lines of a failure."""
    from bridge.cli.failures import Unreachable
    from bridge.cli.output import change_lines, row_error_line
    from bridge.web.services import Changed, Conflict, NeedsYes, NotFound, NotRunning, RowsRefused, ValueRefused

    match error:
        case RowsRefused():
            return ExitCode.INVALID, [*(row_error_line(file, row) for row in error.errors), str(error)]
        case ValueRefused():
            return ExitCode.USAGE, [str(error)]
        case NotFound():
            return ExitCode.NOT_FOUND, [str(error)]
        case NeedsYes():
            return ExitCode.CONFLICT, [*change_lines(error.report), str(error)]
        case Conflict() | Changed():
            return ExitCode.CONFLICT, [str(error)]
        case Unreachable() | NotRunning():
            return ExitCode.UNREACHABLE, [str(error)]
        case _:
            return ExitCode.FAILED, [str(error)]
