"""Describe pages and the forms on them as requests, each in one line.

Never handles one. Before it: `hubs`, `stations`, `temporary`, `quarantine`, `plots`. After it: `route_table`.
"""

from __future__ import annotations

from bridge.core.roles import Role
from bridge.web.route_table import Handler, Route


def shown(path: str, handler: Handler, about: str, role: Role = Role.VIEWER) -> Route:
    """Return a page."""
    return Route("GET", path, handler, role, about, "pages", media="text/html", page=True, described=False)


def sent(path: str, handler: Handler, about: str, role: Role) -> Route:
    """Return what a form sends: it answers 303 to a page, or the form again with what is wrong."""
    return Route("POST", path, handler, role, about, "pages", media="text/html", page=True, described=False)
