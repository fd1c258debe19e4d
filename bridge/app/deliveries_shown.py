"""Turn what the store reads of the delivery log into the shapes that operators see. Pure. Twin: `shown`."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from bridge.core.mapping.until import shown
from bridge.store.delivery_readings import Counted, LogReading
from bridge.web.delivery_shapes import (
    DeliveryLogDetail,
    DeliveryLogItem,
    ExchangeItem,
    Throughput,
    ThroughputBucket,
)


def log_item(reading: LogReading) -> DeliveryLogItem:
    """Show one push without what was said."""
    return DeliveryLogItem.model_validate(_shown(reading))


def log_detail(reading: LogReading) -> DeliveryLogDetail:
    """Show one push with what was said, where that is kept."""
    exchanges = None if reading.request is None else _exchanges(reading.request, reading.answer)
    return DeliveryLogDetail.model_validate({**_shown(reading), "exchanges": exchanges})


def _shown(reading: LogReading) -> dict[str, Any]:
    return {
        "id": reading.number,
        "account": reading.account,
        "kind": reading.kind,
        "evse_id": reading.evse_id,
        "document": reading.document,
        "records": reading.records,
        "value": None if reading.value is None else shown(reading.value),
        "sent_at": reading.sent_at,
        "took_ms": reading.took_ms,
        "http": reading.http,
        "code": reading.code,
        "outcome": reading.outcome,
        "why": reading.why,
        "reference": reading.reference,
        "lag_ms": reading.lag_ms,
    }


def _exchanges(request: str, answer: str | None) -> tuple[ExchangeItem, ...]:
    sent, answered = json.loads(request), json.loads(answer) if answer else []
    return tuple(
        ExchangeItem.model_validate({**each, **(answered[number] if number < len(answered) else {})})
        for number, each in enumerate(sent)
    )


# --- throughput -----------------------------------------------------------------------------------------------------


def throughput_of(account: str, since: datetime, until: datetime, spans: int, counted: Iterable[Counted]) -> Throughput:
    """Show an account's pushes by spans; one without pushes stands there empty."""
    width = (until - since) / spans
    found: dict[int, list[Counted]] = defaultdict(list)
    for each in counted:
        found[min(each.span, spans - 1)].append(each)
    return Throughput(
        account=account,
        since=since,
        until=until,
        bucket_s=width.total_seconds(),
        buckets=tuple(_bucket(since + width * number, found[number]) for number in range(spans)),
    )


def _bucket(at: datetime, counted: Iterable[Counted]) -> ThroughputBucket:
    requests, lags, times = Counter[str](), Counter[int](), Counter[int]()
    records = 0
    most: list[int] = []
    for each in counted:
        requests[each.outcome] += each.pushes
        records += each.records if each.outcome == "accepted" else 0
        if each.lag_ms is not None:
            lags[each.lag_ms] += each.pushes
        if each.took_ms is not None:
            times[each.took_ms] += each.pushes
        if each.lag_most_ms is not None:
            most.append(each.lag_most_ms)
    longest = max(most, default=None)
    return ThroughputBucket(
        at=at,
        requests=dict(requests),
        records=records,
        lag_p50_s=_share(lags, 0.5, longest),
        lag_p95_s=_share(lags, 0.95, longest),
        lag_max_s=None if longest is None else longest / 1000,
        took_p50_s=_share(times, 0.5),
        took_p95_s=_share(times, 0.95),
    )


def _share(counted: Mapping[int, int], share: float, most: int | None = None) -> float | None:
    """Return what this share of the pushes stayed below, in seconds; never more than `most` milliseconds."""
    needed = share * sum(counted.values())
    reached = 0
    for end in sorted(counted):
        reached += counted[end]
        if reached >= needed:
            return (end if most is None else min(end, most)) / 1000
    return None
