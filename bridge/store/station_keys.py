"""State what the store needs to keep a station's key without keeping it.

Holds no implementation: that is `csms.auth.StationKeys`, which `bridge.app` hands to every order that needs it.
"""

from __future__ import annotations

from typing import Protocol

from csms.records import Credential


class StationKeys(Protocol):
    """Makes and compares credentials."""

    def new(self, key: bytes) -> Credential:
        """Return a credential for the key, with a fresh salt; slow (scrypt) where the key is shorter than 16 bytes."""
        ...

    def proves(self, key: bytes, credential: Credential) -> bool:
        """Tell whether the credential was made from exactly this key."""
        ...
