"""Remember which keys a station may hold while its key is being replaced, and which profile it must prove.

Never sends a key and never sees one. A key that was sent stays good until the station has proved one that was sent
later, or surely refused it: so it can log in with whichever it holds, whatever crashed when. Written by
`edits.station_keys` and, at a login, by `connections`.

Source: OCPP 2.0.1 Part 2, A01.FR.02 to A01.FR.05, A05.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from bridge.store.tables import station, station_key
from bridge.store.working_copies import copies_of
from csms.events import Credential, SecurityProfile, StationId

MOST_KEYS = 4
"""Keys of earlier rotations that are kept beside the pending one; each costs every login of the station some CPU."""


class NotFit(Exception):
    """The station is not in a state for the order; the text is for the operator."""


@dataclass(frozen=True, slots=True)
class KeptKeys:
    """What is kept of a station's keys."""

    station: StationId
    demanded: SecurityProfile
    """The larger of what the inventory demands and what the station has proved."""
    current: Credential | None
    pending: Credential | None
    earlier: tuple[Credential, ...]
    """Sent before the pending one, newest first; the station may hold each of them."""

    @property
    def uses_key(self) -> bool:
        """Does the station log in with a key."""
        return self.current is not None and self.demanded in (SecurityProfile.BASIC, SecurityProfile.TLS_BASIC)


def find_keys(conn: sa.Connection, station_id: StationId) -> KeptKeys | None:
    """Return what is kept of a station's keys; None where it is not in the inventory."""
    statement = sa.select(station).where(station.c.id == station_id, station.c.removed_at_w.is_(None))
    row = conn.execute(statement).mappings().first()
    if row is None:
        return None
    return KeptKeys(
        station=station_id,
        demanded=SecurityProfile(max(row["security"], row["profile_reached"])),
        current=None if row["key_digest"] is None else Credential(row["key_salt"], row["key_digest"], row["key_slow"]),
        pending=None if row["pending_digest"] is None else Credential(row["pending_salt"], row["pending_digest"]),
        earlier=earlier_keys(conn, station_id) if row["pending_digest"] is not None else (),
    )


def earlier_keys(conn: sa.Connection, station_id: StationId) -> tuple[Credential, ...]:
    """Return the keys that were sent before the pending one and never proved, newest first; none without a pending."""
    statement = (
        sa.select(station_key.c.salt, station_key.c.digest)
        .where(station_key.c.station == station_id)
        .order_by(station_key.c.id.desc())
    )
    return tuple(Credential(row[0], row[1]) for row in conn.execute(statement))


def set_pending(conn: sa.Connection, station_id: StationId, credential: Credential, at_w: int) -> None:
    """Keep a key that is about to be sent; the one that was pending stays good, too. Raises: NotFit."""
    row = conn.execute(sa.select(station).where(station.c.id == station_id)).mappings().one()
    if row["pending_digest"] is not None:
        if len(earlier_keys(conn, station_id)) >= MOST_KEYS:
            raise NotFit(
                f"{station_id} may hold one of {MOST_KEYS + 2} keys already: send one of them again (--key-file), or "
                "set its key by hand and import it"
            )
        conn.execute(
            sa.insert(station_key).values(
                station=station_id, salt=row["pending_salt"], digest=row["pending_digest"], at_w=row["pending_at_w"]
            )
        )
    _update(conn, station_id, pending_salt=credential.salt, pending_digest=credential.digest, pending_at_w=at_w)


def forget_pending(conn: sa.Connection, station_id: StationId, salt: bytes) -> None:
    """Forget the pending key if it is still this one; the key that was pending before it is so again."""
    pending = conn.execute(
        sa.select(station.c.id).where(station.c.id == station_id, station.c.pending_salt == salt)
    ).first()
    if pending is None:
        return
    before = conn.execute(
        sa.select(station_key).where(station_key.c.station == station_id).order_by(station_key.c.id.desc()).limit(1)
    ).first()
    if before is None:
        _update(conn, station_id, pending_salt=None, pending_digest=None, pending_at_w=None)
        return
    conn.execute(sa.delete(station_key).where(station_key.c.id == before.id))
    _update(conn, station_id, pending_salt=before.salt, pending_digest=before.digest, pending_at_w=before.at_w)


def promote(conn: sa.Connection, station_id: StationId, salt: bytes) -> None:
    """Let a sent key that the station has just proved take the old one's place; what was sent before it is over.

    Does nothing where the station proved the key that it had. Source: OCPP 2.0.1 Part 2, A01.FR.04.
    """
    pending = sa.update(station).where(station.c.id == station_id, station.c.pending_salt == salt)
    proved = conn.execute(
        pending.values(
            **_retired(),
            key_salt=station.c.pending_salt,
            key_digest=station.c.pending_digest,
            key_slow=sa.false(),
            pending_salt=None,
            pending_digest=None,
            pending_at_w=None,
        )
    )
    if proved.rowcount:
        conn.execute(sa.delete(station_key).where(station_key.c.station == station_id))
        return
    earlier = conn.execute(
        sa.select(station_key).where(station_key.c.station == station_id, station_key.c.salt == salt)
    ).first()
    if earlier is not None:
        conn.execute(
            sa.update(station)
            .where(station.c.id == station_id)
            .values(**_retired(), key_salt=earlier.salt, key_digest=earlier.digest, key_slow=sa.false())
        )
        conn.execute(sa.delete(station_key).where(station_key.c.station == station_id, station_key.c.id <= earlier.id))


def set_profile(conn: sa.Connection, station_id: StationId, profile: SecurityProfile) -> None:
    """Demand this profile of the station from now on, whatever it has proved."""
    _update(conn, station_id, security=int(profile), profile_reached=int(profile))


def _retired() -> dict[str, Any]:
    return {
        "retired_salt": station.c.key_salt,
        "retired_digest": station.c.key_digest,
        "retired_slow": station.c.key_slow,
    }


def _update(conn: sa.Connection, station_id: StationId, **values: Any) -> None:
    copies_of(conn).drop(station_id)
    conn.execute(sa.update(station).where(station.c.id == station_id).values(**values))
