"""Say whose station is whose: those named `xyz…` are a second operator's, who has an account of its own at Hubject.

Both operators share the account at Chargeprice. Names only; the accounts are in `two_operators.toml`. Before it:
`world`, `evidence`.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

_SECOND = "xyz"
_OPERATOR_IDS = {"demo": "DE*ABC", "second": "DE*XYZ"}
_HUBJECT_ACCOUNTS = {"hubject": "DE*ABC", "second": "DE*XYZ"}


def operator_of(station: str) -> str:
    """Return the operator of a station, as the inventory names it."""
    return "second" if station.startswith(_SECOND) else "demo"


def evse_of(station: str, address: tuple[int, int]) -> str:
    """Return the EvseID that a connector belongs to: its own in 1.6, that of its EVSE in 2.x."""
    return f"{_OPERATOR_IDS[operator_of(station)]}*E{station.upper()}*{address[0] or address[1]}"


def told(account: str, evse_id: str) -> bool:
    """Tell whether an account's hub is told of this EVSE."""
    return evse_id.startswith(_HUBJECT_ACCOUNTS.get(account, ""))


def configuration(stations: Iterable[str]) -> Path:
    """Return the configuration for these stations: the demo's, or that with a second operator."""
    if any(operator_of(station) == "second" for station in stations):
        return Path(__file__).parent / "two_operators.toml"
    return Path(__file__).parents[3] / "config" / "demo" / "bridge.toml"
