"""Find stations by their identity, as the OCPP side needs to know them when they connect.

Never writes. Before it: `app.registry`, with everybody who stands at the door. Beside it: `inventory`, which takes
stations in.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from bridge.store.rotations import earlier_keys
from bridge.store.tables import connector, station
from csms.events import ConnectorAddress, OcppVersion, SecurityProfile, StationId
from csms.records import Credential, StationRecord


def find_station(conn: sa.Connection, folded_id: str) -> StationRecord | None:
    """Return what the registry knows of the station whose casefolded identity is `folded_id`; None if it is unknown."""
    return find_stations(conn, [folded_id]).get(folded_id)


def find_stations(conn: sa.Connection, folded_ids: Sequence[str]) -> dict[str, StationRecord]:
    """Return what the registry knows of the stations with these casefolded identities, by them; without unknown ones.

    Two statements, whatever their number.
    """
    rows = conn.execute(_STATIONS, {"folded": folded_ids}).all()
    connectors: dict[StationId, list[ConnectorAddress]] = defaultdict(list)
    for address in conn.execute(_ADDRESSES, {"ids": [row.id for row in rows]}):
        connectors[address[0]].append(ConnectorAddress(address[1], address[2]))
    return {row.id_folded: _record(conn, row, tuple(connectors[row.id])) for row in rows}


def _record(conn: sa.Connection, row: sa.Row[Any], connectors: tuple[ConnectorAddress, ...]) -> StationRecord:
    return StationRecord(
        station=row.id,
        credential=None if row.key_digest is None else Credential(row.key_salt, row.key_digest, row.key_slow),
        default_version=_version(row.version),
        accepted=row.accepted_at is not None,
        connectors=connectors,
        refuses_trigger=row.refuses_trigger,
        firmware=row.firmware,
        strict=row.strict,
        security=SecurityProfile(row.security),
        reached=SecurityProfile(row.profile_reached),
        pending=None if row.pending_digest is None else Credential(row.pending_salt, row.pending_digest),
        earlier=() if row.pending_digest is None else earlier_keys(conn, row.id),
        certificate_name=row.certificate_name,
        compression=row.compression,
        ping_interval=None if row.ping_s is None else timedelta(seconds=row.ping_s),
        quirks=None if row.quirks is None else tuple(row.quirks.split()),
        vendor=row.vendor,
        model=row.model,
    )


_STATIONS = sa.select(station).where(
    station.c.id_folded.in_(sa.bindparam("folded", expanding=True)), station.c.removed_at_w.is_(None)
)
_ADDRESSES = (
    sa.select(connector.c.station, connector.c.ocpp_evse, connector.c.ocpp_connector)
    .where(connector.c.station.in_(sa.bindparam("ids", expanding=True)))
    .order_by(connector.c.ocpp_evse, connector.c.ocpp_connector)
)


def _version(text: str | None) -> OcppVersion | None:
    return None if text is None else OcppVersion(text)
