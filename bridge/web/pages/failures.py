"""Show a failure as a page where a browser asked for one.

Never changes what failed or its status: it is the same problem that a program is told. Before it: `problems`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

from bridge.web.pages.rendering import Pages
from bridge.web.problem_shapes import Problem

if TYPE_CHECKING:
    from aiohttp.typedefs import Handler, Middleware

_OF_PROGRAMS = ("/api/", "/v2/")
_KEPT = ("Allow", "Retry-After", "WWW-Authenticate")


def failure_pages(pages: Pages) -> Middleware:
    """Return a middleware that shows problems as pages to whoever says `Accept: text/html`.

    Whoever does is about to look at a page, so that its template must be there.
    """

    @web.middleware
    async def show(request: web.Request, handler: Handler) -> web.StreamResponse:
        if _wants_page(request):
            await pages.compiled()
        response = await handler(request)
        if not (isinstance(response, web.Response) and _is_problem(response) and _wants_page(request)):
            return response
        problem = Problem.model_validate_json(response.text or "{}")
        page = pages.render(request, "failure.html", code=response.status, problem=problem)
        for name in _KEPT:
            if name in response.headers:
                page.headers[name] = response.headers[name]
        return page

    return show


def _is_problem(response: web.Response) -> bool:
    return response.content_type == "application/problem+json"


def _wants_page(request: web.Request) -> bool:
    return "text/html" in request.headers.get("Accept", "") and not request.path.startswith(_OF_PROGRAMS)
