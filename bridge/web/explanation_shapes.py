"""Shape what is said about why an EVSE shows what it shows: every part as members, and `text` as plain sentences.

Never holds a secret. Moments are wall time.
"""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime

from bridge.core.explain import StepName
from bridge.core.model import TemporaryKind
from bridge.core.modes import Mode
from bridge.core.next_steps import Next
from bridge.web.shapes import Shape

FactLevel = Literal["connector", "evse", "station", "transaction"]


class ExplainedFact(Shape):
    """One report that counts for the EVSE."""

    level: FactLevel
    evse: int
    """0: OCPP 1.6."""
    connector: int
    """0: none in particular."""
    word: str
    """The standard's own."""
    counts_as: str
    """What it makes of what it is about; empty: of a transaction, which only lifts."""
    source: str
    """The message that brought it."""
    error_code: str = ""
    vendor_error_code: str = ""
    info: str = ""
    received_at: AwareDatetime
    age_s: float
    reported_at: str = ""
    """The station's own timestamp, as sent."""
    doubt: str = ""
    """Why it is in doubt; empty: it is not."""
    text: str


class ExplainedConnection(Shape):
    """The EVSE's station and its connection."""

    station: str
    connected: bool
    since: AwareDatetime | None
    """When it connected, or where it is away, when it left; null: it never came."""
    heard_at: AwareDatetime | None
    """Last frame or pong; stored about every 30 s."""
    version: str | None
    unreachable_since: AwareDatetime | None
    text: str


class ExplainedStep(Shape):
    """One step on the way from the facts to the status."""

    name: StepName
    status: str
    changed: bool
    text: str


class ExplainedEnd(Shape):
    """Something that the passing of time alone will do."""

    at: AwareDatetime
    text: str


class ExplainedTemporary(Shape):
    """A temporary status that is in force or to come."""

    status: TemporaryKind
    valid_from: AwareDatetime
    valid_to: AwareDatetime | None
    in_force: bool
    text: str


class ExplainedAttempt(Shape):
    """One request to a hub about this EVSE alone, and how it was answered."""

    id: int
    sent_at: AwareDatetime
    value: str | None
    outcome: str
    http: int | None
    code: str
    why: str
    reference: str
    took_ms: int | None
    text: str


class ExplainedHub(Shape):
    """One account: what it should have, what it acknowledged, what was tried, and what happens next."""

    account: str
    kind: str
    mode: Mode
    told: bool
    """The EVSE is shown at this account; otherwise `why` says why not."""
    desired: str
    mapped: str
    """Which row of the mapping table gave the word, and whether the configuration changed it."""
    acked: str | None
    acked_at: AwareDatetime | None
    agreed: bool
    next: Next
    next_at: AwareDatetime | None
    why: str
    attempts: tuple[ExplainedAttempt, ...]
    text: tuple[str, ...]


class Explanation(Shape):
    """Why one EVSE shows what it shows, and what happens next."""

    evse_id: str
    station: str
    operator: str
    asked_at: AwareDatetime
    status: str
    live: str
    rule: str
    changed_at: AwareDatetime | None
    overdue: bool
    """Time has passed that changes it: it is decided anew within a second, or once the bridge runs."""
    facts: tuple[ExplainedFact, ...]
    connection: ExplainedConnection
    steps: tuple[ExplainedStep, ...]
    until: tuple[ExplainedEnd, ...]
    temporaries: tuple[ExplainedTemporary, ...]
    hubs: tuple[ExplainedHub, ...]
    nobody: str = ""
    """Why no hub is told of it; empty: one is, or says itself why not."""
    text: tuple[str, ...]
    """All of it as a page of plain words, line by line."""
