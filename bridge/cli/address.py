"""Say where a running bridge is asked, with which key, and what is wrong where that key is not taken. Pure.

Never shows a key. Before it: `session`, for a bridge of this machine, and `elsewhere`. After it: `client`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from bridge.cli.printable import harmless

_LONGEST = 256
_OURS = frozenset({"application/json", "application/problem+json", "text/csv", "text/event-stream"})


@dataclass(frozen=True, slots=True)
class Address:
    """A bridge that can be asked."""

    url: str
    """Without a slash at its end."""
    key: str = field(repr=False)
    refused: str = "the bridge refuses the token in the file admin-token: is the state folder its own?"
    """What to say where the bridge does not take the key."""

    @property
    def headers(self) -> dict[str, str]:
        """What every request carries; nothing without a key."""
        return {"Authorization": f"Bearer {self.key}"} if self.key else {}

    def stranger(self, status: int, media: str, leads_to: str | None) -> str | None:
        """Return what is wrong with an answer that is of no kind that a bridge gives; None: nothing is.

        Args:
            status: HTTP status.
            media: Media type, without parameters.
            leads_to: The header Location.
        """
        if media in _OURS and leads_to is None:
            return None
        to = "" if leads_to is None else f", which leads to {harmless(leads_to[:_LONGEST])}"
        said = f"it answers {status} with {harmless(media[:_LONGEST]) or 'nothing'}{to}"
        return f"there is no bridge at {self.url}: {said}; is the address right, and does the bridge run there?"
