"""Say what a station shows of a connector that its server made inoperative.

Pure; does no I/O. Before it: `behaviour`, which knows nothing of servers. After it: `station`, which reports it.

Source: OCPP 1.6 §5.2 ChangeAvailability; OCPP 2.0.1 Part 2, G03. It outlasts reboots and losses of the network.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from simulators.fleet.behaviour import IN_USE, ConnectorState
from simulators.fleet.layout import Address


class Availability:
    """What the server made inoperative at one station, over all of its connections."""

    def __init__(self) -> None:
        self._inoperative: set[Address] = set()

    def change(self, addresses: Iterable[Address], *, operative: bool) -> None:
        """Make these operative or inoperative."""
        if operative:
            self._inoperative.difference_update(addresses)
        else:
            self._inoperative.update(addresses)

    def shown(self, address: Address, before: ConnectorState, state: ConnectorState) -> ConnectorState:
        """Return what the connector shows: out of service, but for a fault, and for a car that was there before.

        Args:
            address: The connector, or the station as a whole.
            before: What it showed until now.
            state: What it would show if it were operative.
        """
        if address not in self._inoperative or state is ConnectorState.FAULTED:
            return state
        stays = before in IN_USE and state in IN_USE
        return state if stays else ConnectorState.UNAVAILABLE


def is_scheduled(addresses: Iterable[Address], shown: Mapping[Address, ConnectorState]) -> bool:
    """Tell whether the change waits for a car to leave.

    "When a transaction is in progress Charge Point SHALL respond with availability status 'Scheduled'" (OCPP 1.6 §5.2).
    """
    return any(shown.get(address) in IN_USE for address in addresses)
