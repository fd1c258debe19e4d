"""Decide what an order is that carries an Idempotency-Key: new, one in work, one that was answered, or another order.

Pure. Before it: `web.repeats`. After it: `store.repeats`, which keeps what is decided from.

Source: draft-ietf-httpapi-idempotency-key-header-07 §2.6 and §2.7.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

KEPT = timedelta(hours=24)
"""How long an answer is kept; after that its key is as new."""
LARGEST_ANSWER = 256 * 2**10
"""Characters; of an order with a longer answer only the outcome is kept."""
MOST_OF_ONE = 10_000
"""Orders of one principal that are kept; the oldest make room."""


@dataclass(frozen=True, slots=True)
class KeptOrder:
    """What is known of an earlier order with the same key."""

    fingerprint: str
    at: datetime
    status: int | None
    """None: it is being carried out."""
    answer: str | None
    """None: it is not kept."""


@dataclass(frozen=True, slots=True)
class New:
    """Nothing is known of it: carry it out."""


@dataclass(frozen=True, slots=True)
class InWork:
    """It is being carried out right now."""


@dataclass(frozen=True, slots=True)
class OtherOrder:
    """The key stands for another order."""


@dataclass(frozen=True, slots=True)
class Answered:
    """It was carried out, or its outcome is unknown (500); `answer` None: what it was answered is not kept."""

    status: int
    answer: str | None


Found = New | InWork | OtherOrder | Answered


def decide(kept: KeptOrder | None, fingerprint: str, now: datetime) -> Found:
    """Return what an order with this fingerprint is, beside what is kept under its key."""
    if kept is None or now - kept.at >= KEPT:
        return New()
    if kept.fingerprint != fingerprint:
        return OtherOrder()
    if kept.status is None:
        return InWork()
    return Answered(kept.status, kept.answer)
