"""Walk the commands of `ocpp-bridge` and `ocpp-sim`, and write docs/cli.md from them.

Before it: the commands' own parsers. After it: docs/cli.md, and the tests that hold every command to the conventions.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer
from typer.main import get_command

from bridge.cli.command import app
from simulators.cli import application

_SUBSTITUTION = re.compile(r"\$\(([^)]*)\)")
USAGE_ERROR: type[BaseException] = typer.BadParameter.__mro__[1]
"""What the parsers raise for whatever does not exist; typer itself does not name it."""

_INTRODUCTION = """\
# Commands

Every command of `ocpp-bridge` and `ocpp-sim`, as `--help` shows it. Written by `make docs`; a test compares it.

Results go to stdout, questions, progress and logs to stderr. `--json` prints one document, also where a command fails:
`{"error": …, "details": […]}`. `events` and `station log` print one per line, and a failure on stderr alone, as every
command line does that could not be parsed. Nobody is asked where stdin is no terminal: the command fails with exit
code 2 and names the option that answers. `NO_COLOR` switches colours off; there are none in pipes and
files. `-h` is `--help`.

| exit code | of `ocpp-bridge` | what to do |
|---|---|---|
| 0 | done; of `serve`: ended by Ctrl-C or SIGTERM | |
| 1 | failed | read stderr |
| 2 | wrong usage | see `--help` |
| 3 | not found: the station, EVSE, account or file | check the name |
| 4 | conflict: it exists, another is at work, or it needs a yes | say `--yes`, or wait |
| 5 | configuration or data invalid; every mistake is listed | mend the file |
| 6 | the bridge is not reachable, or what answers is none | start it; is `state_dir`, or the address, its own? |
| 130 | Ctrl-C in any other command than `serve` | |

A command asks the bridge of this machine, which it finds by the configuration's `state_dir`, running or stopped; with
`--url` and `--api-key-file` one on another: [operations.md](operations.md#from-another-machine).

Completion of commands and options: `ocpp-bridge completion bash`, `zsh` or `fish` prints the shell's script.
"""


@dataclass(frozen=True, slots=True)
class Command:
    """One command that can be run."""

    words: tuple[str, ...]
    """The program and its nouns and verb."""
    parser: Any

    @property
    def name(self) -> str:
        return " ".join(self.words)

    @property
    def options(self) -> set[str]:
        return {option for parameter in self.parser.params for option in parameter.opts}

    @property
    def examples(self) -> list[str]:
        return [" ".join(line.split()) for line in examples_of(self.parser)]


def examples_of(parser: Any) -> list[str]:
    _, found, lines = (parser.epilog or "").partition("Examples:\n")
    return lines.replace("\\\n", " ").strip().splitlines() if found else []


PROGRAMS = {"ocpp-bridge": get_command(app), "ocpp-sim": get_command(application())}


def leaves(words: tuple[str, ...], parser: Any) -> Iterator[Command]:
    """Give every command below a parser, in the order of its help."""
    if not hasattr(parser, "commands"):
        yield Command(words, parser)
        return
    for name, inner in parser.commands.items():
        yield from leaves((*words, name), inner)


def every_command() -> list[Command]:
    return [command for program, parser in PROGRAMS.items() for command in leaves((program,), parser)]


def every_group() -> list[Command]:
    return [Command((program,), parser) for program, parser in PROGRAMS.items()] + [
        Command((program, name), inner)
        for program, parser in PROGRAMS.items()
        for name, inner in parser.commands.items()
        if hasattr(inner, "commands")
    ]


def command_lines(line: str) -> Iterator[list[str]]:
    """Give the commands of ours in a line as a shell would split it: variables, pipes and redirections left out."""
    words: list[str] = []
    lexer = shlex.shlex(_SUBSTITUTION.sub(r"| \1 |", line), posix=True, punctuation_chars="|<>&;")
    lexer.whitespace_split = True
    lexer.commenters = "#"
    into_file = False
    for word in [*lexer, "|"]:
        if set(word) <= set("|<>&;"):
            if not into_file and (place := _place_of_ours(words)) is not None:
                yield [Path(words[place]).name, *words[place + 1 :]]
            words, into_file = [], word[0] in "<>"
        else:
            words.append(word)


def _place_of_ours(words: list[str]) -> int | None:
    """Return where a program of ours stands: by its name or path, and not as the name of a user or unit."""
    found = [place for place, word in enumerate(words) if "=" not in word and Path(word).name in PROGRAMS]
    return next((place for place in found if words[max(place - 1, 0)] != "-u"), None)


def parse(words: list[str]) -> Command:
    """Return the command that a command line means. Raises: LookupError, USAGE_ERROR."""
    parser, rest, path = PROGRAMS[words[0]], words[1:], [words[0]]
    while hasattr(parser, "commands"):
        if rest and rest[0] in Command((), parser).options | {"-h", "--help"}:
            return Command(tuple(path), parser)
        if not rest or rest[0] not in parser.commands:
            raise LookupError(f"{' '.join(path)} has no command {rest[0] if rest else '(nothing)'}")
        path.append(rest[0])
        parser, rest = parser.commands[rest[0]], rest[1:]
    parser.make_context(" ".join(path), list(rest))
    return Command(tuple(path), parser)


def document() -> str:
    """Return docs/cli.md."""
    return "\n".join([_INTRODUCTION, *(_program(name, parser) for name, parser in PROGRAMS.items())])


def _program(name: str, parser: Any) -> str:
    return "\n".join([f"## {name}\n", *(_section(command) for command in leaves((name,), parser))])


def _section(command: Command) -> str:
    parser = command.parser
    context = parser.make_context(command.name, ["placeholder"] * 4, resilient_parsing=True)
    usage = " ".join([command.name, *parser.collect_usage_pieces(context)])
    rows = [parameter.get_help_record(context) for parameter in parser.params]
    rows = [row for row in rows if row is not None] + [("-h, --help", "Show this message and exit.")]
    table = "\n".join(f"| `{_cell(names)}` | {_cell(text)} |" for names, text in rows)
    examples = "\n".join(f"$ {line}" for line in command.examples)
    return (
        f"### {command.name}\n\n{' '.join((parser.help or '').replace(chr(12), '').split())}\n\n"
        f"`{usage}`\n\n| option or argument | meaning |\n|---|---|\n{table}\n\n```console\n{examples}\n```\n"
    )


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
