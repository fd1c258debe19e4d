"""Forecast what a temporary status would make of EVSEs, and what each hub would be told, before it is created.

Never writes. The words are those of `derive`'s own routes, and the statuses those of `effective`, so that a forecast
cannot differ from what follows but by what stations report meanwhile. Before it: `temporary_services`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from bridge.app.temporary_shown import as_service_error, temporary_item
from bridge.core.identifiers import canonical_spelling
from bridge.core.model import NEVER_HEARD, EvseStatus, Moment, Temporary
from bridge.core.outlook import outlook, overlapping
from bridge.core.temporary import Duplicate, TemporaryRefused, duplicate_of, find_evse
from bridge.derive import DeriveOptions, Route, view_of
from bridge.store.evses import stations_of
from bridge.store.mirrored import marked
from bridge.store.stations import EvseKey, StoredEvse, StoredStation, read_stations
from bridge.store.temporary import StoredTemporary, find_evses, lasting_temporaries
from bridge.store.transaction import Transaction
from bridge.web.temporary_shapes import TemporaryForecast, TemporarySpan


@dataclass(frozen=True, slots=True)
class Forecaster:
    """What one wish would do."""

    wish: Temporary
    at: Moment
    options: DeriveOptions
    mirrors: Mapping[str, tuple[str, ...]]
    """Operator → the accounts that temporary statuses are mirrored to."""

    def of_evses(self, conn: Transaction, spellings: Iterable[str]) -> tuple[TemporaryForecast, ...]:
        """Return a forecast for each EVSE, once, in the order that they were named in."""
        asked = [_find(conn, spelling) for spelling in dict.fromkeys(spellings)]
        keys = list(dict.fromkeys(found for found in asked if not isinstance(found, TemporaryForecast)))
        known = _Known.read(conn, keys)
        shown: dict[object, TemporaryForecast] = {}
        for found in asked:
            if isinstance(found, TemporaryForecast):
                shown[found.evse_id, "unknown"] = found
            elif found not in shown:
                shown[found] = self._forecast(*known.homes[found], known)
        return tuple(shown.values())

    def _forecast(self, station: StoredStation, evse: StoredEvse, known: _Known) -> TemporaryForecast:
        decided = evse.effective or NEVER_HEARD
        routes = [route for route in self.options.routes.get(evse.operator, ()) if _goes_to(evse, route)]
        spans = outlook(view_of(station, evse), decided, self.wish, self.at, self.options.effective)
        others = known.temporaries.get(evse.key, [])
        return TemporaryForecast(
            evse_id=evse.evse_id,
            station=station.id,
            status=decided.status.value,
            words=_words(routes, decided.status),
            spans=tuple(
                TemporarySpan(
                    begin=span.begin, status=span.status.value, rule=span.rule, words=_words(routes, span.status)
                )
                for span in spans
            ),
            overlaps=tuple(
                temporary_item(other, self.at)
                for other in others
                if overlapping(self.wish, other.temporary, self.at.now)
            ),
            mirrored_to=self.mirrors.get(evse.operator, ()) if evse.key in known.marked else (),
            problem=self._duplicate(others),
        )

    def _duplicate(self, others: Iterable[StoredTemporary]) -> str:
        number = duplicate_of(self.wish, ((other.number, other.temporary) for other in others), self.at.now)
        return "" if number is None else str(Duplicate(number))


@dataclass(frozen=True, slots=True)
class _Known:
    """What the store knows of the EVSEs."""

    homes: Mapping[EvseKey, tuple[StoredStation, StoredEvse]]
    temporaries: dict[EvseKey, list[StoredTemporary]] = field(default_factory=dict)
    marked: frozenset[EvseKey] = frozenset()

    @classmethod
    def read(cls, conn: Transaction, keys: list[EvseKey]) -> _Known:
        stations = read_stations(conn, stations_of(conn, keys)).values()
        homes = {evse.key: (station, evse) for station in stations for evse in station.evses.values()}
        known = cls(homes, {}, frozenset(marked(conn, keys)))
        for stored in lasting_temporaries(conn, keys):
            known.temporaries.setdefault(stored.evse, []).append(stored)
        return known


def _find(conn: Transaction, spelling: str) -> EvseKey | TemporaryForecast:
    try:
        return find_evse(spelling, find_evses(conn, canonical_spelling(spelling)))
    except TemporaryRefused as error:
        return TemporaryForecast(evse_id=spelling[:256], problem=str(as_service_error(error)))


def _goes_to(evse: StoredEvse, route: Route) -> bool:
    return all(evse.references) or not route.needs_references


def _words(routes: Iterable[Route], status: EvseStatus) -> dict[str, str]:
    return {route.account: route.words[status] for route in routes}
