"""Show unknown stations and refused attempts, and map stations. Implements `bridge.web.quarantine_services`.

Reads go to the store's read connections; every order is an item of the one writer. Before it: `web`, or the command
line with the bridge stopped. After it: `store.quarantine`, `edits.quarantine`, and what this process has in memory.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from bridge.app.advice import advice, similar
from bridge.app.attempts import Attempts, RefusedAttempts
from bridge.app.belonging import foreign_warnings
from bridge.app.follow import Follow
from bridge.app.imports_shown import row_errors
from bridge.app.mapping_rows import inventory_of
from bridge.app.newcomers import Newcomers
from bridge.core.model import Moment
from bridge.derive import DeriveOptions
from bridge.documents import DocumentPlan
from bridge.edits import Imported, ImportOrder, MapOrder, NotQuarantined, map_stations
from bridge.inventory_file import InventoryInvalid
from bridge.settings import Settings
from bridge.store.engine import Store
from bridge.store.errors import StoreError
from bridge.store.quarantine import (
    Quarantined,
    count_quarantined,
    find_quarantined,
    forget_quarantined,
    known_stations,
    list_quarantined,
)
from bridge.store.writer import Writer
from bridge.web.page import Page
from bridge.web.paging import Part, cut
from bridge.web.quarantine_shapes import (
    AttemptItem,
    AttemptList,
    Forgotten,
    MapReport,
    MapWish,
    QuarantineItem,
    QuarantineList,
)
from bridge.web.services import NotFound, NotRunning, RowsRefused, Unavailable
from csms.auth import StationKeys
from csms.events import StationId

_GENERATED_BYTES = 20
"""As hex digits 40: what OCPP 1.6 takes as an AuthorizationKey and 2.x as a BasicAuthPassword at most."""
_UNKNOWN = 404


class StoreQuarantine:
    """The unknown stations of this process's store."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        writer: Writer,
        *,
        clock: Callable[[], Moment],
        keys: StationKeys,
        derive: DeriveOptions,
        documents: tuple[DocumentPlan, ...],
        follow: Follow,
        newcomers: Newcomers | None,
        attempts: RefusedAttempts | None,
    ) -> None:
        """`newcomers` and `attempts` are None where no station is listened to."""
        self._settings = settings
        self._store = store
        self._writer = writer
        self._clock = clock
        self._keys = keys
        self._derive = derive
        self._documents = documents
        self._follow = follow
        self._newcomers = Newcomers(writer, clock) if newcomers is None else newcomers
        self._attempts = attempts

    async def list(self, page: Page | None = None) -> QuarantineList:
        """Return the stations in quarantine. Raises: WrongCursor, Unavailable."""
        await self._up_to_date()
        connected = {station.casefold() for station in self._newcomers.connected()}
        rows: list[Quarantined] = await self._read(list_quarantined)
        found, cursor = cut(rows, page, "quarantine", lambda row: (-_micros(row.last_seen), row.station.casefold()))
        items = tuple(_item(row, row.station.casefold() in connected) for row in found)
        return QuarantineList(items=items, next_cursor=cursor)

    async def count(self) -> int:
        """Return how many there are. Raises: Unavailable."""
        count: int = await self._read(count_quarantined)
        return count

    def refused_recently(self) -> int:
        """Return how many stations were refused within the last ten minutes."""
        return 0 if self._attempts is None else self._attempts.recent_stations()

    async def map(self, station: str, wish: MapWish) -> MapReport:
        """Make one a station of the inventory. Raises: NotFound, RowsRefused, Unavailable."""
        await self._up_to_date()
        row: Quarantined | None = await self._read(lambda conn: find_quarantined(conn, station))
        if row is None:
            raise NotFound("station in quarantine", station)
        generated = secrets.token_hex(_GENERATED_BYTES) if wish.generate_key else None
        imported = await self._mapped(row, wish, wish.key or generated)
        if not wish.dry_run:
            self._follow.imported(imported)
        diff = imported.result.diff
        evses = (*diff.evses_added, *diff.evses_changed)
        return MapReport(
            applied=not wish.dry_run,
            station=row.station,
            evses=evses,
            key=None if wish.dry_run else generated,
            warnings=(
                *(warning.text for warning in imported.result.warnings),
                *foreign_warnings(self._settings, [(evse_id, wish.operator) for evse_id in evses]),
            ),
        )

    async def _mapped(self, row: Quarantined, wish: MapWish, key: str | None) -> Imported:
        try:
            inventory = inventory_of(
                row.station,
                row.version,
                wish,
                None if key is None else key.encode(),
                self._settings.operators,
            )
            order = ImportOrder(
                inventory=inventory,
                keys=self._keys,
                prune=False,
                yes=False,
                dry_run=wish.dry_run,
                at=self._clock(),
                options=self._derive,
                documents=self._documents,
            )
            return await self._writer.submit(map_stations, MapOrder(row.station, order))
        except InventoryInvalid as error:
            raise RowsRefused(row_errors(error)) from error
        except NotQuarantined as error:
            raise NotFound("station in quarantine", row.station) from error
        except StoreError as error:
            raise Unavailable(str(error)) from error

    async def forget(self, station: str) -> Forgotten:
        """Remove one from quarantine and close its session. Raises: NotFound, Unavailable."""
        await self._up_to_date()
        row: Quarantined | None = await self._read(lambda conn: find_quarantined(conn, station))
        if row is None:
            raise NotFound("station in quarantine", station)
        try:
            await self._writer.submit(forget_quarantined, row.station)
        except StoreError as error:
            raise Unavailable(str(error)) from error
        self._follow.forgotten(row.station)
        return Forgotten(station=row.station)

    async def attempts(self, station: str | None, page: Page | None = None) -> AttemptList:
        """Return the refused attempts, of one station where one is named.

        Raises: NotRunning, WrongCursor, Unavailable.
        """
        if self._attempts is None:
            raise NotRunning("the bridge is not running: refused connections are known to a running one only")
        meant = [each for each in self._attempts.all() if station is None or _same(each.identity, station)]
        kept, cursor = cut(sorted(meant, key=_place), page, "attempts", _place)
        unknown = list(dict.fromkeys(each.identity for each in kept if each.status == _UNKNOWN and each.identity))
        similar_ones = await self._meant(unknown) if unknown else {}
        return AttemptList(items=tuple(_attempt(each, similar_ones) for each in kept), next_cursor=cursor)

    async def _meant(self, unknown: Iterable[str]) -> dict[str, str]:
        known: list[StationId] = await self._read(known_stations)
        return await asyncio.to_thread(similar, list(unknown), known)

    async def _up_to_date(self) -> None:
        """Have written what guests did just now, so that nobody looks for a station that is there already."""
        try:
            await self._newcomers.write()
        except StoreError as error:
            raise Unavailable(str(error)) from error

    async def _read(self, question: Callable[[Any], Any]) -> Any:
        try:
            async with self._store.read() as connection:
                return await connection.run_sync(question)
        except StoreError as error:
            raise Unavailable(str(error)) from error


def _micros(moment: datetime) -> int:
    return int(moment.timestamp() * 1_000_000)


def _place(each: Attempts) -> tuple[Part, ...]:
    return -_micros(each.last), each.identity, each.address, each.reason


def _same(identity: str, named: str) -> bool:
    return identity.casefold() == named.casefold()


def _item(row: Quarantined, connected: bool) -> QuarantineItem:
    return QuarantineItem(
        station=row.station,
        connected=connected,
        version=row.version.value,
        vendor=row.vendor,
        model=row.model,
        serial=row.serial,
        firmware=row.firmware,
        address=row.address,
        first_seen=row.first_seen,
        last_seen=row.last_seen,
        connections=row.connections,
        showed_credentials=row.showed_credentials,
    )


def _attempt(each: Attempts, meant: dict[str, str]) -> AttemptItem:
    return AttemptItem(
        station=each.identity,
        address=each.address,
        status=each.status,
        reason=each.reason,
        what_to_do=advice(each.status, each.reason),
        count=each.count,
        first=each.first,
        last=each.last,
        user_agent=each.user_agent,
        similar=meant.get(each.identity) if each.status == _UNKNOWN else None,
    )
