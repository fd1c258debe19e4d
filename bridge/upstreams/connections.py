"""Keep an account's one connection to its hub, and give it out only while it can be trusted.

Never reads or writes HTTP, and never tries again by itself. Before it: `http`. After it: `names`, and the network.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import aiohttp

MOST_AGE = timedelta(seconds=50)
"""How long a connection is used. With the ten seconds that an address is remembered, a hub that moved is met at its new
address within a minute, though the old one goes on answering."""


class Connector(aiohttp.TCPConnector):
    """A pool of one connection, which is given out again only while nothing came on it unasked, and while it is young.

    What a hub or a server in front of it says between two requests (a second answer, a 408 as it closes an idle
    connection) would be read as the answer to the next one: as if what that carries had been accepted.
    """

    def __init__(
        self, *, most_age: timedelta = MOST_AGE, clock: Callable[[], float] = time.monotonic, **options: Any
    ) -> None:
        """`options` are aiohttp's."""
        super().__init__(limit=1, **options)
        self._most_age_s = most_age.total_seconds()
        self._clock = clock
        self._made: tuple[Any, float] | None = None

    async def connect(self, *arguments: Any, **named: Any) -> Any:
        """Return the pooled connection where it can be trusted, else a new one."""
        connection = await super().connect(*arguments, **named)
        if self._spent(connection.protocol):
            connection.close()
            connection = await super().connect(*arguments, **named)
            self._spent(connection.protocol)
        return connection

    def _spent(self, protocol: Any) -> bool:
        if self._made is None or self._made[0] is not protocol:
            self._made = (protocol, self._clock())
            return False
        return bool(protocol.should_close) or self._clock() - self._made[1] >= self._most_age_s
