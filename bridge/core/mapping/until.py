"""Write until when a word holds into the value that a delivery wants, for a hub that can be told so.

The end is part of the value: another end is another value, and is sent. Never decides whether there is one: that is
`bridge.core.foreseen`. Before it: `derive`. After it: `bridge.upstreams.chargeprice`, and whatever shows a value.

Source: Chargeprice API, charge point status (draft), attribute `valid_until`: milliseconds since 1970.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

BACK_TO: Final = "available"
"""What Chargeprice turns a charge point to when `valid_until` passes."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MARK: Final = " until "
"""No hub's word has a space."""


def pack(word: str, end: datetime) -> str:
    """Return the value "word until milliseconds": the hub's word holds until `end` (wall time)."""
    return f"{word}{_MARK}{(end - _EPOCH) // timedelta(milliseconds=1)}"


def unpack(value: str) -> tuple[str, int | None]:
    """Return the hub's word, and until when it holds in milliseconds since 1970; None: until the next one."""
    word, _, millis = value.partition(_MARK)
    return word, int(millis) if millis else None


def shown(value: str) -> str:
    """Return the value as operators read it: "maintainance until 2020-02-28 14:08:28 UTC"."""
    word, millis = unpack(value)
    if millis is None:
        return word
    return f"{word}{_MARK}{_EPOCH + timedelta(milliseconds=millis):%Y-%m-%d %H:%M:%S} UTC"
