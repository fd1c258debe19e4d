"""Let so many handshakes be worked on at once, and the others in the order in which they came.

Knows neither HTTP nor who stands in it. Where ten thousand stations return together, each would otherwise share the
processor and the database with all the others, and most would run out of time with their work half done. Before it:
`admission`, for each request that could become a session. Beside it: `gate`, which says how many may stand here.
"""

from __future__ import annotations

import asyncio


class Line:
    """One server's line."""

    def __init__(self, at_once: int) -> None:
        """Let `at_once` have their turn at the same time."""
        self._places = asyncio.Semaphore(at_once)

    async def turn(self, patience_s: float) -> Turn | None:
        """Wait for a turn, which must be given back; None where it did not come within `patience_s` seconds."""
        try:
            async with asyncio.timeout(patience_s):
                await self._places.acquire()
        except TimeoutError:
            return None
        return Turn(self._places)


class Turn:
    """One handshake's turn; what is given back twice counts once."""

    def __init__(self, places: asyncio.Semaphore) -> None:
        self._places: asyncio.Semaphore | None = places

    def over(self) -> None:
        """Let the next one have it."""
        if self._places is not None:
            self._places.release()
            self._places = None
