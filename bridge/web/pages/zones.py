"""Know the time zone that whoever looks wants to see moments in, and write moments in it.

Pure but for the request's cookie. The browser tells its zone by a cookie that `operate.js` sets; an address may name
another one, which is then kept. Before it: pages with a calendar. After it: their templates.
"""

from __future__ import annotations

from datetime import date, datetime
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from aiohttp import web

COOKIE = "ocpp_bridge_zone"
UTC_NAME = "UTC"
_YEAR_S = 365 * 86400


@cache
def zone_names() -> tuple[str, ...]:
    """Return the zones that are offered: places, and UTC first."""
    places = sorted(name for name in available_timezones() if "/" in name and not name.startswith(("Etc/", "posix")))
    return (UTC_NAME, *places)


def zone_of(request: web.Request) -> str:
    """Return the name of the zone that the address or the cookie names; UTC where neither names one that there is."""
    for name in (request.query.get("zone", ""), request.cookies.get(COOKIE, "").replace("%2F", "/")):
        if name in zone_names():
            return name
    return UTC_NAME


def keep_zone(request: web.Request, response: web.StreamResponse) -> None:
    """Let the browser keep the zone that the address names."""
    name = request.query.get("zone", "")
    if name in zone_names():
        response.set_cookie(COOKIE, name, max_age=_YEAR_S, samesite="Strict", path="/")


def clock_time(moment: datetime, zone: ZoneInfo) -> str:
    """Return the time of day in a zone: "08:00"; with its seconds where it has some."""
    local = moment.astimezone(zone)
    return local.strftime("%H:%M:%S" if local.second else "%H:%M")


def in_words(moment: datetime, zone: ZoneInfo) -> str:
    """Return a moment in a zone with its offset: "Tue 1 Dec 2026 08:00 (UTC+01:00)"."""
    try:
        local = moment.astimezone(zone)
    except OverflowError:  # the last hours of the year 9999 have no local time
        local = moment
    offset = local.strftime("%z")
    return f"{day_in_words(local.date())} {clock_time(moment, zone)} (UTC{offset[:3]}:{offset[3:5]})"


def day_in_words(day: date) -> str:
    """Return a day: "Tue 1 Dec 2026"."""
    return f"{day:%a} {day.day} {day:%b %Y}"
