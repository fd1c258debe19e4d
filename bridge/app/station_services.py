"""Answer questions about stations and carry out orders to them, over the open store and the OCPP side.

Implements `bridge.web.station_services`. Nothing is sent to a station but what an order says. Before it: `web`, or the
command line with the bridge stopped, which can only look. After it: `store.station_readings`, `rotation`, `csms`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, Protocol

import structlog

from bridge.app import stations_shown as shown
from bridge.app.rotation import Rotations, UnderWay, away
from bridge.core.model import Moment
from bridge.edits import LowersProfile, RotationPending, set_profiles
from bridge.edits import ProfileOrder as ProfileChange
from bridge.store.engine import Store
from bridge.store.errors import StoreError
from bridge.store.readings import read_evses
from bridge.store.rotations import NotFit
from bridge.store.security_events import certificate_requests, security_events
from bridge.store.station_readings import (
    StationRow,
    read_reports,
    read_station,
    read_station_page,
)
from bridge.store.writer import Writer
from bridge.web.page import Page
from bridge.web.paging import decode_cursor, next_page
from bridge.web.services import Conflict, NotFound, NotRunning, Unavailable, ValueRefused
from bridge.web.station_shapes import (
    AvailabilityOrder,
    CallOrder,
    CallResult,
    ConfigurationChange,
    ConfigurationQuery,
    ProfileOrder,
    ResetOrder,
    RotationOrder,
    RotationResult,
    StationDetail,
    StationPage,
    Timed,
    TriggerOrder,
    UnlockOrder,
)
from csms.auth import StationKeys
from csms.events import SecurityProfile, StationId
from csms.hidden_values import names_secret_write
from csms.new_keys import Rotation
from csms.operator_calls import CallAnswer, CallOutcome
from csms.orders import Impossible, Request, ResetKind
from csms.server import ConnectedStation
from csms.verbs import Requests, requests_of

log = structlog.get_logger(__name__)

_ROTATE = "changes the key that the station logs in with: use `ocpp-bridge station rotate-key`, which locks nobody out"
_EVENTS_SHOWN = 20
_WRONG = frozenset({CallOutcome.INVALID, CallOutcome.UNKNOWN_ACTION})


class Central(Protocol):
    """What is asked of the OCPP side: `csms.server.CentralSystem`."""

    @property
    def connected(self) -> Mapping[StationId, ConnectedStation]:
        """The stations that are connected now."""
        ...

    async def call(
        self,
        station: StationId,
        action: str,
        payload: Mapping[str, Any],
        *,
        timeout: timedelta | None = None,
        force: bool = False,
    ) -> CallAnswer:
        """Send a station one CALL and return how it ended; `force`: though its quirks forbid it."""
        ...

    def disconnect(self, station: StationId) -> None:
        """Close the station's session, if there is one."""
        ...


