"""Hand-written fakes of what is asked about one EVSE: why it shows what it shows, and what was."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

from bridge.web.explanation_shapes import ExplainedConnection, Explanation
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
