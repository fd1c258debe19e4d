"""Edit single rows of the inventory over the open store. Implements `bridge.web.inventory_services`.

What is to be is made from what is there, and taken in only if that is still so; otherwise everything is looked at anew.
Reads go to the store's read connections; every edit is an item of the one writer. Before it: `web`, or the command line
with the bridge stopped. After it: `edits.inventory_edits`.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, NoReturn, TypeVar

from pydantic import BaseModel, ValidationError

from bridge.app.belonging import foreign_warnings
from bridge.app.evse_lookup import evse_meant
from bridge.app.follow import Follow
from bridge.app.imports_shown import import_report, row_errors
from bridge.app.inventory_lines_shown import counted, evse_rows, evse_shown, parsed, station_rows, station_shown
from bridge.app.prepared_keys import prepared_keys
from bridge.core.etags import etag_of
from bridge.core.identifiers import InvalidId, parse_evse_id
from bridge.core.model import EvseId, Moment
from bridge.derive import DeriveOptions
from bridge.documents import DocumentPlan
from bridge.edits import Edited, EditedMeanwhile, EditOrder, ImportOrder, edit_inventories
from bridge.inventory_file import Inventory, InventoryInvalid
from bridge.settings import Settings
from bridge.store.engine import Store
from bridge.store.errors import NeedsYes as StoreNeedsYes
from bridge.store.errors import StoreError
from bridge.store.inventory_lines import Looked, look
from bridge.store.inventory_plan import NOTHING_REMOVED, Removals
from bridge.store.transaction import Transaction
from bridge.store.writer import Writer
from bridge.web.inventory_services import EditDone, EditWay
from bridge.web.inventory_shapes import (
    InventoryEdit,
    InventoryEvse,
    InventoryEvseChange,
    InventoryEvseWish,
    InventoryStation,
    InventoryStationChange,
    InventoryStationWish,
)
from bridge.web.services import Changed, Conflict, NeedsYes, NotFound, RowsRefused, Unavailable, ValueRefused
from csms.auth import StationKeys
from csms.events import StationId
from csms.quirks import profile_names

_GENERATED_BYTES = 20
"""As hex digits 40: what OCPP 1.6 takes as an AuthorizationKey and 2.x as a BasicAuthPassword at most."""
_LOOKS = 5
"""How often an edit is made anew because others edited the same rows meanwhile."""
_NOTHING = Inventory((), (), ())
_Read = TypeVar("_Read")
_Wish = TypeVar("_Wish", bound=BaseModel)


class StoreInventoryEdits:
    """The inventory of this process's store."""

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
    ) -> None:
        self._settings = settings
        self._store = store
        self._writer = writer
        self._clock = clock
        self._keys = keys
        self._derive = derive
        self._documents = documents
        self._follow = follow

    # --- EVSEs ------------------------------------------------------------------------------------------------------

    async def get_evse(self, evse_id: str) -> InventoryEvse:
        """Return what the inventory says of an EVSE. Raises: NotFound, ValueRefused, Unavailable."""

        def read(conn: Transaction) -> InventoryEvse:
            found = evse_meant(conn, evse_id)
            return evse_shown(found.evse_id, look(conn, [found.station], ()).stations[found.station].lines)

        return await self._read(read)

    async def put_evse(self, evse_id: str, wish: InventoryEvseWish, way: EditWay) -> EditDone:
        """Make an EVSE, or replace what is said of it."""
        return await self._again(lambda: self._put_evse(_evse_id(evse_id), lambda _: wish, way))

    async def change_evse(self, evse_id: str, change: InventoryEvseChange, way: EditWay) -> EditDone:
        """Change what the change names."""

        def changed(before: InventoryEvse | None) -> InventoryEvseWish:
            if before is None:
                raise NotFound("EVSE", evse_id)
            return _merged(before.model_dump(exclude={"evse_id"}), change, InventoryEvseWish)

        meant = EvseId((await self.get_evse(evse_id)).evse_id)
        return await self._again(lambda: self._put_evse(meant, changed, way))

    async def remove_evse(self, evse_id: str, way: EditWay) -> EditDone:
        """Take an EVSE out; its station stays."""

        async def remove() -> EditDone:
            before = await self.get_evse(evse_id)
            _check(way, _tag(before))
            seen = await self._look([StationId(before.station)], [])
            remove = Removals(evses=frozenset({EvseId(before.evse_id)}))
            return (await self._edit(_NOTHING, seen, way, remove=remove))[1]

        return await self._again(remove)

    async def _put_evse(
        self, evse_id: EvseId, wished: Callable[[InventoryEvse | None], InventoryEvseWish], way: EditWay
    ) -> EditDone:
        home = (await self._look([], [evse_id])).homes.get(evse_id)
        first = await self._look([] if home is None else [home], [evse_id])
        if home is not None and first.homes.get(evse_id) != home:
            raise EditedMeanwhile
        before = None if home is None else _evse_in(first, home, evse_id)
        _check(way, _tag(before))
        wish = wished(before)
        station = StationId(wish.station)
        seen = await self._look(dict.fromkeys([*first.stations, station]), [evse_id])
        if station not in seen.stations:
            wanted = (
                "should be a station of the inventory; make it first, with PUT /api/v1/inventory/stations/{station}"
            )
            raise ValueRefused("station", wanted)
        if any(seen.stations.get(id_) != lines for id_, lines in first.stations.items()) or seen.homes != first.homes:
            raise EditedMeanwhile
        inventory = self._parsed(evse_rows(evse_id, seen.stations[station].station, wish), None)
        now, done = await self._edit(inventory, seen, way)
        return _done(done, before, None if now is None else _evse_in(now, station, evse_id))

    # --- stations ---------------------------------------------------------------------------------------------------

    async def get_station(self, station: str) -> InventoryStation:
        """Return what the inventory says of a station. Raises: NotFound, Unavailable."""
        id_ = StationId(station)
        found = (await self._look([id_], [])).stations.get(id_)
        if found is None:
            raise NotFound("station", station)
        return station_shown(found)

    async def put_station(self, station: str, wish: InventoryStationWish, way: EditWay) -> EditDone:
        """Make a station, or replace what is said of it and its EVSEs."""
        return await self._again(lambda: self._put_station(StationId(station), lambda _: wish, way))

    async def change_station(self, station: str, change: InventoryStationChange, way: EditWay) -> EditDone:
        """Change what the change names."""

        def changed(before: InventoryStation | None) -> InventoryStationWish:
            if before is None:
                raise NotFound("station", station)
            return _merged(before.model_dump(exclude={"station"}), change, InventoryStationWish)

        return await self._again(lambda: self._put_station(StationId(station), changed, way))

    async def remove_station(self, station: str, way: EditWay) -> EditDone:
        """Take a station out, with its EVSEs."""

        async def remove() -> EditDone:
            id_ = StationId(station)
            seen = await self._look([id_], [])
            if id_ not in seen.stations:
                raise NotFound("station", station)
            before = station_shown(seen.stations[id_])
            _check(way, _tag(before))
            remove = Removals(frozenset({id_}), _evse_ids(before))
            return (await self._edit(_NOTHING, seen, way, remove=remove))[1]

        return await self._again(remove)

    async def _put_station(
        self, id_: StationId, wished: Callable[[InventoryStation | None], InventoryStationWish], way: EditWay
    ) -> EditDone:
        first = await self._look([id_], [])
        before = station_shown(first.stations[id_]) if id_ in first.stations else None
        wish = wished(before)
        _check(way, _tag(before))
        generated = secrets.token_hex(_GENERATED_BYTES) if wish.generate_key else None
        key = wish.key or generated
        rows = station_rows(id_, wish, with_key=key is not None)
        inventory = self._parsed(rows, None if key is None else key.encode())
        named = [row.evse_id for row in inventory.evses]
        seen = await self._look([id_], named)
        if seen.stations != first.stations:
            raise EditedMeanwhile
        for evse_id, home in seen.homes.items():
            if home != id_:
                wanted = f"{evse_id} is at station {home!r}; to move it here, change its station"
                raise ValueRefused("evses", wanted)
        gone = frozenset() if before is None else _evse_ids(before) - set(named)
        absent = frozenset() if before is not None else frozenset({id_})
        now, done = await self._edit(inventory, seen, way, remove=Removals(evses=gone), absent=absent)
        report = done.report.model_copy(update={"key": None if way.dry_run else generated})
        after = None if now is None or id_ not in now.stations else station_shown(now.stations[id_])
        return _done(EditDone(report), before, after)

    # --- what both do -----------------------------------------------------------------------------------------------

    async def _again(self, edit: Callable[[], Any]) -> EditDone:
        for _ in range(_LOOKS):
            try:
                done: EditDone = await edit()
            except EditedMeanwhile:
                continue
            return done
        raise Conflict("others edit the same station all the time; nothing was changed; send it again")

    def _parsed(self, rows: Iterable[dict[str, str]], key: bytes | None) -> Inventory:
        try:
            return parsed(rows, key, self._settings.operators, profile_names())
        except InventoryInvalid as error:
            raise RowsRefused(row_errors(error)) from error

    async def _edit(
        self,
        inventory: Inventory,
        seen: Looked,
        way: EditWay,
        *,
        remove: Removals = NOTHING_REMOVED,
        absent: frozenset[StationId] = frozenset(),
    ) -> tuple[Looked | None, EditDone]:
        """Return what is there now, None where nothing was changed, and what the edit did."""
        try:
            order = ImportOrder(
                inventory=inventory,
                keys=await prepared_keys(self._keys, self._store, inventory),
                prune=False,
                yes=way.yes,
                dry_run=way.dry_run,
                at=self._clock(),
                options=self._derive,
                documents=self._documents,
                remove=remove,
            )
            edited: Edited = await self._writer.submit(edit_inventories, EditOrder(order, seen, absent))
        except InventoryInvalid as error:
            raise RowsRefused(row_errors(counted(error))) from error
        except StoreNeedsYes as error:
            return None, EditDone(_needs_yes(error, way))
        except StoreError as error:
            raise Unavailable(str(error)) from error
        if not way.dry_run:
            self._follow.imported(edited.imported)
        report = _report(edited, applied=not way.dry_run)
        foreign = foreign_warnings(self._settings, [(row.evse_id, row.operator) for row in inventory.evses])
        report = report.model_copy(update={"warnings": (*report.warnings, *foreign)})
        return None if way.dry_run else edited.now, EditDone(report)

    async def _look(self, stations: Iterable[StationId], evse_ids: Iterable[EvseId]) -> Looked:
        return await self._read(partial(look, stations=list(stations), evse_ids=list(evse_ids)))

    async def _read(self, question: Callable[[Any], _Read]) -> _Read:
        try:
            async with self._store.read() as connection:
                return await connection.run_sync(question)
        except StoreError as error:
            raise Unavailable(str(error)) from error


