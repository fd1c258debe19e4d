"""Answer questions about a running fleet over HTTP on loopback, bring it to rest, cut it off, leave it half open.

For demos and tests. Never changes what stations say. Before it: `fleet`. It has no authentication and binds to
127.0.0.1 only.
"""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from aiohttp import web

from simulators.fleet.fleet import Fleet
from simulators.fleet.layout import STATION_LEVEL, Address, StationSpec
from simulators.fleet.station import Station

_FLEET = web.AppKey("fleet", Fleet)
_REST_TIMEOUT_S = 30.0
_REST_TIMEOUT_LIMIT_S = 300.0
_LOSS_S = 60.0
_LOSS_LIMIT_S = 86_400


def control_app(fleet: Fleet) -> web.Application:
    """Return the control application of one fleet.

    GET /summary, /journal, /expected; POST /rest (?timeout_s=, 200 when settled, 504 with the restless), /resume,
    /half-open (?share=, of the stations that are connected; those that left their connection open), and /lose (?share=
    and ?seconds=, in the stations' own time; those that lost the network).
    """
    app = web.Application()
    app[_FLEET] = fleet
    app.add_routes(
        [
            web.get("/summary", _summary),
            web.get("/journal", _journal),
            web.get("/expected", _expected),
            web.post("/rest", _rest),
            web.post("/resume", _resume),
            web.post("/half-open", _half_open),
            web.post("/lose", _lose),
        ]
    )
    return app


async def _summary(request: web.Request) -> web.Response:
    return web.json_response(request.app[_FLEET].summary_payload())


async def _journal(request: web.Request) -> web.Response:
    fleet = request.app[_FLEET]
    return web.json_response(
        {
            "reports": fleet.journal.count,
            "answered": fleet.journal.answered,
            "stations": [_station_view(fleet, station) for station in fleet.stations],
        }
    )


async def _expected(request: web.Request) -> web.Response:
    return web.json_response({"evses": [asdict(word) for word in request.app[_FLEET].expected()]})


async def _rest(request: web.Request) -> web.Response:
    try:
        wanted = float(request.query.get("timeout_s", _REST_TIMEOUT_S))
    except ValueError:
        raise web.HTTPBadRequest(text="timeout_s must be a number of seconds") from None
    fleet = request.app[_FLEET]
    timeout = timedelta(seconds=min(max(wanted, 0.0), _REST_TIMEOUT_LIMIT_S))
    restless = await asyncio.shield(asyncio.create_task(fleet.rest(timeout), name="rest"))
    body = {"stations": len(fleet.stations), "restless": list(restless)}
    return web.json_response(body, status=504 if restless else 200)


async def _resume(request: web.Request) -> web.Response:
    request.app[_FLEET].resume()
    return web.json_response({"stations": len(request.app[_FLEET].stations)})


async def _half_open(request: web.Request) -> web.Response:
    share = _number(request, "share", 1.0, most=1)
    return web.json_response({"stations": list(request.app[_FLEET].leave_open(share))})


async def _lose(request: web.Request) -> web.Response:
    share = _number(request, "share", 1.0, most=1)
    lasting = timedelta(seconds=_number(request, "seconds", _LOSS_S, most=_LOSS_LIMIT_S))
    return web.json_response({"stations": list(request.app[_FLEET].lose_network(share, lasting))})


def _number(request: web.Request, name: str, default: float, *, most: int) -> float:
    try:
        given = float(request.query.get(name, default))
    except ValueError:
        given = -1.0
    if not 0 <= given <= most:
        raise web.HTTPBadRequest(text=f"{name} must be a number from 0 to {most}")
    return given


def _station_view(fleet: Fleet, station: Station) -> dict[str, Any]:
    spec = station.spec
    return {
        "station": spec.station,
        "version": spec.version.value,
        "security": spec.security,
        "quirks": sorted(spec.quirks),
        "connected": station.connected,
        "station_level": _line(fleet, spec, STATION_LEVEL) if STATION_LEVEL in spec.reported else None,
        "evses": [
            {"evse_id": evse.evse_id, "connectors": [_line(fleet, spec, address) for address in evse.connectors]}
            for evse in spec.evses
        ],
    }


def _line(fleet: Fleet, spec: StationSpec, address: Address) -> dict[str, Any]:
    last = fleet.journal.last(spec.station, address)
    answered = fleet.journal.last_answered(spec.station, address)
    return {
        "evse": address.evse,
        "connector": address.connector,
        "reported": last.status if last else None,
        "reported_n": last.n if last else None,
        "reported_at": last.at if last else None,
        "answered": answered.status if answered else None,
        "answered_n": answered.n if answered else None,
        "answered_at": answered.at if answered else None,
    }
