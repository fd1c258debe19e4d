"""Keep the texts of the OpenAPI document that no route has: what it is about, its headings, what failures mean."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

ABOUT = """\
What operators ask and order of the bridge. docs/api.md explains how to authenticate, page, edit and repeat.

Every request but the open ones needs a key, in `Authorization: Bearer KEY` or `X-API-Key: KEY`; each says which role is
enough (`x-role`: viewer, operator, admin). Lists come in pages: `limit`, `cursor`, and `next_cursor`, which is null on
the last one. Moments are RFC 3339 with an offset. Failures are problem details (RFC 9457) with a `request_id`. Later
releases may add members to answers."""

TAGS: Mapping[str, str] = MappingProxyType(
    {
        "health": "How the bridge does, for orchestrators and monitoring.",
        "status": "The bridge at a glance.",
        "EVSEs": "EVSEs and connectors: what was reported, what counts, and what each hub was told.",
        "upstreams": "Accounts at hubs: their state, what they would be sent, and orders to them.",
        "deliveries": "Every attempt to tell a hub something, with its answer.",
        "inventory": "Stations, EVSEs and connectors as the inventory has them, and what is listed of them.",
        "temporary statuses": "Statuses that operators set for a while.",
        "Spirii's contract": "Temporary statuses as clients know them that were written for Spirii; failures too.",
        "stations": "Charging stations: how each is connected, and what it is told.",
        "quarantine": "Stations that the inventory does not know, and connections that were refused.",
        "keys": "Keys of this interface.",
        "events": "What changes, as it changes: server-sent events.",
        "history": "How statuses were over time.",
        "pages": "Pages and files for people.",
    }
)

FAILURES: Mapping[int, str] = MappingProxyType(
    {
        400: "The request is not understood; the detail says what would be right.",
        401: "No key, or one that is not in force.",
        403: "The key's role is not enough, or the key is bound to other operators.",
        404: "There is nothing of this name.",
        409: "Its state forbids it, or an order with this Idempotency-Key is still being carried out.",
        412: "The content has changed since the ETag in If-Match was given: read it again.",
        413: "The body is too large.",
        415: "The body is not of a type that is taken here.",
        422: "A value is impossible, or this Idempotency-Key was used for another order.",
        428: "If-Match is missing.",
        429: "Too many wrong keys from this address.",
        503: "The store or the station side cannot answer now; the same request may succeed later.",
    }
)
