"""Remember who is connected, since when each station has been silent, and who was declared unreachable.

Never decides that a station is lost: `core.reachability` does. Written by `intake` (open) and `ticker` (the rest).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from bridge.store.bulk import Bulk, insert_for, insert_or_update
from bridge.store.micros import from_micros, to_micros
from bridge.store.rotations import promote
from bridge.store.tables import connection, node, station
from bridge.store.working_copies import copies_of, drop_copies
from csms.events import Epoch, StationConnected, StationId


@dataclass(frozen=True, slots=True)
class StoredPresence:
    """What is stored about a station's silence."""

    station: StationId
    heard_at: datetime
    connected: bool
    unreachable_at: datetime | None


def open_connections(conn: sa.Connection, openings: Sequence[tuple[StationConnected, str, int]]) -> list[Epoch]:
    """Record new connections (event, node, steady µs) and return their epochs, one higher than the station's last.

    A station that is among them twice gets two epochs, in this order.
    """
    epochs: list[Epoch] = []
    for round_ in _rounds(openings):
        epochs += _open(conn, round_)
    return epochs


def _rounds(openings: Sequence[tuple[StationConnected, str, int]]) -> Iterator[list[tuple[StationConnected, str, int]]]:
    """Cut the openings, in their order, into pieces with no station twice."""
    piece: list[tuple[StationConnected, str, int]] = []
    seen: set[StationId] = set()
    for opening in openings:
        if opening[0].station in seen:
            yield piece
            piece, seen = [], set()
        piece.append(opening)
        seen.add(opening[0].station)
    if piece:
        yield piece


def _open(conn: sa.Connection, openings: Sequence[tuple[StationConnected, str, int]]) -> list[Epoch]:
    """Record connections of as many stations, in two statements; working copies keep up."""
    _OPEN.run(
        conn,
        [
            (opened.station, node_name, 1, opened.version.value, opened.remote, at, None, at)
            for opened, node_name, at in openings
        ],
    )
    copies = copies_of(conn)
    stored = {row[0]: row for row in conn.execute(_OPENED, {"ids": [opened.station for opened, _, _ in openings]})}
    for opened, _, _ in openings:
        _, epoch, reached, key_salt = stored[opened.station]
        copies.opened(opened.station, epoch)
        _note_proof(conn, opened, reached, key_salt)
    return [Epoch(stored[opened.station][1]) for opened, _, _ in openings]


def _opening(dialect: str) -> sa.Insert:
    insert = insert_for(dialect, connection)
    overwritten = {name: insert.excluded[name] for name in _OPENING_COLUMNS if name not in ("station", "epoch")}
    return insert.on_conflict_do_update(
        index_elements=[connection.c.station],
        set_={"epoch": connection.c.epoch + insert.excluded.epoch, **overwritten},
    )


_OPENING_COLUMNS = ("station", "node", "epoch", "version", "remote", "opened_at", "closed_at", "heard_at")
_OPEN = Bulk(_opening, _OPENING_COLUMNS)
_OPENED = (
    sa.select(connection.c.station, connection.c.epoch, station.c.profile_reached, station.c.key_salt)
    .join(station, station.c.id == connection.c.station)
    .where(connection.c.station.in_(sa.bindparam("ids", expanding=True)))
)


def _note_proof(conn: sa.Connection, opened: StationConnected, reached: int, key_salt: bytes | None) -> None:
    """Raise the station's profile to what it proved; a sent key that it proved takes the place of the old one.

    `reached` and `key_salt` are what is stored. Both are committed before the station learns that it is connected.
    Source: OCPP 2.0.1 Part 2, A05.FR.07 (less is refused from then on).
    """
    if reached < int(opened.profile):
        conn.execute(
            sa.update(station).where(station.c.id == opened.station).values(profile_reached=int(opened.profile))
        )
    if opened.key_salt is not None and opened.key_salt != key_salt:
        promote(conn, opened.station, opened.key_salt)


def take_over(conn: sa.Connection, node_name: str, started: int) -> int | None:
    """Close what an earlier process of this node left open; return when it was last alive (steady µs), if ever.

    Does not note that this process is alive: that belongs into one transaction with what silence counts from now on.
    """
    drop_copies(conn)
    alive_at = conn.execute(sa.select(node.c.alive_at).where(node.c.name == node_name)).scalar()
    conn.execute(
        sa.update(connection)
        .where(connection.c.node == node_name, connection.c.closed_at.is_(None))
        .values(closed_at=alive_at if alive_at is not None else started)
    )
    return alive_at


def note_alive(conn: sa.Connection, node_name: str, at: int) -> None:
    """Store that this process was listening at `at` (steady µs)."""
    conn.execute(
        insert_or_update(conn, node)
        .values(name=node_name, alive_at=at)
        .on_conflict_do_update(index_elements=[node.c.name], set_={"alive_at": at})
    )


def note_heard(conn: sa.Connection, heard: Mapping[StationId, datetime]) -> None:
    """Store when stations were last heard of."""
    if heard:
        conn.execute(
            sa.update(connection).where(connection.c.station == sa.bindparam("id")).values(heard_at=sa.bindparam("at")),
            [{"id": id_, "at": to_micros(at)} for id_, at in heard.items()],
        )


def presences(conn: sa.Connection) -> list[StoredPresence]:
    """Return every station that ever connected."""
    statement = (
        sa.select(connection.c.station, connection.c.heard_at, connection.c.closed_at, station.c.unreachable_at)
        .join(station, station.c.id == connection.c.station)
        .where(station.c.removed_at_w.is_(None))
    )
    return [
        StoredPresence(row[0], from_micros(row[1]), row[2] is None, from_micros(row[3]))
        for row in conn.execute(statement)
    ]


def removed_stations(conn: sa.Connection) -> frozenset[StationId]:
    """Return the stations that left the inventory."""
    return frozenset(conn.execute(sa.select(station.c.id).where(station.c.removed_at_w.is_not(None))).scalars())


def declare(conn: sa.Connection, stations: Iterable[StationId], unreachable_at: int | None) -> None:
    """Store that the stations are unreachable since then (steady µs), or, with None, that they are back."""
    copies = copies_of(conn)
    rows = [{"id_": id_} for id_ in stations]
    for id_ in stations:
        copies.drop(id_)
    if rows:
        conn.execute(
            sa.update(station)
            .where(station.c.id == sa.bindparam("id_"), station.c.removed_at_w.is_(None))
            .values(unreachable_at=unreachable_at),
            rows,
        )
