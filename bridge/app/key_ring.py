"""Hold the keys in force in memory, so that no request waits for storage, and remember which were used.

Never decides who may ask: `bridge.web.access` does. What is held is read anew after each order about keys; uses are
written once a minute. Before it: `parts`, which runs it. After it: `store.api_keys`, `edits.api_keys`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta

import structlog

from bridge.core.api_keys import is_over
from bridge.core.model import Moment
from bridge.edits.api_keys import note_key_uses
from bridge.store.api_keys import StoredKey, list_keys
from bridge.store.engine import Store
from bridge.store.errors import StoreError
from bridge.store.writer import Writer
from bridge.web.access import KnownKey
from bridge.web.principals import Principal
from bridge.web.services import Unavailable

log = structlog.get_logger(__name__)


class StoreKeyRing:
    """The keys of this process's store. Implements `bridge.web.access.KeyRing`. Run `run` as one named task."""

    def __init__(
        self, store: Store, writer: Writer, clock: Callable[[], Moment], every: timedelta = timedelta(minutes=1)
    ) -> None:
        """`every`: how often uses are written."""
        self._store = store
        self._writer = writer
        self._clock = clock
        self._every = every
        self._held: Mapping[int, StoredKey] | None = None
        self._by_digest: Mapping[str, StoredKey] = {}
        self._changes = 0
        self._used: dict[int, datetime] = {}

    async def find(self, digest: str) -> KnownKey | None:
        """Return the key that has this digest. Raises: Unavailable."""
        await self._hold()
        return self._known(self._by_digest.get(digest))

    async def get(self, number: int) -> KnownKey | None:
        """Return the key of this number. Raises: Unavailable."""
        return self._known((await self._hold()).get(number))

    def used(self, number: int) -> None:
        """Note that a key has just been used."""
        if self._held is not None and number in self._held:
            self._used[number] = self._clock().now

    def used_at(self, stored: StoredKey) -> datetime | None:
        """Return when a key was used last, written or not."""
        return self._used.get(stored.number, stored.used_at)

    def forget(self) -> None:
        """Read the keys anew before the next request: one was made or revoked."""
        self._changes += 1
        self._held, self._by_digest = None, {}

    async def run(self) -> None:
        """Write uses until cancelled; where storage fails, later again."""
        while True:
            await asyncio.sleep(self._every.total_seconds())
            try:
                await self.write()
            except StoreError:
                continue

    async def write(self) -> None:
        """Write the uses that are not written. Raises: StoreError."""
        uses, self._used = self._used, {}
        if not uses:
            return
        try:
            await self._writer.submit(note_key_uses, uses)
        except BaseException:
            self._used = {**uses, **self._used}
            raise

    async def _hold(self) -> Mapping[int, StoredKey]:
        if self._held is not None:
            return self._held
        seen = self._changes
        try:
            async with self._store.read() as connection:
                found: Iterable[StoredKey] = await connection.run_sync(list_keys)
        except StoreError as error:
            raise Unavailable(str(error)) from error
        held = {stored.number: stored for stored in found}
        if seen == self._changes:  # otherwise a key was revoked meanwhile: whoever asks next reads again
            self._held, self._by_digest = held, {stored.key.digest: stored for stored in held.values()}
            return held
        return await self._hold()

    def _known(self, stored: StoredKey | None) -> KnownKey | None:
        if stored is None or is_over(stored.key.expires_at, self._clock().now):
            return None
        key = stored.key
        return KnownKey(stored.number, key.digest, Principal(key.name, key.role, key.operators, stored.number))
