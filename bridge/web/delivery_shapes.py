"""Shape what the REST interface says about requests to hubs: the delivery log, orders to try again, throughput.

Moments are RFC 3339 with an offset. What was sent and answered is masked and cut before it is stored: never holds a
secret.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from bridge.web.shapes import Shape

DeliveryOutcome = Literal["accepted", "deferred", "refused", "wrong_action", "held", "in_doubt"]
Parked = Literal["refused", "deferred", "held"]


class ExchangeItem(Shape):
    """One request to a hub and its answer, as they are kept: masked, and cut."""

    method: str
    url: str
    headers: dict[str, str] = Field(default={}, description="of the request, those that matter")
    body: str = ""
    bytes: int = 0
    """Of the whole body, however much of it is kept."""
    status: int | None = None
    """null: no answer came."""
    answer_headers: dict[str, str] = Field(default={}, description="of the answer, those that matter")
    answer_body: str = ""
    answer_bytes: int = 0
    """Of what was read of the answer's body."""
    failure: str = ""
    """Why no answer came; empty: one came."""


class DeliveryLogItem(Shape):
    """One push to a hub and how it ended."""

    id: int
    account: str
    kind: str
    """status, full_load, survey, data_full_load, or a document's kind."""
    evse_id: str | None = None
    """null: it was not about one EVSE's status."""
    document: str | None = None
    """Key of the one document that it carried."""
    records: int
    value: str | None = None
    """The hub's word, of one status."""
    sent_at: AwareDatetime
    took_ms: int | None = None
    """null: nobody saw an answer."""
    http: int | None = None
    code: str = ""
    outcome: DeliveryOutcome
    why: str = ""
    reference: str = ""
    """The hub's own, for its support: Hubject's Process-ID."""
    lag_ms: int | None = None
    """How long the hub had not had the value when it accepted it; of several, the longest. null: it had it before."""


class DeliveryLogPage(Shape):
    """Pushes, the newest first; `next_cursor` is null on the last page."""

    items: tuple[DeliveryLogItem, ...]
    next_cursor: str | None = None


class DeliveryLogDetail(DeliveryLogItem):
    """One push with what was sent and answered."""

    exchanges: tuple[ExchangeItem, ...] | None = None
    """In their order; null: not kept, or no more ([retention] in the configuration)."""


class RetryRequest(Shape):
    """Body of POST /api/v1/evses/{evse_id}/retry."""

    account: Annotated[str, Field(min_length=1, max_length=64)]


class RetryReport(Shape):
    """What was ordered: the value that is desired now is sent, never the one that was refused."""

    account: str
    evse_id: str | None = None
    kind: str | None = None
    """Of a document."""
    document: str | None = None
    value: str | None = None
    """The hub's word that is sent; null: a document."""
    was: Parked
    """Why it was waiting."""
    why: str = ""
    waits: str = ""
    """What holds the whole account, which a retry does not lift; empty: it is sent now."""


class ThroughputBucket(Shape):
    """What was sent within one span of time."""

    at: AwareDatetime
    """Its beginning."""
    requests: dict[str, int]
    """Outcome → how many pushes."""
    records: int
    """Accepted ones."""
    lag_p50_s: float | None = None
    """Of accepted values that the hub did not have: null where there was none."""
    lag_p95_s: float | None = None
    lag_max_s: float | None = None
    took_p50_s: float | None = None
    """Of pushes that were answered."""
    took_p95_s: float | None = None


class Throughput(Shape):
    """What an account was sent, and how late that was, by spans of equal length; percentiles to about a tenth."""

    account: str
    since: AwareDatetime
    until: AwareDatetime
    bucket_s: float
    buckets: tuple[ThroughputBucket, ...]
