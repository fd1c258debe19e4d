"""Name what only the command line can fail of: the bridge that it wants to ask.

ServiceError
├── Unreachable      nobody answers, or nobody who knows our token
├── Misdirected      it is not said well which bridge is to be asked, or with which key
├── Unexpected       the answer is not understood, or the token is refused
├── StoreUnusable    the bridge is stopped, and its store cannot be opened
└── NotFound
    └── Missing      a running bridge says in its own words what it has not
"""

from __future__ import annotations

from bridge.web.services import NotFound, ServiceError


class Unreachable(ServiceError):
    """The bridge does not answer."""


class Misdirected(ServiceError):
    """It is not said well which bridge is to be asked, or with which key."""


class Unexpected(ServiceError):
    """The bridge answered something that this release does not understand, or refused the token."""


class StoreUnusable(ServiceError):
    """The bridge is stopped, and its store cannot be opened."""


class Missing(NotFound):
    """A running bridge has nothing of this name; the text is the bridge's."""

    def __init__(self, text: str) -> None:
        super().__init__("", text)

    def __str__(self) -> str:
        """Return the text for the operator."""
        return self.name
