"""Carry what an order said to the page that it leads to, once.

Never holds markup or a secret: it is text, shown as text. An order answers 303, so that going back or reloading does
not repeat it; the browser keeps the notice meanwhile, in a cookie that lives for a minute.
"""

from __future__ import annotations

from urllib.parse import quote, unquote

from aiohttp import web

_COOKIE = "ocpp_bridge_notice"
_LONGEST = 300


def see_other(path: str, notice: str = "") -> web.Response:
    """Return a 303 to a path of ours, where `notice` is shown. Source: RFC 9110 §15.4.4 (303)."""
    if not path.startswith("/") or path.startswith("//"):
        raise AssertionError(f"{path[:256]!r} is no path of ours")
    response = web.Response(status=303, headers={"Location": path})
    if notice:
        response.set_cookie(
            _COOKIE, quote(notice[:_LONGEST], safe=""), max_age=60, httponly=True, samesite="Strict", path="/"
        )
    return response


def take_notice(request: web.Request, response: web.Response) -> None:
    """Forget the notice: it is on this page."""
    if _COOKIE in request.cookies:
        response.del_cookie(_COOKIE, path="/")


def notice_of(request: web.Request) -> str:
    """Return what is to be shown; empty: nothing."""
    return unquote(request.cookies.get(_COOKIE, ""))[:_LONGEST]
