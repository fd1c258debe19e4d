"""Say what an operators' key looks like, what is kept of it, and what it may be called.

Pure: the randomness is an argument. Never stores or shows one. Before it: an order to make a key, or a request that
shows one. After it: `store.api_keys`.
"""

from __future__ import annotations

import hashlib
import re
from base64 import urlsafe_b64encode
from datetime import datetime

PREFIX = "ocppb_"
"""Shows whoever finds a key, a secret scanner for example, what it opens."""
KEY_BYTES = 32
TOKEN_NAME = "admin"  # noqa: S105 - a name
"""What orders of the admin token are stored under: no key may be called so."""
_NAME = re.compile(r"(?!\d+$)\w[\w .@:+-]{0,62}[\w.@:+-]|(?!\d)\w", re.ASCII)
NAME_WANTED = (
    f"should be 1 to 64 letters, digits, spaces and . _ - @ : +, not digits alone, and not {TOKEN_NAME!r}, "
    "which is the admin token's"
)


def spelled(random: bytes) -> str:
    """Return the key that is made of these random bytes."""
    if len(random) != KEY_BYTES:
        raise AssertionError(f"a key is made of {KEY_BYTES} bytes")
    return PREFIX + urlsafe_b64encode(random).decode("ascii").rstrip("=")


def digest_of(key: str) -> str:
    """Return what is kept of a key: its SHA-256, hex. A key has 256 random bits: no salt, no slow hash is needed."""
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()


def may_be_called(name: str) -> bool:
    """Tell whether a key may have this name."""
    return _NAME.fullmatch(name) is not None and name.casefold() != TOKEN_NAME


def is_over(expires_at: datetime | None, now: datetime) -> bool:
    """Tell whether a key that expires then has expired."""
    return expires_at is not None and expires_at <= now
