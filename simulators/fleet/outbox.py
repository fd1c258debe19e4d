"""Keep in order what one station still has to say.

Never sends, and never decides what is said. Before it: `station`, which adds. After it: `station` again, which sends
the first.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

from simulators.fleet.wire import HeartbeatMessage, Message, StatusMessage, TransactionMessage


class Outbox:
    """One station's messages, over all of its connections."""

    def __init__(self) -> None:
        """Begin with nothing to say."""
        self._waiting: deque[Message] = deque()
        self._work = asyncio.Event()

    def __len__(self) -> int:
        """Return how many messages wait, the one that is being sent among them."""
        return len(self._waiting)

    def add(self, messages: Iterable[Message]) -> None:
        """Say these after all others."""
        self._waiting.extend(messages)
        if self._waiting:
            self._work.set()

    def keep_history(self) -> None:
        """Leave what is still said after a loss: transactions, marked as late, and statuses that have their time."""
        self._waiting = deque(_late(self._waiting))

    async def first(self, heartbeat: timedelta) -> Message:
        """Return the message that is next, which stays until it is `done`; a heartbeat after so long without any."""
        self._work.clear()
        if not self._waiting:
            try:
                async with asyncio.timeout(heartbeat.total_seconds()):
                    await self._work.wait()
            except TimeoutError:
                self.add((HeartbeatMessage(),))
        return self._waiting[0]

    def done(self) -> None:
        """Forget the first: it was answered, or refused."""
        self._waiting.popleft()


def _late(messages: Iterable[Message]) -> Iterable[Message]:
    for message in messages:
        match message:
            case TransactionMessage():
                yield replace(message, offline=True)
            case StatusMessage(at=at) if at is not None:
                yield message
            case _:
                pass
