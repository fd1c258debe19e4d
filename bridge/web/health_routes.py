"""Route the questions of orchestrators, of Prometheus and of whoever looks how the bridge does.

Never decides. Before it: `auth`. After it: `services`, `metrics`.
"""

from __future__ import annotations

from collections.abc import Iterable

from aiohttp import web

from bridge.core.roles import Role
from bridge.web.bodies import answer
from bridge.web.health_shapes import Health, Liveness, Readiness, Status
from bridge.web.metrics import Metrics
from bridge.web.route_table import Route
from bridge.web.services import Unavailable, WebServices


class HealthRoutes:
    """The table of these routes."""

    def __init__(self, services: WebServices) -> None:
        self._services = services
        self._metrics = Metrics(services.meters)

    def routes(self) -> Iterable[Route]:
        """Return every request of this table."""
        yield Route("GET", "/livez", self.livez, None, "Tell that the process answers.", "health", gives=Liveness)
        yield Route(
            "GET",
            "/readyz",
            self.readyz,
            None,
            "Tell whether statuses are recorded.",
            "health",
            Readiness,
            also=(503,),
        )
        yield Route(
            "GET", "/healthz", self.healthz, Role.VIEWER, "Tell how each part does.", "health", Health, also=(503,)
        )
        yield Route(
            "GET", "/metrics", self.metrics, Role.VIEWER, "Give Prometheus its metrics.", "health", media="text/plain"
        )
        yield Route("GET", "/api/v1/status", self.status, Role.VIEWER, "Show the bridge at a glance.", "status", Status)

    async def livez(self, request: web.Request) -> web.Response:
        """The process answers."""
        return answer(Liveness(live=True))

    async def readyz(self, request: web.Request) -> web.Response:
        """Statuses can be recorded."""
        readiness = await self._services.ready()
        return answer(readiness, status=200 if readiness.ready else 503)

    async def healthz(self, request: web.Request) -> web.Response:
        """Each part by itself; only what makes the bridge unready is a 503."""
        health = await self._services.health()
        return answer(health, status=503 if health.status == "failed" else 200)

    async def metrics(self, request: web.Request) -> web.Response:
        """For Prometheus; without the store, what needs none, so that an alarm hears that the bridge is not ready."""
        accept = ",".join(request.headers.getall("Accept", []))
        ready = (await self._services.ready()).ready
        try:
            status = await self._services.status()
        except Unavailable:
            if ready:
                raise
            status = None
        body, content_type = self._metrics.render(status, accept, ready)
        return web.Response(body=body, headers={"Content-Type": content_type})

    async def status(self, request: web.Request) -> web.Response:
        """What the first page shows."""
        return answer(await self._services.status())
