"""Count who is on the way in, so that neither one address nor all of them together take every place.

Pure: counts alone. Before it: `doorway`, with each TCP connection. Counts handshakes by address, since a crowd of
stations behind one address is normal once they are connected; and all connections, whatever they are doing.
"""

from __future__ import annotations

from collections import Counter


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
        if self._inside >= self._connections:
            return "too many connections"
        if not shared and self._pending[address] >= self._pending_per_address:
            return "too many handshakes from this address"
        self._inside += 1
        self._pending[address] += 1
        return Place(self, address)

    def pending(self, address: str) -> int:
        """Return how many handshakes of an address are under way."""
        return self._pending[address]

    def _passed(self, address: str) -> None:
        self._pending[address] -= 1
        if not self._pending[address]:
            del self._pending[address]

    def _left(self) -> None:
        self._inside -= 1


class Place:
    """One connection's place; what is said twice counts once."""

    def __init__(self, gate: Gate, address: str) -> None:
        self._gate = gate
        self._address: str | None = address
        self._inside = True

    def passed(self) -> None:
        """Note that the handshake is over, however it ended."""
        if self._address is not None:
            self._gate._passed(self._address)
            self._address = None

    def leave(self) -> None:
        """Give the place back: the connection is closed."""
        self.passed()
        if self._inside:
            self._inside = False
            self._gate._left()
