"""Show one station that is connected now, for operators.

A copy that is right at its moment; never the session itself. Before it: `server`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from csms.events import Epoch, OcppVersion, SecurityProfile, StationId
from csms.session import Session


@dataclass(frozen=True, slots=True)
class ConnectedStation:
    """One station that is connected now, for operators."""

    station: StationId
    version: OcppVersion
    remote: str
    since: datetime
    epoch: Epoch
    takeovers: int
    """How often a newer connection replaced a live one since the station was last away."""
    profile: SecurityProfile
    """What it proved on this connection."""
    commandable: bool
    """Does it answer our calls; False after several in a row without an answer."""


def connected_station(session: Session, *, takeovers: int) -> ConnectedStation:
    """Return what a session is now."""
    return ConnectedStation(
        session.station,
        session.version,
        session.remote,
        session.since,
        session.epoch,
        takeovers,
        session.profile,
        session.commandable,
    )