class StoreStations:
    """The stations of this process's store; `central` is None where no station is listened to."""

    def __init__(
        self,
        store: Store,
        writer: Writer,
        *,
        clock: Callable[[], Moment],
        keys: StationKeys,
        central: Central | None,
        counts: Callable[[StationId], Mapping[str, int]],
    ) -> None:
        """`counts` gives what was counted of one station, by kind."""
        self._store = store
        self._writer = writer
        self._clock = clock
        self._central = central
        self._counts = counts
        self._rotations = None if central is None else Rotations(writer, central, keys=keys, clock=clock)

    # --- questions ----------------------------------------------------------------------------------------------------

    async def list(self, limit: int, cursor: str | None, *, connected: bool | None, version: str | None) -> StationPage:
        """Return up to `limit` stations after `cursor`. Raises: WrongCursor, Unavailable."""
        after = None if cursor is None else StationId(str(decode_cursor(cursor, "stations", str)[0]))
        try:
            async with self._store.read() as connection:
                rows = await read_station_page(
                    connection, after=after, limit=limit + 1, connected=connected, version=version
                )
        except StoreError as error:
            raise Unavailable(str(error)) from error
        live = self._live()
        found, next_cursor = next_page(rows, Page(limit), "stations", lambda row: (row.station,))
        return StationPage(
            items=tuple(shown.station_item(row, live.get(row.station)) for row in found), next_cursor=next_cursor
        )

    async def get(self, identity: str) -> StationDetail:
        """Return everything about one station. Raises: NotFound, Unavailable."""
        at = self._clock()
        try:
            async with self._store.read() as connection:
                row = await read_station(connection, identity)
                if row is None:
                    raise NotFound("station", identity)
                reports = await read_reports(connection, row.station)
                events = await connection.run_sync(security_events, row.station, _EVENTS_SHOWN)
                requests = await connection.run_sync(certificate_requests, row.station)
                evses = await read_evses(connection, at.steady, station_id=row.station)
        except StoreError as error:
            raise Unavailable(str(error)) from error
        live = self._live().get(row.station)
        detail = shown.station_detail(row, live, reports, evses, at.steady)
        told = {
            "counts": dict(self._counts(row.station)),
            "security_events": tuple(map(shown.security_event_item, events)),
            "certificate_requests": tuple(map(shown.certificate_request_item, requests)),
        }
        return detail.model_copy(update=told)

    # --- orders -------------------------------------------------------------------------------------------------------

    async def call(self, identity: str, order: CallOrder) -> CallResult:
        """Send any CALL of the station's version. Raises: NotFound, Conflict, ValueRefused, NotRunning."""
        if names_secret_write(order.action, order.payload):
            raise ValueRefused("payload", _ROTATE)
        return await self._send(identity, lambda _: Request(order.action, order.payload), order)

    async def trigger(self, identity: str, order: TriggerOrder) -> CallResult:
        """Ask for a message; raises as `call`."""
        return await self._send(identity, lambda to: to.trigger(order.message, order.evse, order.connector), order)

    async def availability(self, identity: str, order: AvailabilityOrder) -> CallResult:
        """Take a connector, an EVSE or the station in or out of service; raises as `call`."""
        return await self._send(
            identity,
            lambda to: to.availability(order.evse, order.connector, operative=order.operative),
            order,
        )

    async def reset(self, identity: str, order: ResetOrder) -> CallResult:
        """Restart it; raises as `call`."""
        return await self._send(identity, lambda to: to.reset(ResetKind(order.kind), order.evse), order)

    async def get_configuration(self, identity: str, order: ConfigurationQuery) -> CallResult:
        """Read its configuration; raises as `call`."""
        return await self._send(identity, lambda to: to.get_configuration(order.keys), order)

    async def set_configuration(self, identity: str, order: ConfigurationChange) -> CallResult:
        """Write one value of its configuration; raises as `call`."""

        def words(to: Requests) -> Request:
            request = to.set_configuration(order.key, order.value)
            if names_secret_write(request.action, request.payload):
                raise ValueRefused("key", _ROTATE)
            return request

        return await self._send(identity, words, order)

    async def unlock(self, identity: str, order: UnlockOrder) -> CallResult:
        """Unlock a connector; raises as `call`."""
        return await self._send(identity, lambda to: to.unlock(order.evse, order.connector), order)

    async def rotate_key(self, identity: str, order: RotationOrder) -> RotationResult:
        """Give it another key. Raises: NotFound, Conflict, ValueRefused, NotRunning, Unavailable."""
        _, live = await self._reached(identity)
        if self._rotations is None:
            raise AssertionError("without a central system no station is reached")
        try:
            rotated = await self._rotations.rotate(
                live.station, live.version, order.key, force=order.force, timeout=_period(order.timeout_s)
            )
        except Impossible as error:
            raise ValueRefused(error.field, error.wanted) from error
        except (UnderWay, RotationPending, NotFit) as error:
            raise Conflict(str(error)) from error
        except StoreError as error:
            raise Unavailable(str(error)) from error
        if rotated.state is Rotation.UNSENT:
            raise Conflict(f"{live.station}: {rotated.answer.why}")
        return shown.rotation_result(live.station, rotated)

    async def set_profile(self, identity: str, order: ProfileOrder) -> StationDetail:
        """Set how it must prove itself. Raises: NotFound, Conflict, Unavailable."""
        row = await self._row(identity)
        profile = SecurityProfile(order.profile)
        try:
            await self._writer.submit(set_profiles, ProfileChange(row.station, profile, order.yes))
        except (LowersProfile, NotFit) as error:
            raise Conflict(str(error)) from error
        except StoreError as error:
            raise Unavailable(str(error)) from error
        live = self._live().get(row.station)
        if self._central is not None and live is not None and live.profile < profile:
            self._central.disconnect(row.station)
        return await self.get(row.station)

    # --- what they share ----------------------------------------------------------------------------------------------

    def _live(self) -> Mapping[StationId, ConnectedStation]:
        return {} if self._central is None else self._central.connected

    async def _row(self, identity: str) -> StationRow:
        try:
            async with self._store.read() as connection:
                row = await read_station(connection, identity)
        except StoreError as error:
            raise Unavailable(str(error)) from error
        if row is None:
            raise NotFound("station", identity)
        return row

    async def _reached(self, identity: str) -> tuple[Central, ConnectedStation]:
        row = await self._row(identity)
        if self._central is None:
            raise NotRunning(f"the bridge is not running: nothing can be sent to {row.station}")
        live = self._central.connected.get(row.station)
        if live is None:
            raise Conflict(away(row.station))
        return self._central, live

    async def _send(self, identity: str, words: Callable[[Requests], Request], order: Timed) -> CallResult:
        central, live = await self._reached(identity)
        try:
            request = words(requests_of(live.version))
        except Impossible as error:
            raise ValueRefused(error.field, error.wanted) from error
        answer = await central.call(
            live.station, request.action, request.payload, timeout=_period(order.timeout_s), force=order.force
        )
        log.info("station_called", station=live.station, action=request.action, outcome=answer.outcome.value)
        if answer.outcome in _WRONG:
            raise ValueRefused("action" if answer.outcome is CallOutcome.UNKNOWN_ACTION else "payload", answer.why)
        if not answer.sent:
            raise Conflict(f"{live.station}: {answer.why}")
        return shown.call_result(live.station, live.version, request.action, answer)


def _period(seconds: float | None) -> timedelta | None:
    return None if seconds is None else timedelta(seconds=seconds)
