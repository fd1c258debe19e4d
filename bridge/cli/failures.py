"""Name what only the command line can fail of: the bridge that it wants to ask.

ServiceError
├── Unreachable      nobody answers, or nobody who knows our token
├── Unexpected       the answer is not understood, or the token is refused
└── StoreUnusable    the bridge is stopped, and its store cannot be opened
"""

from __future__ import annotations

from bridge.web.services import ServiceError


class Unreachable(ServiceError):
    """The bridge does not answer."""


class Unexpected(ServiceError):
    """The bridge answered something that this release does not understand, or refused the token."""


class StoreUnusable(ServiceError):
    """The bridge is stopped, and its store cannot be opened."""
