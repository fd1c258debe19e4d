"""Check presented keys: quick ones at once, slow ones in two threads, and a proven one from memory.

Never stores or shows a key: memory holds an HMAC of it under a secret of this process. Before it: `admission`, with a
password that a handshake presents. Beside it: `auth`, which knows how a credential is made.
"""

from __future__ import annotations

import asyncio
import hmac
import secrets
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor

from csms.auth import matches, new_credential
from csms.events import StationId
from csms.records import Credential, StationRecord

_THREADS = 2
"""A slow check takes 60 ms of a processor and 16 MiB: a storm of stations with short keys waits here, the loop not."""


class KeyCheck:
    """Tells which credential of a station a password is; remembers at most `capacity` stations' answers."""

    def __init__(self, pepper: bytes, *, capacity: int = 10_000) -> None:
        self._pepper = pepper
        self._capacity = capacity
        self._secret = secrets.token_bytes(32)
        self._known: OrderedDict[StationId, tuple[Credential, bytes]] = OrderedDict()
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="slow-keys")
        self._nobody = new_credential(pepper, secrets.token_bytes(32))

    def __len__(self) -> int:
        return len(self._known)

    async def proves(self, record: StationRecord, password: bytes) -> Credential | None:
        """Return which of the station's credentials the password matches, present, pending or sent earlier; or None."""
        for credential in (record.credential, record.pending, *record.earlier):
            if credential is not None and await self._matches(record.station, credential, password):
                return credential
        return None

    def pretend(self, password: bytes) -> None:
        """Take the time that a quick check takes, for a station that does not exist."""
        matches(self._nobody, self._pepper, password)

    def close(self) -> None:
        """End the threads; what still waits for them is given up."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def _matches(self, station: StationId, credential: Credential, password: bytes) -> bool:
        if not credential.slow:
            return matches(credential, self._pepper, password)
        mark = hmac.digest(self._secret, password, "sha256")
        # The whole credential is compared: a changed one, salt or digest, has to be proved anew.
        match self._known.get(station):
            case (known, proven) if known == credential and hmac.compare_digest(proven, mark):
                self._known.move_to_end(station)
                return True
        found = await asyncio.get_running_loop().run_in_executor(
            self._pool, matches, credential, self._pepper, password
        )
        if found:
            self._remember(station, credential, mark)
        return found

    def _remember(self, station: StationId, credential: Credential, mark: bytes) -> None:
        self._known[station] = (credential, mark)
        self._known.move_to_end(station)
        if len(self._known) > self._capacity:
            self._known.popitem(last=False)
