"""State what the pages need of the bridge beyond what the command line asks: everything at a glance, in one moment.

Holds no implementation; `bridge.app` supplies one over the open store. Only pages ask for it: the command line has the
questions of `services`, and its client none of these.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from bridge.web.services import WebServices


class OverviewServices(Protocol):
    """Every method may raise Unavailable."""

    async def statuses(self) -> Sequence[tuple[str, str]]:
        """Return the id and the effective status of every EVSE, in the order of the ids."""
        ...


class PageServices(WebServices, Protocol):
    """What the web application asks for: what the command line does, and what its pages show besides."""

    @property
    def overviews(self) -> OverviewServices:
        """Everything at a glance."""
        ...
