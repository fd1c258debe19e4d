"""State what a lane needs of an upstream: push one record, push the full set, close.

The conformance suite `tests/integration/upstreams/` runs against every implementation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from bridge.core.model import EvseId, Outcome


@dataclass(frozen=True, slots=True)
class Record:
    """One EVSE's value for one account."""

    evse_id: EvseId
    value: str
    """The hub's own word; empty where `delete` is set."""
    known: bool | None = None
    """Does the hub know this EVSE (Hubject: True or None → update, False → insert)."""
    delete: bool = False
    station_ref: str = ""
    """The hub's id of the station, where its API wants one (Chargeprice)."""
    point_ref: str = ""
    """The hub's id of the EVSE, where it is not the EVSE id (Chargeprice charge point)."""
    operator_name: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """The outcome of one request, and what an operator will want to quote."""

    outcome: Outcome
    http: int | None = None
    code: str = ""
    """The hub's own code, for example "000" or "VERSION_CONFLICT"."""
    reference: str = ""
    """The hub's reference for support, for example Hubject's Process-ID."""
    millis: int = 0


class Upstream(Protocol):
    """One account's connection to its hub. One request at a time; the lane sees to that."""

    kind: str
    """ "oicp" or "chargeprice". """
    takes_full_load: bool
    """Can the hub be given the whole set in one request."""
    per_minute: int
    """Requests per minute that we allow ourselves."""

    async def push(self, record: Record) -> Answer:
        """Send one record and return what the answer means; never raises for the hub's or the network's faults.

        Bounded by the configured connect and total timeouts. Cancellation closes the request; its effect is in doubt.
        """
        ...

    async def full_load(self, records: Sequence[Record]) -> Answer:
        """Replace everything the account has by `records`, in one request. Only where `takes_full_load`."""
        ...

    async def close(self) -> None:
        """Close the connections."""
        ...
