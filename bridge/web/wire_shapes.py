"""Shape what the REST interface says of the wire log; a line of it is also a line of `station log --json`."""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime

from bridge.web.shapes import Shape


class WireLine(Shape):
    """One frame, or what happened to a connection."""

    id: int
    at: AwareDatetime
    """When it was read or written by the bridge."""
    station: str
    epoch: int
    """Number of the station's connection."""
    direction: Literal["from_station", "to_station", "opened", "closed"]
    text: str
    """The frame, secrets and idTags masked; of a connection its version and peer, or its close code and reason."""
    size: int
    """Bytes on the wire."""
    cut: bool
    """The text is only the frame's beginning."""


class WireLines(Shape):
    """Lines of one station, the oldest first."""

    items: tuple[WireLine, ...]
    cursor: int | None
    """`after` for the next question; null while there is no line."""
