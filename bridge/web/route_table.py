"""Describe each request that we answer, once: what it takes and gives, and whose role is enough.

Never handles one. From these tables come the router, the check of roles and the OpenAPI document, so that none of them
can know a request that the others do not. Before it: each `…_routes`. After it: `routes`, `openapi`.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Literal, Protocol

from aiohttp import web
from multidict import MultiMapping
from pydantic import BaseModel

from bridge.core.roles import Role
from bridge.web.principals import PRINCIPAL, Principal
from bridge.web.queries import QUERY, read_query
from bridge.web.repeats import carried_out_once

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
_PATTERN = re.compile(r"\{(\w+):(?:[^{}]|\{[^{}]*\})*\}")


@dataclass(frozen=True, slots=True)
class Parameter:
    """One member of the query or of the path."""

    name: str
    about: str
    kind: Literal["string", "integer", "boolean", "moment"] = "string"
    least: int | None = None
    most: int | None = None
    choices: tuple[str, ...] = ()
    repeated: bool = False
    """It may be given several times: any of the values."""


@dataclass(frozen=True, slots=True)
class Route:
    """One request."""

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
    path: str
    """As aiohttp writes it: {id}, or {id:PATTERN}."""
    handler: Handler
    role: Role | None
    """The least role that is let in; None: everybody, without a key."""
    about: str
    """One imperative sentence."""
    tag: str
    """The heading that it is found under."""
    gives: type[BaseModel] | None = None
    """The answer's body; None: none, or none of JSON."""
    media: str = "application/json"
    """Of the answer's body."""
    takes: type[BaseModel] | None = None
    """The request's body."""
    empty: bool = False
    """The body may be left out."""
    status: int = 200
    query: tuple[Parameter, ...] = ()
    fails: tuple[int, ...] = ()
    """The failures of its own, beside those that every request may have."""
    page: bool = False
    """It is a page for people: who has no key is led to the one where they give it."""
    described: bool = True
    """It stands in the OpenAPI document."""
    also: tuple[int, ...] = ()
    """Other statuses with the same answer, which are no problems: a report that something is not well."""
    in_path: tuple[Parameter, ...] = ()
    """What the path's names mean, where they do not say so themselves."""
    or_media: tuple[str, ...] = ()
    """Other types that the answer's body may have."""
    tagged: bool = False
    """The answer has an ETag."""
    guarded: bool = False
    """If-Match is needed: the ETag of what is to be changed."""
    secret: bool = False
    """The answer may hold a key: it is kept nowhere, not even for the same order again."""
    foreign: bool = False
    """The contract is another's: its handler reads the query itself, and lets pass what it does not know."""
    scoped: bool = False
    """Keys that are bound to operators may use it: it shows and changes only their EVSEs (see `scope`)."""

    @property
    def template(self) -> str:
        """The path as OpenAPI writes it: without patterns."""
        return _PATTERN.sub(r"{\1}", self.path)


ROUTES = web.AppKey("routes", dict[tuple[str, str], Route])
"""What the application answers, by method and template."""


class Routes(Protocol):
    """A table of requests."""

    def routes(self) -> Iterable[Route]:
        """Return every request of this table."""
        ...


def add_routes(app: web.Application, routes: Iterable[Route]) -> None:
    """Let the application answer these requests, each only to a role that is enough."""
    known = app.setdefault(ROUTES, {})
    for route in routes:
        known[route.method, route.template] = route
        if route.method == "GET":
            app.router.add_get(route.path, _guarded(route))  # and HEAD
        else:
            app.router.add_route(route.method, route.path, _guarded(route))


def route_of(request: web.Request) -> Route | None:
    """Return what a request asks for; None: we have no such path, or not with this method."""
    resource = request.match_info.route.resource
    if resource is None:
        return None
    method = "GET" if request.method == "HEAD" else request.method
    return request.app[ROUTES].get((method, resource.canonical))


def _guarded(route: Route) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        if route.role is not None:
            _check_principal(request[PRINCIPAL], route.role, route)
        request[QUERY] = {} if route.foreign else read_query(route.query, _asked(route, request.query))
        if route.method == "POST" and not route.page and route.role is not None:
            return await carried_out_once(route, request)
        return await route.handler(request)

    return handle


def _check_principal(principal: Principal, needed: Role, route: Route) -> None:
    if not principal.role.may(needed):
        raise web.HTTPForbidden(
            text=f"the role {needed} is needed for this, and the key {principal.name!r} has {principal.role}"
        )
    if principal.operators is not None and not route.scoped:
        raise web.HTTPForbidden(
            text=f"this is about all operators, and the key {principal.name!r} is bound to "
            f"{', '.join(sorted(principal.operators))}"
        )


def _asked(route: Route, query: MultiMapping[str]) -> Iterable[tuple[str, str]]:
    """Return what is to be read; an address of a page may carry anything else, and a form's empty fields, too."""
    known = {parameter.name for parameter in route.query}
    return [(name, text) for name, text in query.items() if not route.page or (text and name in known)]
