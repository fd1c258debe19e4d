"""Route the question why an EVSE shows what it shows.

Never decides. Before it: `auth`. After it: `explanation_services`.
"""

from __future__ import annotations

from collections.abc import Iterable

from aiohttp import web

from bridge.core.roles import Role
from bridge.web.auth import PRINCIPAL
from bridge.web.bodies import answer
from bridge.web.explanation_services import ExplanationServices
from bridge.web.explanation_shapes import Explanation
from bridge.web.route_table import Route

PATH = "/api/v1/evses/{evse_id}/explain"


class ExplanationRoutes:
    """The table of these routes."""

    def __init__(self, services: ExplanationServices) -> None:
        self._services = services

    def routes(self) -> Iterable[Route]:
        """Return every request of this table."""
        yield Route(
            "GET",
            PATH,
            self.explain,
            Role.VIEWER,
            "Explain why an EVSE shows what it shows, and what happens next.",
            "EVSEs",
            Explanation,
            fails=(404, 422),
            scoped=True,
        )

    async def explain(self, request: web.Request) -> web.Response:
        """In plain words, and as members."""
        return answer(await self._services.of_evse(request.match_info["evse_id"], request[PRINCIPAL].operators))
