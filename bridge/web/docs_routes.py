"""Serve the OpenAPI document, and a page that shows it and tries it out, without any other host.

Both are open: they hold nothing of an installation. A key that is typed into the page stays in it. Before it: browsers,
generators of clients. After it: `openapi`, `assets`.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from functools import cache
from importlib.metadata import version
from typing import Any

from aiohttp import web
from pydantic import RootModel

from bridge.web.assets import asset_url
from bridge.web.openapi import document
from bridge.web.route_table import ROUTES, Route

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
        "form-action 'none'",
    )
)
"""Swagger UI's style sheet has its pictures as data; it sets styles by script, which needs no exception."""


class AnyObject(RootModel[dict[str, Any]]):
    """A JSON object."""


class DocsRoutes:
    """The table of these routes."""

    def __init__(self) -> None:
        self._text: str | None = None

    def routes(self) -> Iterable[Route]:
        """Return every request of this table."""
        yield Route("GET", "/openapi.json", self.openapi, None, "Give this document.", "pages", gives=AnyObject)
        yield Route(
            "GET", "/docs", self.docs, None, "Show this document to people.", "pages", media="text/html", page=True
        )

    async def openapi(self, request: web.Request) -> web.Response:
        """Made at the first request, since the tables do not change, in a thread: it takes a tenth of a second."""
        if self._text is None:
            self._text = await asyncio.to_thread(_written, tuple(request.app[ROUTES].values()))
        return web.Response(text=self._text, content_type="application/json")

    async def docs(self, request: web.Request) -> web.Response:
        """Without a script or a style of its own in it."""
        return web.Response(text=_page(), content_type="text/html", headers={"Content-Security-Policy": POLICY})


def _written(routes: Iterable[Route]) -> str:
    return json.dumps(document(routes, version("ocpp-bridge")))


@cache
def _page() -> str:
    style, program = (f"vendor/swagger-ui/swagger-ui{end}" for end in (".css", "-bundle.js"))
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>ocpp-bridge: REST interface</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="{asset_url(style)}">
</head>
<body>
<div id="docs"><noscript>This page needs JavaScript; the document itself is at <a href="openapi.json">openapi.json</a>.
</noscript></div>
<script src="{asset_url(program)}"></script>
<script src="{asset_url("docs/start.js")}"></script>
</body>
</html>
"""
