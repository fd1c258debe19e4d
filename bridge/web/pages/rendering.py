"""Render pages: one environment, what every page knows, and the headers that keep a page harmless.

Never marks a text as safe: whatever a station or a hub said is shown as text. A name that a template does not get is an
error, not an empty place. Before it: each table of pages. After it: `templates`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import version as installed
from pathlib import Path
from urllib.parse import quote

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context

from bridge.core.reasons import beside
from bridge.core.roles import Role
from bridge.web.assets import asset_url
from bridge.web.pages import words
from bridge.web.pages.notices import notice_of, take_notice
from bridge.web.pages.parked_words import what_to_do
from bridge.web.principals import PRINCIPAL, Principal
from bridge.web.sessions import CSRF

_TEMPLATES = Path(__file__).parents[1] / "templates"
POLICY = "; ".join(
    (
        "default-src 'self'",
        "img-src 'self' data:",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
"""Content-Security-Policy, level 3: no script and no style stands in a page, and nothing comes from elsewhere."""


@dataclass(frozen=True, slots=True)
class Place:
    """An entry of the navigation."""

    key: str
    path: str
    label: str


NAVIGATION = (
    Place("evses", "/", "EVSEs"),
    Place("stations", "/stations", "Stations"),
    Place("hubs", "/hubs", "Hubs"),
    Place("temporary", "/temporary", "Temporary"),
    Place("deliveries", "/deliveries", "Deliveries"),
    Place("quarantine", "/quarantine", "Quarantine"),
    Place("plots", "/plots", "Plots"),
)


def _wall() -> datetime:
    return datetime.now(UTC)


class Pages:
    """What pages are rendered with. One for the application."""

    def __init__(self, clock: Callable[[], datetime] = _wall) -> None:
        """`clock` gives the wall time that ages are counted from."""
        self.clock = clock
        self._version = installed("ocpp-bridge")
        self._environment = _environment()
        self._compiling: asyncio.Future[None] | None = None

    async def compiled(self) -> None:
        """Wait until every template is compiled: once, in a thread, when somebody is about to look at the first page.

        All of them take half a second; on the event loop each would keep stations waiting for up to 70 ms. A bridge at
        which nobody looks never takes that time.
        """
        if self._compiling is None:
            self._compiling = asyncio.ensure_future(asyncio.to_thread(_compile, self._environment))
        await asyncio.shield(self._compiling)

    def render(
        self, request: web.Request, template: str, *, place: str = "", code: int = 200, **context: object
    ) -> web.Response:
        """Return a page; `place` is the key of its entry in the navigation."""
        principal = request.get(PRINCIPAL)
        text = self._environment.get_template(template).render(
            now=self.clock(),
            version=self._version,
            navigation=NAVIGATION,
            place=place,
            principal=principal,
            may=_rights(principal),
            csrf=request.get(CSRF, ""),
            notice=notice_of(request),
            here=request.rel_url,
            **context,
        )
        response = self.again(text.encode(), code)
        take_notice(request, response)
        return response

    def again(self, body: bytes, code: int = 200) -> web.Response:
        """Return a page that was rendered before: one on which nothing depends on who asks."""
        headers = {"Content-Security-Policy": POLICY}
        return web.Response(status=code, body=body, content_type="text/html", charset="utf-8", headers=headers)


def updates_itself(request: web.Request) -> bool:
    """Tell whether a window asks that keeps itself up to date, and no person waits (`static/live.js`)."""
    return request.headers.get("X-Live") == "1"


@dataclass(frozen=True, slots=True)
class Rights:
    """What whoever looks may do: a page shows no button that would be refused."""

    operate: bool
    administer: bool


def _rights(principal: Principal | None) -> Rights:
    if principal is None:
        return Rights(operate=False, administer=False)
    return Rights(principal.role.may(Role.OPERATOR), principal.role.may(Role.ADMIN))


def segment(text: object) -> str:
    """Return a text as one segment of a path or value of a query."""
    return quote(str(text), safe="*")


@pass_context
def _age(context: Context, moment: datetime) -> str:
    return words.age(moment, context["now"])


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.globals["asset"] = asset_url
    environment.filters.update(
        age=_age,
        duration=words.duration,
        rfc3339=words.rfc3339,
        spelled=words.spelled,
        number=words.number,
        hub_says=words.hub_says,
        beside=beside,
        what_to_do=what_to_do,
        segment=segment,
    )
    return environment


def _compile(environment: Environment) -> None:
    for name in environment.list_templates():
        environment.get_template(name)
