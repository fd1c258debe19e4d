"""State which part of a list is asked for. Before it: `page_query`. After it: services, which cut by `paging`."""

from __future__ import annotations

from dataclasses import dataclass

DEFAULT_LIMIT = 100
LARGEST_LIMIT = 1000


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of a list is asked for."""

    limit: int = DEFAULT_LIMIT
    cursor: str | None = None
    """`next_cursor` of the page before; None: from the beginning."""
