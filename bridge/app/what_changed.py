"""Read how the things stand that changed, as events say it.

Never decides who is told. Before it: `noticed`, which things. After it: `event_services`, which tells.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass

from bridge.app.noticed import Noticed
from bridge.app.shown import delivery_item
from bridge.core.feed import EventName
from bridge.core.model import AccountName, Moment
from bridge.core.modes import Mode, effective_mode
from bridge.settings import Settings
from bridge.store.engine import Store
from bridge.store.event_readings import (
    ChangedEvse,
    ChangedStation,
    LaneMark,
    read_changed_evses,
    read_changed_stations,
    read_lane_marks,
)
from bridge.store.readings import DeliveryReading
from bridge.web.event_shapes import DeliveryEvent, ResetEvent, StationEvent, StatusEvent, TemporaryEvent, UpstreamEvent
from bridge.web.shapes import Shape, UpstreamList


@dataclass(frozen=True, slots=True)
class Said:
    """What is told of one thing; see `core.feed.Notice`."""

    name: EventName
    key: str
    data: Shape
    evse_id: str = ""
    account: str = ""
    station: str = ""
    operators: frozenset[str] | None = None


def everything_anew(why: str) -> Said:
    """Return the order to read everything anew."""
    return Said(EventName.RESET, "", ResetEvent(why=why))


class WhatChanged:
    """Reads from the store of this process."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        clock: Callable[[], Moment],
        upstreams: Callable[[], Awaitable[UpstreamList]],
    ) -> None:
        self._settings = settings
        self._store = store
        self._clock = clock
        self._upstreams = upstreams
        self._shown: dict[str, UpstreamEvent] = {}

    def forget(self) -> None:
        """Begin anew: how accounts did is not known to anybody any more."""
        self._shown.clear()

    async def things(self, noticed: Noticed) -> list[Said]:
        """Return how EVSEs, stations and temporary statuses stand that were noticed. Raises: StoreError."""
        keys = noticed.statuses | noticed.deliveries | {key for key, _ in noticed.temporaries.values()}
        at = self._clock()
        async with self._store.read() as connection:
            evses = await read_changed_evses(connection, keys, at.steady) if keys else []
            lanes = await read_lane_marks(connection) if keys else {}
            stations = await read_changed_stations(connection, noticed.stations) if noticed.stations else []
        return [
            *(said for evse in evses for said in self._evse(evse, noticed, lanes, at)),
            *map(_station, stations),
            *_temporaries(noticed, evses),
        ]

    def _evse(
        self, evse: ChangedEvse, noticed: Noticed, lanes: Mapping[AccountName, LaneMark], at: Moment
    ) -> Iterator[Said]:
        operators = frozenset({evse.operator})
        if evse.key in noticed.statuses:
            status = StatusEvent(
                evse_id=evse.evse_id, status=evse.status, live=evse.live, rule=evse.rule, changed_at=evse.changed_at
            )
            yield Said(EventName.STATUS, evse.evse_id, status, evse_id=evse.evse_id, operators=operators)
        for delivery in evse.deliveries if evse.key in noticed.deliveries else ():
            if delivery.account in self._settings.accounts:
                shown = self._delivery(evse, delivery, lanes.get(delivery.account, LaneMark(None, None)), at)
                key = f"{delivery.account} {evse.evse_id}"
                yield Said(EventName.DELIVERY, key, shown, evse.evse_id, delivery.account, operators=operators)

    def _delivery(self, evse: ChangedEvse, delivery: DeliveryReading, lane: LaneMark, at: Moment) -> DeliveryEvent:
        configured = self._settings.accounts[delivery.account].mode
        mode = effective_mode(configured, None if lane.mode is None else Mode(lane.mode))
        item = delivery_item(delivery, mode, lane.held is not None, at.steady)
        return DeliveryEvent(
            account=delivery.account,
            evse_id=evse.evse_id,
            desired=item.desired,
            acked=item.acked,
            acked_at=item.acked_at,
            state=item.state,
            why=item.why,
        )

    async def accounts(self) -> list[Said]:
        """Return how those accounts do that do otherwise than when this was asked last. Raises: Unavailable.

        An account's mode, and whether it is held, is how each of its deliveries stands, too.
        """
        said: list[Said] = []
        for item in (await self._upstreams()).items:
            shown = UpstreamEvent.model_validate(item.model_dump(include=set(UpstreamEvent.model_fields)))
            before = self._shown.get(item.name)
            if shown == before:
                continue
            self._shown[item.name] = shown
            if before is not None and (before.mode, before.held is None) != (shown.mode, shown.held is None):
                held = "" if shown.held is None else ", and held"
                said.append(everything_anew(f"{item.name} is {shown.mode}{held} now"))
            whose = self._served_by(item.name)
            said.append(Said(EventName.UPSTREAM, item.name, shown, account=item.name, operators=whose))
        return said

    def _served_by(self, account: str) -> frozenset[str]:
        """Return the operators whose EVSEs an account shows."""
        return frozenset(name for name, table in self._settings.operators.items() if account in table.accounts)


def _station(found: ChangedStation) -> Said:
    shown = StationEvent(id=found.station, connected=found.connected)
    return Said(EventName.STATION, found.station, shown, station=found.station, operators=found.operators)


def _temporaries(noticed: Noticed, evses: list[ChangedEvse]) -> Iterator[Said]:
    named = {evse.key: evse for evse in evses}
    for number, (key, what) in noticed.temporaries.items():
        if (evse := named.get(key)) is not None:
            shown = TemporaryEvent(id=number, evse_id=evse.evse_id, what=what)
            operators = frozenset({evse.operator})
            yield Said(EventName.TEMPORARY, str(number), shown, evse_id=evse.evse_id, operators=operators)
