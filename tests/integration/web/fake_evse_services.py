"""Hand-written fakes of what is asked about one EVSE: why it shows what it shows, and what was."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from bridge.web.explanation_shapes import ExplainedConnection, Explanation
from bridge.web.history_shapes import EvseHistory, HistorySpan, StatusBucket, StatusHistory
from bridge.web.services import NotFound

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)

EXPLANATION = Explanation(
    evse_id="DE*ABC*E1",
    station="CS-1",
    operator="acme",
    asked_at=NOON,
    status="charging",
    live="charging",
    rule="connector 1 reported Charging",
    changed_at=NOON,
    overdue=False,
    facts=(),
    connection=ExplainedConnection(
        station="CS-1",
        connected=True,
        since=NOON,
        heard_at=NOON,
        version="ocpp1.6",
        unreachable_since=None,
        text="CS-1 is connected.",
    ),
    steps=(),
    until=(),
    temporaries=(),
    hubs=(),
    text=("DE*ABC*E1 is charging since 12:00:00 UTC: connector 1 reported Charging.", "  info '\x1b[2J'"),
)


@dataclass
class FakeExplanations:
    """Implements `ExplanationServices`: knows one EVSE."""

    asked: list[tuple[str, frozenset[str] | None]] = field(default_factory=list)

    async def of_evse(self, evse_id: str, operators: frozenset[str] | None = None) -> Explanation:
        self.asked.append((evse_id, operators))
        if evse_id != "de*abc*e1":
            raise NotFound("EVSE", evse_id)
        return EXPLANATION


def span(number: int, status: str, *, ends: bool = True) -> HistorySpan:
    begin = NOON + timedelta(minutes=number)
    end = begin + timedelta(minutes=1) if ends else None
    return HistorySpan.model_validate(
        {"status": status, "live": status, "rule": f"r{number}", "from": begin, "to": end}
    )


@dataclass
class FakeHistory:
    """Implements `HistoryServices`: one EVSE with three spans on two pages."""

    asked: list[tuple[object, ...]] = field(default_factory=list)

    async def of_evse(
        self,
        evse_id: str,
        since: datetime | None = None,
        until: datetime | None = None,
        *,
        limit: int = 1000,
        cursor: str | None = None,
        newest: bool = False,
        operators: frozenset[str] | None = None,
    ) -> EvseHistory:
        self.asked.append((evse_id, since, until, limit, cursor, operators))
        if evse_id != "de*abc*e1":
            raise NotFound("EVSE", evse_id)
        items = (span(2, "faulted", ends=False),) if cursor else (span(0, "available"), span(1, "charging"))
        return EvseHistory(
            evse_id="DE*ABC*E1",
            since=NOON,
            until=NOON + timedelta(hours=2),
            items=items,
            next_cursor=None if cursor else "2",
        )

    async def counts(
        self,
        since: datetime | None = None,
        until: datetime | None = None,
        buckets: int = 96,
        operators: frozenset[str] | None = None,
    ) -> StatusHistory:
        self.asked.append((since, until, buckets, operators))
        found = (StatusBucket(at=NOON, counts={"charging": 2}),)
        return StatusHistory(since=NOON, until=NOON, bucket_s=60.0, buckets=found)
