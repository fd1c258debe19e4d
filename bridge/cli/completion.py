"""Parse `ocpp-bridge completion`: print what a shell needs to complete our commands and options.

Never writes to a file of the user's. Before it: `command`. After it: typer, which knows the shells.
"""

from __future__ import annotations

import os
from enum import StrEnum
from typing import Annotated

import typer

PROGRAM = "ocpp-bridge"
VARIABLE = "_OCPP_BRIDGE_COMPLETE"
"""Set by the shell's script where it wants the words that may come next."""


class Shell(StrEnum):
    """A shell that can be told."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"


def completion(shell: Annotated[Shell, typer.Argument(help="Which shell.")]) -> None:
    """Print a shell's completion script; where to put it is in the examples."""
    from typer._completion_shared import get_completion_script

    print(get_completion_script(prog_name=PROGRAM, complete_var=VARIABLE, shell=shell.value))


def answer_shells() -> None:
    """Let typer answer a shell that asks for words, where one does."""
    if VARIABLE in os.environ:
        from typer._completion_classes import completion_init

        completion_init()
