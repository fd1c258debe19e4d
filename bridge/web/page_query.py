"""Read which page of a list a request asks for. Before it: routes that describe `PAGE`. After it: `paging`."""

from __future__ import annotations

from aiohttp import web

from bridge.web.page import DEFAULT_LIMIT, LARGEST_LIMIT, Page
from bridge.web.queries import text, whole
from bridge.web.route_table import Parameter

PAGE = (
    Parameter("limit", f"How many at most; {DEFAULT_LIMIT} where it is not given.", "integer", 1, LARGEST_LIMIT),
    Parameter("cursor", "The `next_cursor` of the page before."),
)


def page_of(request: web.Request) -> Page:
    """Return the page that a request asks for."""
    return Page(whole(request, "limit") or DEFAULT_LIMIT, text(request, "cursor"))
