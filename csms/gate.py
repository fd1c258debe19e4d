"""Count who is on the way in, so that neither one address nor all of them together take every place.

Pure: counts alone. Before it: `doorway`, with each TCP connection. Counts handshakes by address, since a crowd of
stations behind one address is normal once they are connected; and all connections, whatever they are doing.
"""

from __future__ import annotations

import ipaddress
from collections import Counter


def network_of(address: str) -> str:
    """Return what stands for one sender: an IPv4 address, or the /64 that one IPv6 subscriber has to himself."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((int(parsed) >> 64 << 64, 64)))
    return str(parsed)


class Gate:
    """The places of one server."""

    def __init__(self, *, connections: int, pending_per_address: int) -> None:
        self._connections = connections
        self._pending_per_address = pending_per_address
        self._pending: Counter[str] = Counter()
        self._inside = 0

    def __len__(self) -> int:
        return self._inside

    def enter(self, address: str, *, shared: bool = False) -> Place | str:
        """Give a place, or say why there is none. `shared`: the address is a proxy's, and stands for many."""
        sender = network_of(address)
        if self._inside >= self._connections:
            return "too many connections"
        if not shared and self._pending[sender] >= self._pending_per_address:
            return "too many handshakes from this address"
        self._inside += 1
        self._pending[sender] += 1
        return Place(self, sender)

    def pending(self, address: str) -> int:
        """Return how many handshakes of an address are under way."""
        return self._pending[network_of(address)]

    def _passed(self, sender: str) -> None:
        self._pending[sender] -= 1
        if not self._pending[sender]:
            del self._pending[sender]

    def _left(self) -> None:
        self._inside -= 1


class Place:
    """One connection's place; what is said twice counts once."""

    def __init__(self, gate: Gate, sender: str) -> None:
        self._gate = gate
        self._sender: str | None = sender
        self._inside = True

    def passed(self) -> None:
        """Note that the handshake is over, however it ended."""
        if self._sender is not None:
            self._gate._passed(self._sender)
            self._sender = None

    def leave(self) -> None:
        """Give the place back: the connection is closed."""
        self.passed()
        if self._inside:
            self._inside = False
            self._gate._left()
