"""Offer the simulators on the command line, as `ocpp-sim`.

Parses only. Each command's module is imported when it is called, so that one command does not wait for another's
libraries. After it: `fleet.command`, `fleet.preparation`, `hubs.command`, `demo.command`, `replay.command`.
"""

from __future__ import annotations

import sys
from importlib import import_module

import typer

_COMMANDS = {
    "fleet": ("simulators.fleet.command", "fleet"),
    "inventory": ("simulators.fleet.preparation", "inventory"),
    "certificates": ("simulators.fleet.preparation", "certificates"),
    "quirks": ("simulators.fleet.preparation", "quirks"),
    "hubs": ("simulators.hubs.command", "hubs"),
    "demo": ("simulators.demo.command", "demo"),
    "replay": ("simulators.replay.command", "replay"),
}


def application(wanted: str | None = None) -> typer.Typer:
    """Return the application with the command that is wanted, or with all of them where that is none of ours."""
    app = typer.Typer(
        name="ocpp-sim",
        help="Pretend to be charging stations and roaming hubs.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    app.callback()(_ocpp_sim)
    for name in (wanted,) if wanted in _COMMANDS else _COMMANDS:
        module, function = _COMMANDS[name]
        app.command(name)(getattr(import_module(module), function))
    return app


def _ocpp_sim() -> None:
    """Pretend to be charging stations and roaming hubs."""


def main() -> None:
    """Run `ocpp-sim`."""
    wanted = next((argument for argument in sys.argv[1:] if not argument.startswith("-")), None)
    application(wanted)()


if __name__ == "__main__":
    main()
