"""Print the quirk profiles: `ocpp-bridge quirks`.

Asks nobody: the profiles are part of the release. Before it: `command`. After it: `bridge.app.quirks`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bridge.cli.run import JsonOption, print_document

if TYPE_CHECKING:
    from collections.abc import Sequence


def quirks(as_json: JsonOption = False) -> None:
    """List the quirk profiles: how known hardware is treated in a way of its own, and why."""
    from bridge.app.quirks import profiles_shown

    profiles = profiles_shown()
    print_document({"items": profiles}) if as_json else _print(profiles)


def _print(profiles: Sequence[dict[str, Any]]) -> None:
    from bridge.cli.output import print_table

    print_table(
        ("name", "applied to", "without it", "what it changes", "evidence"),
        (
            (item["name"], _devices(item), item["symptom"], "; ".join(item["changes"]), item["evidence"])
            for item in profiles
        ),
    )


def _devices(item: dict[str, Any]) -> str:
    """Return by what the profile is applied, as patterns of BootNotification's fields."""
    if not item["automatic"]:
        return "stations whose column `quirks` names it"
    named = ((field, item[field]) for field in ("vendor", "model", "firmware") if item[field] != ["*"])
    return ", ".join(f"{field} {' or '.join(patterns)}" for field, patterns in named)
