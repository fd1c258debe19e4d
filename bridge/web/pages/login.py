"""Show the page where somebody gives a key; `POST /session` takes it.

Never sees a key. Before it: the redirect of whoever has none. After it: `sessions`.
"""

from __future__ import annotations

from collections.abc import Iterable

from aiohttp import web

from bridge.web.pages.rendering import Pages
from bridge.web.route_table import Route
from bridge.web.sessions import LOGIN_PATH, local_path


class LoginPages:
    """The table of these pages."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    def routes(self) -> Iterable[Route]:
        """Return every request of this table."""
        yield Route(
            "GET",
            LOGIN_PATH,
            self.login,
            None,
            "Show where to log in.",
            "pages",
            media="text/html",
            page=True,
            described=False,
        )

    async def login(self, request: web.Request) -> web.Response:
        """`next` is the path to return to, `failed` says that the last key was refused, `wait` for how many seconds.

        `ended` says that somebody was logged in until just now.
        """
        wait = request.query.get("wait", "")
        return self._pages.render(
            request,
            "login.html",
            next=local_path(request.query.get("next", "/")),
            failed="failed" in request.query,
            ended="ended" in request.query,
            wait=int(wait) if wait.isascii() and wait.isdigit() and len(wait) < 6 else None,
        )
