"""Say what a key may do: three roles, each of which may do what the one before it may.

Never knows a key or a request. Before it: the key that somebody shows. After it: `web`, which lets a request in or not.
"""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    """Who somebody is to the bridge."""

    VIEWER = "viewer"
    """Looks: statuses, hubs, logs."""
    OPERATOR = "operator"
    """Acts on what is there: temporary statuses, commands to stations, sending again."""
    ADMIN = "admin"
    """Decides what is there: inventory, accounts, quarantine, keys."""

    def may(self, needed: Role) -> bool:
        """Return whether this role is enough where `needed` is."""
        return _ORDER.index(self) >= _ORDER.index(needed)


_ORDER = (Role.VIEWER, Role.OPERATOR, Role.ADMIN)
