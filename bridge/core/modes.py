"""Decide whether an account sends: what the configuration says against what an operator stored.

Never reads either. Before it: `bridge.settings` and the lane's row. After it: `bridge.lane`, which obeys.
"""

from __future__ import annotations

from enum import StrEnum


class Mode(StrEnum):
    """What an account does with its deliveries."""

    OFF = "off"
    """Nothing is worked out for the hub and nothing is sent."""
    DRY_RUN = "dry_run"
    """Everything is worked out, shown and logged; nothing is sent."""
    LIVE = "live"


def effective_mode(configured: Mode | None, stored: Mode | None) -> Mode:
    """Return the mode that counts.

    A configured `off` is a main switch: it wins over everything. Otherwise what an operator stored (`upstream enable`,
    `upstream disable`) wins; the configuration only gives the value before that; and without either nothing is sent.
    """
    if configured is Mode.OFF:
        return Mode.OFF
    return stored or configured or Mode.OFF
