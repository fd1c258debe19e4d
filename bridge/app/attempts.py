"""Keep which connections of stations were refused, by whom, how often and why. Implements `csms.ports.Attempts`.

In memory, and bounded: it is about what is being tried now. Never keeps foreign text uncleaned, nor a credential.
Before it: `csms.doorway` and `csms.admission`, which end connections before they are WebSockets. After it:
`quarantine_services`.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bridge.core.model import Moment
from csms.events import AttemptRefused
from csms.gate import network_of

MOST = 1_000
MOST_OF_ONE_ADDRESS = 100
"""So that one scanner cannot push out what others tried."""
RECENT = timedelta(minutes=10)

_LONGEST_TEXT = 128
_NO_WEBSOCKET = 426
_HUNG_UP = "TLS: the peer closed the connection"

_Key = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Attempts:
    """What one identity tried from one address, and was refused for one reason."""

    identity: str
    """Cleaned; empty where nothing could be read of it."""
    address: str
    status: int
    """HTTP status of the refusal; 0 where it did not come to HTTP."""
    reason: str
    count: int
    first: datetime
    last: datetime
    user_agent: str
    """Cleaned, of the last one."""


class RefusedAttempts:
    """The refused attempts of this process."""

    def __init__(
        self, clock: Callable[[], Moment], *, most: int = MOST, most_of_one_address: int = MOST_OF_ONE_ADDRESS
    ) -> None:
        self._clock = clock
        self._most = most
        self._most_of_one_address = most_of_one_address
        self._kept: OrderedDict[_Key, Attempts] = OrderedDict()
        self._by_sender: dict[str, OrderedDict[_Key, None]] = {}

    def __len__(self) -> int:
        return len(self._kept)

    def refused(self, attempt: AttemptRefused) -> None:
        """Note a refused attempt; the one that was seen least recently makes room, of the same address first."""
        now = self._clock().now
        identity, agent = cleaned(attempt.identity), cleaned(attempt.user_agent)
        key = (identity.casefold(), attempt.address, attempt.reason)
        before = self._kept.get(key)
        if before is None:
            self._make_room(network_of(attempt.address))
            before = Attempts(identity, attempt.address, attempt.status, attempt.reason, 0, now, now, agent)
        self._kept[key] = replace(before, count=before.count + 1, last=now, user_agent=agent)
        self._kept.move_to_end(key)
        mine = self._by_sender.setdefault(network_of(attempt.address), OrderedDict())
        mine[key] = None
        mine.move_to_end(key)

    def all(self) -> list[Attempts]:
        """Return what is kept, the most recent first."""
        return list(reversed(self._kept.values()))

    def recent_stations(self) -> int:
        """Return how many stations were refused within `RECENT`; where no identity could be read, senders count.

        Whoever sends no WebSocket request at all is probably a health check or a browser; so is whoever hangs up on
        TLS, unless it is a station that does not trust our certificate, which the list shows.
        """
        since = self._clock().now - RECENT
        recent = [each for each in self._kept.values() if each.last >= since]
        stations = [each for each in recent if each.status != _NO_WEBSOCKET and each.reason != _HUNG_UP]
        return len({each.identity.casefold() or each.address for each in stations})

    def _make_room(self, sender: str) -> None:
        mine = self._by_sender.get(sender)
        if mine is not None and len(mine) >= self._most_of_one_address:
            self._drop(next(iter(mine)))
        elif len(self._kept) >= self._most:
            self._drop(next(iter(self._kept)))

    def _drop(self, key: _Key) -> None:
        del self._kept[key]
        sender = network_of(key[1])
        mine = self._by_sender[sender]
        del mine[key]
        if not mine:
            del self._by_sender[sender]


def cleaned(text: str) -> str:
    """Return foreign text in one printable line, cut."""
    return "".join(character if character.isprintable() else " " for character in text[:_LONGEST_TEXT]).strip()
