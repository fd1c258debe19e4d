"""A hand-written fake of the services about requests to hubs; `orders` is what was asked of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from bridge.web.delivery_services import DeliveryQuery
from bridge.web.delivery_shapes import (
    DeliveryLogDetail,
    DeliveryLogItem,
    DeliveryLogPage,
    ExchangeItem,
    RetryReport,
    Throughput,
    ThroughputBucket,
)
from bridge.web.services import Conflict, NotFound

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
REFUSED = DeliveryLogItem(
    id=41,
    account="hubject",
    kind="status",
    evse_id="DE*ABC*E1",
    records=1,
    value="Occupied",
    sent_at=NOON,
    took_ms=23,
    http=200,
    code="018",
    outcome="refused",
    why="018: the EvseID does not match",
    reference="0b59fa4a",
)
ACCEPTED = DeliveryLogItem(
    id=40,
    account="hubject",
    kind="full_load",
    records=3,
    sent_at=NOON,
    took_ms=230,
    http=200,
    code="000",
    outcome="accepted",
    lag_ms=1500,
)
SAID = ExchangeItem(
    method="POST",
    url="https://hub.example/api?token=***",
    headers={"Authorization": "Bearer ***"},
    body='{"ActionType":"update"}',
    bytes=9000,
    status=200,
    answer_headers={"process-id": "0b59fa4a"},
    answer_body='{"Result":\x1bfalse}',
    answer_bytes=17,
)


@dataclass
class FakeDeliveries:
    """Implements `bridge.web.delivery_services.DeliveryServices` in memory."""

    asked: list[DeliveryQuery] = field(default_factory=list)
    orders: list[tuple[str, ...]] = field(default_factory=list)
    spans: list[tuple[datetime | None, datetime | None, int]] = field(default_factory=list)

    async def list(self, query: DeliveryQuery) -> DeliveryLogPage:
        self.asked.append(query)
        if query.account not in (None, "hubject"):
            raise NotFound("account", query.account or "")
        return DeliveryLogPage(items=(REFUSED, ACCEPTED), next_cursor="40")

    async def get(self, number: int, operators: frozenset[str] | None = None) -> DeliveryLogDetail:
        if number not in (40, 41):
            raise NotFound("delivery", str(number))
        item = REFUSED if number == 41 else ACCEPTED
        return DeliveryLogDetail(**item.model_dump(), exchanges=(SAID,) if number == 41 else None)

    async def retry(
        self, evse_id: str, account: str, *, by: str, operators: frozenset[str] | None = None
    ) -> RetryReport:
        if evse_id == "DE*ABC*E9":
            raise NotFound("EVSE", evse_id)
        if evse_id == "DE*ABC*E2":
            raise Conflict("the hub has acknowledged what it should have: there is nothing to send")
        self.orders.append((evse_id, account, by))
        return RetryReport(account=account, evse_id=evse_id, value="Occupied", was="refused", why="018")

    async def retry_document(self, account: str, kind: str, key: str, *, by: str) -> RetryReport:
        self.orders.append((account, kind, key, by))
        return RetryReport(account=account, kind=kind, document=key, was="deferred", waits="the account is held (403)")

    async def throughput(
        self, account: str, since: datetime | None, until: datetime | None, buckets: int
    ) -> Throughput:
        self.spans.append((since, until, buckets))
        bucket = ThroughputBucket(at=NOON, requests={"accepted": 2}, records=4, lag_p50_s=0.4)
        end = until or NOON + timedelta(hours=1)
        return Throughput(account=account, since=NOON, until=end, bucket_s=3600.0, buckets=(bucket,))
