"""Offer the simulators on the command line, as `ocpp-sim`.

Parses only. Each command's module is imported when it is called, so that one command does not wait for another's
libraries. After it: `fleet.command`, `fleet.preparation`, `hubs.command`, `demo.command`,
`demo.agree`, `replay.command`, `load.command`.
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
    "agree": ("simulators.demo.agree", "agree"),
    "replay": ("simulators.replay.command", "replay"),
    "load": ("simulators.load.command", "load"),
}
_EXAMPLES = {
    "fleet": (
        "ocpp-sim fleet --url ws://127.0.0.1:9000 --stations 24",
        "ocpp-sim fleet --url ws://127.0.0.1:9000 --quirk no-pong,bad-clock,offline-queue --quirk-share 0.3",
        "ocpp-sim fleet --url wss://localhost:9443 --versions 2.0.1,2.1 --security 3 --certificates lab",
    ),
    "inventory": ("ocpp-sim inventory --stations 200 --seed 7 > stations.csv",),
    "certificates": ("ocpp-sim certificates --data lab --stations 8 --security 3 --versions 2.0.1,2.1",),
    "quirks": ("ocpp-sim quirks",),
    "hubs": ("ocpp-sim hubs", "ocpp-sim hubs --hubject-port 9101 --chargeprice-port 9102 --control-port 9100"),
    "demo": ("ocpp-sim demo --data demo-data", "ocpp-sim demo --data demo-data --seconds 40 --stations 200"),
    "agree": ("ocpp-sim agree --fleet http://127.0.0.1:9200 --hubs http://127.0.0.1:9100 --within 60",),
    "replay": ("ocpp-sim replay CP42.jsonl --to ws://127.0.0.1:9000/CP42 --key-file CP42.key",),
    "load": (
        "ocpp-sim load ws://127.0.0.1:9000 --credentials stations.csv --boot --rate 100 --seconds 30",
        "ocpp-sim load ws://127.0.0.1:9000 --stations 200 --key a-common-key-0001 --rate max --json load.json",
        "ocpp-sim load wss://csms.example.com --credentials stations.csv --ocpp 2.0.1 --profile storm --seconds 60",
    ),
}


def application(wanted: str | None = None) -> typer.Typer:
    """Return the application with the command that is wanted, or with all of them where that is none of ours."""
    app = typer.Typer(
        name="ocpp-sim",
        help="Pretend to be charging stations and roaming hubs.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_ocpp_sim)
    for name in (wanted,) if wanted in _COMMANDS else _COMMANDS:
        module, function = _COMMANDS[name]
        epilog = "\b\nExamples:\n" + "\n".join(f"  {line}" for line in _EXAMPLES[name])
        app.command(name, epilog=epilog)(getattr(import_module(module), function))
    return app


def _ocpp_sim() -> None:
    """Pretend to be charging stations and roaming hubs."""


def main() -> None:
    """Run `ocpp-sim`."""
    wanted = next((argument for argument in sys.argv[1:] if not argument.startswith("-")), None)
    application(wanted)()


if __name__ == "__main__":
    main()