def _evse_id(text: str) -> EvseId:
    try:
        return parse_evse_id(text)
    except InvalidId as error:
        raise ValueRefused("evse_id", f"should be {error.wanted}") from error


def _evse_in(seen: Looked, station: StationId, evse_id: EvseId) -> InventoryEvse:
    return evse_shown(evse_id, seen.stations[station].lines)


def _evse_ids(station: InventoryStation) -> frozenset[EvseId]:
    return frozenset(EvseId(each.evse_id) for each in station.evses)


def _tag(shown: BaseModel | None) -> str | None:
    return None if shown is None else etag_of(shown.model_dump(mode="json"))


def _check(way: EditWay, tag: str | None) -> None:
    if way.condition.holds(tag):
        return
    if way.condition.nothing:
        raise Changed("it is there already: read it, and send If-Match with its ETag to change it")
    if tag is None:
        raise Changed("it is not there: send If-None-Match: * to make it")
    raise Changed


def _merged(before: dict[str, Any], change: BaseModel, wish: type[_Wish]) -> _Wish:
    try:
        return wish.model_validate(before | change.model_dump(exclude_unset=True))
    except ValidationError as error:
        _refuse(error)


def _refuse(error: ValidationError) -> NoReturn:
    """Say what is missing: nothing can be, but of a station without EVSEs, which has neither these nor a version."""
    names = ", ".join(dict.fromkeys(str(each["loc"][0]) for each in error.errors(include_input=False) if each["loc"]))
    raise ValueRefused(names, "should be given: the station has no EVSE now") from error


def _needs_yes(error: StoreNeedsYes, way: EditWay) -> InventoryEdit:
    diff, result = error.result.diff, error.result
    text = (
        f"this would remove {len(diff.evses_removed)} of {result.evses_before} EVSEs and "
        f"{len(diff.stations_removed)} of {result.stations_before} stations, more than 10 %; confirm it with yes=true"
    )
    report = import_report(result, applied=False)
    if not way.dry_run:
        raise NeedsYes(text, report) from error
    return InventoryEdit.model_validate(report.model_dump() | {"warnings": (text,)})


def _report(edited: Edited, *, applied: bool) -> InventoryEdit:
    result = edited.imported.result
    report = import_report(result, applied=applied).model_dump()
    return InventoryEdit.model_validate(report | {"warnings": tuple(warning.text for warning in result.warnings)})


def _done(done: EditDone, before: BaseModel | None, after: BaseModel | None) -> EditDone:
    return EditDone(done.report, created=before is None and after is not None, tag=_tag(after))
