"""Name what a push came to, for whoever counts pushes or traces them: values, told on the event loop.

Never decides and never waits: whoever is told must return at once. Before it: `shell`. After it: `bridge.app`, with
metrics and, where that is configured, traces.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bridge.core.model import Accepted, AccountName
from bridge.lane.journal import kind_of, outcome_name
from bridge.lane.model import Sent, SentDocuments, SentSurvey
from bridge.upstreams.port import Answer
from bridge.upstreams.said import Said


@dataclass(frozen=True, slots=True)
class Answered:
    """One push and how it ended."""

    account: AccountName
    kind: str
    """As the delivery log calls it."""
    outcome: str
    """As the delivery log calls it."""
    records: int
    requests: int
    """Exchanges with the hub that it took."""
    took: timedelta
    lags: tuple[timedelta, ...]
    """How long the hub had not had each status that it has now accepted and did not have."""
    http: int | None
    said: Sequence[Said]


def answered(
    account: AccountName, sent: Sent | SentDocuments | SentSurvey, answer: Answer, began: datetime, ended: datetime
) -> Answered:
    """Return what a push came to; `began` and `ended` are steady."""
    accepted = isinstance(answer.outcome, Accepted)
    return Answered(
        account=account,
        kind=kind_of(sent),
        outcome=outcome_name(answer.outcome),
        records=0 if isinstance(sent, SentSurvey) else sent.records,
        requests=answer.requests,
        took=ended - began,
        lags=tuple(max(ended - since, timedelta(0)) for since in sent.since)
        if accepted and isinstance(sent, Sent)
        else (),
        http=answer.http,
        said=answer.said,
    )
