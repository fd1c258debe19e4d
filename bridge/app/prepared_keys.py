"""Do the slow arithmetic of an import's short keys before the import has the writer.

A key of fewer than 16 bytes costs 60 ms of a processor to keep or to compare; a thousand of them would keep every
station waiting for a minute. So they are computed in a thread of their own, and the import, which decides inside of its
transaction, finds them done; what has changed in between it computes itself. Before it: `services`. After it:
`bridge.store.inventory`.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from bridge.inventory_file import Inventory
from bridge.store.engine import Store
from bridge.store.slow_keys import slow_credentials
from bridge.store.station_keys import StationKeys
from csms.auth import SHORTEST_KEY
from csms.events import StationId
from csms.records import Credential

Weak = Sequence[tuple[StationId, bytes]]
"""Stations with short keys, as a file has them."""


class PreparedKeys:
    """Makes and compares credentials, those of short keys from what was computed ahead."""

    def __init__(self, keys: StationKeys, weak: Weak, stored: Mapping[StationId, Iterable[Credential]]) -> None:
        """Compute everything that an import of these keys will ask for. Blocks: 60 ms for each."""
        self._keys = keys
        self._proven: dict[tuple[bytes, Credential], bool] = {}
        self._made: defaultdict[bytes, list[Credential]] = defaultdict(list)
        for station, key in weak:
            known = [self._compare(key, credential) for credential in stored.get(station, ())]
            if not any(known):
                self._made[key].append(keys.new(key))

    def _compare(self, key: bytes, credential: Credential) -> bool:
        found = self._keys.proves(key, credential)
        self._proven[key, credential] = found
        return found

    def new(self, key: bytes) -> Credential:
        """Return a credential for the key, each with a salt of its own."""
        return self._made[key].pop() if self._made.get(key) else self._keys.new(key)

    def proves(self, key: bytes, credential: Credential) -> bool:
        """Tell whether the credential was made from exactly this key."""
        found = self._proven.get((key, credential))
        return self._keys.proves(key, credential) if found is None else found


async def prepared_keys(keys: StationKeys, store: Store, inventory: Inventory) -> StationKeys:
    """Return keys for one import of this inventory. Raises: StoreError."""
    weak = [(row.station, row.key) for row in inventory.stations if row.key is not None and len(row.key) < SHORTEST_KEY]
    if not weak:
        return keys
    async with store.read() as connection:
        stored = await connection.run_sync(slow_credentials)
    return await asyncio.to_thread(PreparedKeys, keys, weak, stored)
