"""Ask a running bridge about requests to hubs, as the same services that the bridge has inside.

Never opens a connection: `client` does. After it: `bridge.web.delivery_routes`, on the wire.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TypeVar
from urllib.parse import quote, urlencode

from pydantic import BaseModel

from bridge.cli.answers import classified
from bridge.web.delivery_services import DeliveryQuery
from bridge.web.delivery_shapes import DeliveryLogDetail, DeliveryLogPage, RetryReport, Throughput

Request = Callable[[str, str, str | None], Awaitable[tuple[int, str]]]
"""Sends (method, path, body) and returns (HTTP status, text)."""

_PATH = "/api/v1/deliveries"
_Answer = TypeVar("_Answer", bound=BaseModel)


class RestDeliveries:
    """A running bridge's delivery log. Implements `bridge.web.delivery_services.DeliveryServices`."""

    def __init__(self, request: Request) -> None:
        self._request = request

    async def list(self, query: DeliveryQuery) -> DeliveryLogPage:
        """GET /api/v1/deliveries. Raises: NotFound, ValueRefused."""
        given = {
            "account": query.account,
            "evse_id": query.evse_id,
            "kind": query.kind,
            "since": _written(query.since),
            "before": _written(query.before),
            "cursor": query.cursor,
        }
        asked = [(name, value) for name, value in given.items() if value is not None]
        asked += [("outcome", outcome) for outcome in query.outcomes]
        path = f"{_PATH}?{urlencode([*asked, ('limit', query.limit)], quote_via=quote)}"
        return classified(*await self._request("GET", path, None), DeliveryLogPage)

    async def get(self, number: int, operators: frozenset[str] | None = None) -> DeliveryLogDetail:
        """GET …/{id}. Raises: NotFound."""
        return classified(*await self._request("GET", f"{_PATH}/{number}", None), DeliveryLogDetail)

    async def retry(
        self, evse_id: str, account: str, *, by: str, operators: frozenset[str] | None = None
    ) -> RetryReport:
        """POST /api/v1/evses/{evse_id}/retry; the bridge knows by the key who asks. Raises: NotFound, Conflict."""
        path = f"/api/v1/evses/{quote(evse_id, safe='')}/retry"
        return classified(*await self._request("POST", path, json.dumps({"account": account})), RetryReport)

    async def retry_document(self, account: str, kind: str, key: str, *, by: str) -> RetryReport:
        """POST /api/v1/upstreams/{name}/documents/{kind}/{key}/retry. Raises: NotFound, Conflict."""
        named = "/".join(quote(part, safe="") for part in (kind, key))
        path = f"{_of_account(account)}/documents/{named}/retry"
        return classified(*await self._request("POST", path, None), RetryReport)

    async def throughput(
        self, account: str, since: datetime | None, until: datetime | None, buckets: int
    ) -> Throughput:
        """GET /api/v1/upstreams/{name}/throughput. Raises: NotFound, ValueRefused."""
        span = {"since": _written(since), "until": _written(until), "buckets": str(buckets)}
        asked = urlencode({name: text for name, text in span.items() if text is not None}, quote_via=quote)
        return classified(*await self._request("GET", f"{_of_account(account)}/throughput?{asked}", None), Throughput)


def _of_account(name: str) -> str:
    return f"/api/v1/upstreams/{quote(name, safe='')}"


def _written(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
