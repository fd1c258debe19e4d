"""Remember which keys a station may hold while its key is being replaced, and which profile it must prove.

Never sends a key and never sees one. A key that was sent stays good until the station has proved one that was sent
later, or surely refused it: so it can log in with whichever it holds, whatever crashed when. Written by
`edits.station_keys` and, at a login, by `connections`.

Source: OCPP 2.0.1 Part 2, A01.FR.02 to A01.FR.05, A05.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from bridge.store.tables import station, station_key
from bridge.store.working_copies import copies_of
from csms.events import SecurityProfile, StationId
from csms.records import Credential

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
    return tuple(Credential(row.salt, row.digest) for row in conn.execute(_sent_earlier(station_id)))


def replaced_keys(conn: sa.Connection) -> Mapping[StationId, Sequence[Credential]]:
    """Return the keys of earlier rotations, beside those that `station` has: no import makes one of them the only one.

    Of those that were replaced the station has another by now; of those that were sent and not used it may have any.
    """
    found: dict[StationId, list[Credential]] = defaultdict(list)
    for row in conn.execute(sa.select(station_key)):
        found[row.station].append(Credential(row.salt, row.digest, row.slow))
    return found


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
    before = conn.execute(_sent_earlier(station_id).limit(1)).first()
    if before is None:
        _update(conn, station_id, pending_salt=None, pending_digest=None, pending_at_w=None)
        return
    conn.execute(sa.delete(station_key).where(station_key.c.id == before.id))
    _update(conn, station_id, pending_salt=before.salt, pending_digest=before.digest, pending_at_w=before.at_w)


def promote(conn: sa.Connection, station_id: StationId, salt: bytes) -> None:
    """Let a sent key that the station has just proved take the old one's place; what was sent before it is over.

    Does nothing where the station proved the key that it had. Source: OCPP 2.0.1 Part 2, A01.FR.04.
    """
    row = conn.execute(sa.select(station).where(station.c.id == station_id)).mappings().first()
    if row is None or salt == row["key_salt"]:
        return
    if salt == row["pending_salt"]:
        _retire_earlier(conn, station_id)
        proved = Credential(salt, row["pending_digest"])
        _replace(conn, row, proved, pending_salt=None, pending_digest=None, pending_at_w=None)
        return
    earlier = conn.execute(_sent_earlier(station_id).where(station_key.c.salt == salt)).first()
    if earlier is not None:
        conn.execute(sa.delete(station_key).where(station_key.c.id == earlier.id))
        _retire_earlier(conn, station_id, before=earlier.id)
        _replace(conn, row, Credential(salt, earlier.digest))


def _replace(conn: sa.Connection, row: sa.RowMapping, credential: Credential, **values: Any) -> None:
    """Let a credential take the place of the present one, which is retired."""
    if row["retired_digest"] is not None:
        retired = {"salt": row["retired_salt"], "digest": row["retired_digest"], "slow": row["retired_slow"]}
        conn.execute(sa.insert(station_key).values(station=row["id"], retired=True, **retired))
    _update(
        conn,
        row["id"],
        retired_salt=row["key_salt"],
        retired_digest=row["key_digest"],
        retired_slow=row["key_slow"],
        key_salt=credential.salt,
        key_digest=credential.digest,
        key_slow=credential.slow,
        **values,
    )


def _retire_earlier(conn: sa.Connection, station_id: StationId, before: int | None = None) -> None:
    """Let the keys that were sent before the one that was proved be good no more; `before`: only those of lower id."""
    statement = sa.update(station_key).where(station_key.c.station == station_id)
    conn.execute((statement if before is None else statement.where(station_key.c.id < before)).values(retired=True))


def _sent_earlier(station_id: StationId) -> sa.Select[Any]:
    return (
        sa.select(station_key)
        .where(station_key.c.station == station_id, station_key.c.retired.is_(sa.false()))
        .order_by(station_key.c.id.desc())
    )


def set_profile(conn: sa.Connection, station_id: StationId, profile: SecurityProfile) -> None:
    """Demand this profile of the station from now on, whatever it has proved."""
    _update(conn, station_id, security=int(profile), profile_reached=int(profile))


def _update(conn: sa.Connection, station_id: StationId, **values: Any) -> None:
    copies_of(conn).drop(station_id)
    conn.execute(sa.update(station).where(station.c.id == station_id).values(**values))
