"""Every command of both programs keeps to what docs/cli.md promises of all of them."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from bridge.cli.command import app
from tests.documents.commands import Command, command_lines, every_command, every_group, examples_of, parse

COMMANDS = every_command()
PRINTS_NOTHING_TO_READ = {"ocpp-bridge serve", "ocpp-bridge completion"}
"""A program that runs, and a script for a shell."""


def by_name(commands: list[Command]) -> list[object]:
    return [pytest.param(command, id=command.name) for command in commands]


@pytest.mark.parametrize("command", by_name(COMMANDS))
def test_its_examples_are_commands_that_exist_and_the_first_is_its_own(command: Command) -> None:
    meant = [parse(words).name for line in command.examples for words in command_lines(line)]
    assert command.examples
    assert all(next(command_lines(line), None) for line in command.examples)
    assert command.name in [parse(words).name for words in command_lines(command.examples[0])]
    assert set(meant) <= {one.name for one in COMMANDS}


@pytest.mark.parametrize("command", by_name([one for one in COMMANDS if one.words[0] == "ocpp-bridge"]))
def test_it_prints_one_document_for_programs(command: Command) -> None:
    assert ("--json" in command.options) == (command.name not in PRINTS_NOTHING_TO_READ)


@pytest.mark.parametrize("command", by_name(COMMANDS))
def test_every_option_and_the_command_say_what_they_are_for(command: Command) -> None:
    assert command.parser.help
    assert [parameter.name for parameter in command.parser.params if not getattr(parameter, "help", None)] == []


@pytest.mark.parametrize("group", by_name([one for one in every_group() if one.words[0] == "ocpp-bridge"]))
def test_the_help_of_a_group_ends_with_examples_that_exist(group: Command) -> None:
    shown = CliRunner().invoke(app, [*group.words[1:], "-h"])
    assert shown.exit_code == 0
    assert "Examples:\n" in shown.stdout
    for line in examples_of(group.parser):
        assert [parse(words).words[: len(group.words)] for words in command_lines(line)] == [group.words]


@pytest.mark.parametrize(
    "line",
    [
        pytest.param("ocpp-bridge upstream enabel hubject", id="a verb that does not exist"),
        pytest.param("ocpp-bridge status --jsno", id="an option that does not exist"),
        pytest.param("ocpp-bridge inventory import", id="an argument that is missing"),
    ],
)
def test_a_mistyped_example_would_be_noticed(line: str) -> None:
    with pytest.raises(Exception, match=r"no command|[Nn]o such option|Missing parameter"):
        parse(next(command_lines(line)))
