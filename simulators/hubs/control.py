"""Let tests, demos and people ask the mock hubs what they hold, and switch faults on and off, over HTTP.

A port of its own, so that it answers also while a hub is down. Before it: whoever asks. After it: `server`, `ledger`.

    GET    /control                              the hubs and their addresses
    GET    /control/{hub}/state                  {EVSE: status}; Hubject by EvseID, Chargeprice by "station/point"
    GET    /control/{hub}/documents/{kind}       {key: what the hub holds besides statuses}
    GET    /control/{hub}/journal?after=N&limit= requests, oldest first
    GET    /control/{hub}/violations             rules that were broken
    GET    /control/{hub}/summary                counts
    GET    /control/{hub}/faults                 faults that are on
    POST   /control/{hub}/faults                 a `faults.FaultSpec` → {"id": ...}
    DELETE /control/{hub}/faults[/{id}]          one fault off, or all
    GET    /control/{hub}/options                what the hub knows: operators, keys, EVSEs
    PATCH  /control/{hub}/options                change some of it
    GET    /control/{hub}/certificates           what a hub with TLS issued, and what it takes
    POST   /control/{hub}/certificates           a `certificates.CertificateOrder`: issue, revoke, renew
    POST   /control/{hub}/reset                  forget state, journal, violations and faults
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping

from aiohttp import web
from aiohttp.typedefs import Handler
from pydantic import ValidationError

from simulators.hubs.certificates import Authority, CertificateOrder
from simulators.hubs.faults import FaultSpec
from simulators.hubs.server import HubServer


class Control:
    """The control interface over some hubs, by name."""

    def __init__(self, hubs: Mapping[str, HubServer]) -> None:
        self._hubs = hubs

    def application(self) -> web.Application:
        """Return the web application."""
        application = web.Application(middlewares=[_errors_as_json])
        application.add_routes(
            [
                web.get("/control", self._list),
                web.get("/control/{hub}/state", self._state),
                web.get("/control/{hub}/documents/{kind}", self._documents),
                web.get("/control/{hub}/journal", self._journal),
                web.get("/control/{hub}/violations", self._violations),
                web.get("/control/{hub}/summary", self._summary),
                web.get("/control/{hub}/faults", self._faults),
                web.post("/control/{hub}/faults", self._add_fault),
                web.delete("/control/{hub}/faults", self._clear_faults),
                web.delete("/control/{hub}/faults/{id}", self._remove_fault),
                web.get("/control/{hub}/options", self._options),
                web.patch("/control/{hub}/options", self._configure),
                web.get("/control/{hub}/certificates", self._certificates),
                web.post("/control/{hub}/certificates", self._order_certificates),
                web.post("/control/{hub}/reset", self._reset),
            ]
        )
        return application

    def _hub(self, request: web.Request) -> HubServer:
        name = request.match_info["hub"]
        if name not in self._hubs:
            raise web.HTTPNotFound(text=f"no hub {name!r}; there are {', '.join(self._hubs)}")
        return self._hubs[name]

    async def _list(self, _request: web.Request) -> web.Response:
        return web.json_response({name: {"url": server.url} for name, server in self._hubs.items()})

    async def _state(self, request: web.Request) -> web.Response:
        return web.json_response(self._hub(request).ledger.state(time.time()))

    async def _documents(self, request: web.Request) -> web.Response:
        return web.json_response(self._hub(request).ledger.documents(request.match_info["kind"]))

    async def _journal(self, request: web.Request) -> web.Response:
        after, limit = (_number(request, name, default) for name, default in (("after", 0), ("limit", 1000)))
        return web.json_response(self._hub(request).ledger.journal(after, limit))

    async def _violations(self, request: web.Request) -> web.Response:
        return web.json_response(self._hub(request).ledger.violations())

    async def _summary(self, request: web.Request) -> web.Response:
        return web.json_response(self._hub(request).ledger.summary())

    async def _faults(self, request: web.Request) -> web.Response:
        present = self._hub(request).faults.present(time.time())
        return web.json_response({fault_id: spec.model_dump(mode="json") for fault_id, spec in present.items()})

    async def _add_fault(self, request: web.Request) -> web.Response:
        server = self._hub(request)
        spec = FaultSpec.model_validate_json(await request.read())
        if (why := server.hub.check_fault(spec)) is not None:
            raise web.HTTPBadRequest(text=why)
        return web.json_response({"id": await server.script(spec)}, status=201)

    async def _clear_faults(self, request: web.Request) -> web.Response:
        server = self._hub(request)
        server.faults.clear()
        await server.follow_down()
        return web.Response(status=204)

    async def _remove_fault(self, request: web.Request) -> web.Response:
        server = self._hub(request)
        if not server.faults.remove(request.match_info["id"]):
            raise web.HTTPNotFound(text="no such fault: it was removed, or it is over")
        await server.follow_down()
        return web.Response(status=204)

    async def _options(self, request: web.Request) -> web.Response:
        return web.json_response(self._hub(request).hub.options().model_dump(mode="json"))

    async def _configure(self, request: web.Request) -> web.Response:
        changes = json.loads(await request.read())
        if not isinstance(changes, dict):
            raise web.HTTPBadRequest(text="options must be an object")
        return web.json_response(self._hub(request).hub.configure(changes).model_dump(mode="json"))

    async def _certificates(self, request: web.Request) -> web.Response:
        return web.json_response(self._authority(request).status())

    async def _order_certificates(self, request: web.Request) -> web.Response:
        authority = self._authority(request)
        order = CertificateOrder.model_validate_json(await request.read())
        try:
            return web.json_response(authority.obey(order))
        except ValueError as error:
            raise web.HTTPBadRequest(text=str(error)) from error

    def _authority(self, request: web.Request) -> Authority:
        authority = self._hub(request).authority
        if authority is None:
            raise web.HTTPNotFound(text="this hub speaks no TLS: start it with --tls")
        return authority

    async def _reset(self, request: web.Request) -> web.Response:
        server = self._hub(request)
        server.ledger.reset()
        return await self._clear_faults(request)


@web.middleware
async def _errors_as_json(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        response: web.StreamResponse = await handler(request)
    except ValidationError as error:
        return web.json_response({"error": json.loads(error.json(include_url=False))}, status=400)
    except json.JSONDecodeError as error:
        return web.json_response({"error": f"not JSON: {error}"}, status=400)
    except web.HTTPError as error:
        return web.json_response({"error": error.text}, status=error.status)
    return response


def _number(request: web.Request, name: str, default: int) -> int:
    text = request.query.get(name, str(default))
    if not text.isascii() or not text.isdigit():
        raise web.HTTPBadRequest(text=f"{name} must be a whole number, not {text!r}")
    return int(text)
