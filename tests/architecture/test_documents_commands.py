"""Every command of ours that a document shows exists, with the options that it is shown with."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from tests.documents.commands import PROGRAMS, USAGE_ERROR, command_lines, parse

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
_SHOWN = re.compile(r"^```(console|sh)\n(.*?)^```", re.DOTALL | re.MULTILINE)
_OURS = re.compile(r"^(?:\w+=\$\()?(ocpp-(?:bridge|sim) .*?)\)?$")
"""A line of a script; its output may go into a variable."""


def shown_lines(text: str) -> Iterator[str]:
    """Give each line that a reader is to type, continued lines joined, the prompt and remarks left out."""
    for kind, block in _SHOWN.findall(text):
        for line in block.replace("\\\n", " ").splitlines():
            said = line.partition("  #")[0].rstrip()
            if kind == "console" and said.startswith("$ "):
                yield said[2:]
            if kind == "sh" and (ours := _OURS.match(said)):
                yield ours[1]


def wrong(text: str) -> list[str]:
    found = []
    for line in shown_lines(text):
        for words in command_lines(line):
            try:
                parse(words)
            except (LookupError, USAGE_ERROR) as error:
                found.append(f"{line}: {error}")
    return found


def test_every_command_that_a_document_shows_exists() -> None:
    assert {file.name: mistakes for file in DOCUMENTS if (mistakes := wrong(file.read_text(encoding="utf-8")))} == {}


def test_the_first_page_shows_commands_of_both_programs() -> None:
    shown = [words for line in shown_lines(DOCUMENTS[0].read_text(encoding="utf-8")) for words in command_lines(line)]
    assert {words[0] for words in shown} <= set(PROGRAMS)
    assert {("init",), ("serve",), ("check-config",)} <= {tuple(words[1:2]) for words in shown}


def test_a_command_that_does_not_exist_would_be_noticed() -> None:
    said = "```console\n$ ocpp-bridge upstreams list\n$ ocpp-bridge status --jsn\n```\n"
    assert len(wrong(said)) == 2
    assert (
        len(wrong("```sh\nocpp-bridge evse lst\nKEY=$(ocpp-bridge key make me)\nocpp-bridge key list  # all\n```\n"))
        == 2
    )
