"""Shape what the REST interface says and takes about fullLoads."""

from __future__ import annotations

from typing import Literal

from bridge.web.shapes import Shape

Scope = Literal["statuses", "data"]


class FullLoadRequest(Shape):
    """Body of POST …/full-load."""

    scope: Scope = "statuses"
    confirm: bool = False
    """Send it although it would replace most of what the hub has by little or nothing."""


class FullLoadItem(Shape):
    """What a fullLoad changes at the hub, against what the hub acknowledged; each list has EVSE ids in their order."""

    name: str
    scope: Scope
    new: tuple[str, ...]
    """The hub has acknowledged nothing of them."""
    changed: tuple[str, ...]
    same: tuple[str, ...]
    withdrawn: tuple[str, ...]
    """Not in the inventory, or not listed, any more."""
    refused: tuple[str, ...]
    """Left out, since the hub refuses them: what it may have of them is withdrawn."""
    foreign: tuple[str, ...]
    """Left out, since their ids are of another operator."""
    waiting: tuple[str, ...]
    """Left out until the hub has their data."""
    held_back: str | None
    """Why it needs a confirmation; null: it does not."""
    ordered: bool = False
