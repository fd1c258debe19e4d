"""Keep the key of one station, over all of its connections, and take a new one from its server.

Pure; never shows a key. Before it: `station16` and `station2x`, which are told of a new key. After it: `handshakes`.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, field
from enum import Enum, auto

from simulators.fleet.layout import KEYED, StationSpec, Version
from simulators.fleet.quirks import Quirk

_HEX = re.compile(r"(?:[0-9A-Fa-f]{2}){16,20}")
"""Source: OCPP 1.6 Security Whitepaper §7.2, AuthorizationKey: 16 to 20 bytes as hexadecimal digits."""

_PASSWORD_LENGTHS = range(16, 41)
"""Characters. Source: OCPP 2.0.1 Part 2, A00.FR.205."""


class KeyChange(Enum):
    """What becomes of a new key at the station."""

    STORED = auto()
    REJECTED = auto()
    """It is no key."""
    CRASHED = auto()
    """It is stored, and the station restarts before it answers."""


@dataclass(slots=True)
class Credentials:
    """A station's key."""

    spec: StationSpec
    _key: bytes = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Begin with the key of the inventory."""
        text = self.spec.key
        self._key = bytes.fromhex(text) if Quirk.RAW_KEY in self.spec.quirks else text.encode()

    def header(self) -> str | None:
        """Return the Authorization header for a connection; None where the security profile has no key.

        Source: RFC 7617 §2; OCPP-J 1.6 §6.2.2; OCPP 2.0.1 Part 2, A00.FR.204.
        """
        if self.spec.security not in KEYED:
            return None
        pair = self.spec.station.encode() + b":" + self._key
        return "Basic " + base64.b64encode(pair).decode()

    def change(self, text: str) -> KeyChange:
        """Take a new key, for the connections from now on.

        In 1.6 it comes as hexadecimal digits and is used as the bytes that they stand for, but by stations that send
        the digits (`hex-key`). In 2.x it is used as it comes.
        """
        if self.spec.security not in KEYED or not self._is_key(text):
            return KeyChange.REJECTED
        if Quirk.FORGETS_KEY in self.spec.quirks:
            return KeyChange.STORED
        decoded = self.spec.version is Version.V16 and Quirk.HEX_KEY not in self.spec.quirks
        self._key = bytes.fromhex(text) if decoded else text.encode()
        return KeyChange.CRASHED if Quirk.CRASHES_AT_KEY in self.spec.quirks else KeyChange.STORED

    def _is_key(self, text: str) -> bool:
        if self.spec.version is Version.V16:
            return _HEX.fullmatch(text) is not None
        return len(text) in _PASSWORD_LENGTHS and ":" not in text
