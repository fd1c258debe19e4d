"""Keep the newest security events of each station, and what stations ask to be signed.

Never decides which event matters. Written by `changes.save` in the transaction of the message; read for operators.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import sqlalchemy as sa

from bridge.store.bulk import insert_or_update
from bridge.store.micros import from_micros
from bridge.store.tables import certificate_request, security_event
from csms.events import CertificateRequested, SecurityEventReported, StationId

KEPT_EVENTS: Final = 100
"""Per station: a station must not be able to make rows without bound."""


@dataclass(frozen=True, slots=True)
class SecurityEvent:
    """One event as it was reported."""

    at: datetime
    """When we received it."""
    kind: str
    info: str
    reported_at: str
    """The station's own timestamp, as text."""


@dataclass(frozen=True, slots=True)
class CertificateRequest:
    """What a station asks to be signed."""

    kind: str
    """ChargingStationCertificate, V2GCertificate or empty: for everything."""
    csr: str = field(repr=False)
    """PEM."""
    at: datetime


def keep_security_events(conn: sa.Connection, events: Sequence[tuple[SecurityEventReported, int]]) -> None:
    """Store events with the moments of their receipt (µs, wall clock), and trim their stations' to the newest."""
    if not events:
        return
    rows = [
        {"station": e.station, "at_w": at, "kind": e.kind, "info": e.info, "reported_at": e.reported_at}
        for e, at in events
    ]
    conn.execute(sa.insert(security_event), rows)
    for station in {event.station for event, _ in events}:
        conn.execute(_TRIM, {"of": station})


def _trim() -> sa.Delete:
    kept = sa.select(security_event.c.id).where(security_event.c.station == sa.bindparam("of", type_=sa.Text))
    oldest_kept = kept.order_by(security_event.c.id.desc()).limit(1).offset(KEPT_EVENTS - 1).scalar_subquery()
    return sa.delete(security_event).where(
        security_event.c.station == sa.bindparam("of", type_=sa.Text), security_event.c.id < oldest_kept
    )


_TRIM = _trim()


def security_events(conn: sa.Connection, station: StationId, limit: int = KEPT_EVENTS) -> list[SecurityEvent]:
    """Return a station's newest events, the newest first."""
    statement = (
        sa.select(security_event.c.at_w, security_event.c.kind, security_event.c.info, security_event.c.reported_at)
        .where(security_event.c.station == station)
        .order_by(security_event.c.id.desc())
        .limit(limit)
    )
    return [SecurityEvent(from_micros(row[0]), *row[1:]) for row in conn.execute(statement)]


def keep_certificate_requests(conn: sa.Connection, requests: Sequence[tuple[CertificateRequested, int]]) -> None:
    """Store requests with the moments of their receipt (µs, wall clock); each takes the place of an older one."""
    for request, at in requests:
        values = {"csr": request.csr, "at_w": at}
        conn.execute(
            insert_or_update(conn, certificate_request)
            .values(station=request.station, kind=request.kind, **values)
            .on_conflict_do_update(
                index_elements=[certificate_request.c.station, certificate_request.c.kind], set_=values
            )
        )


def certificate_requests(conn: sa.Connection, station: StationId) -> list[CertificateRequest]:
    """Return what a station asks to be signed, by kind."""
    statement = (
        sa.select(certificate_request.c.kind, certificate_request.c.csr, certificate_request.c.at_w)
        .where(certificate_request.c.station == station)
        .order_by(certificate_request.c.kind)
    )
    return [CertificateRequest(kind, csr, from_micros(at)) for kind, csr, at in conn.execute(statement)]
