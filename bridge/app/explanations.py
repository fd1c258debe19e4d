"""Explain why an EVSE shows what it shows. Implements `bridge.web.explanation_services` over the open store.

Everything is read in one block, so that the facts are those that the status was decided from. Decides nothing:
`core.explain` tells the steps, `core.next_steps` what happens next. Before it: `web`, or the command line with the
bridge stopped. After it: `explained_words`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from bridge.app import options as fill
from bridge.app.evse_lookup import evse_meant
from bridge.app.explained_hubs import HubReading, explained_hub, nobody_told, untold_hub
from bridge.app.explained_words import ago, charging_doubt, fact_doubt, moment, who
from bridge.core.explain import End, ends, tell, upcoming, wall_time
from bridge.core.model import NEVER_HEARD, AccountName, EvseView, Fact, Layer0, Moment, Temporary
from bridge.core.reported import counted
from bridge.core.temporary import in_force
from bridge.derive import DeriveOptions, view_of
from bridge.settings import Settings, SpiriiAccount
from bridge.store.engine import Store
from bridge.store.errors import StoreError
from bridge.store.evse_lookup import FoundEvse
from bridge.store.explain_readings import changed_at, data_on_its_way, last_attempts
from bridge.store.lanes import load_lane
from bridge.store.station_readings import ReportRow, StationRow, read_reports, read_station
from bridge.store.stations import StoredEvse, StoredStation, read_stations
from bridge.store.transaction import Transaction
from bridge.web.explanation_shapes import (
    ExplainedConnection,
    ExplainedEnd,
    ExplainedFact,
    ExplainedHub,
    ExplainedStep,
    ExplainedTemporary,
    Explanation,
)
from bridge.web.services import Unavailable

_ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class _Read:
    """Everything that one block read."""

    found: FoundEvse
    station: StoredStation
    evse: StoredEvse
    changed_at: datetime | None
    hubs: Mapping[AccountName, HubReading]
    row: StationRow
    reports: Mapping[tuple[int, int], ReportRow]
    bound: bool
    """Who asks is bound to operators, and not told of accounts that have nothing to do with the EVSE."""


class StoreExplanations:
    """Explanations over the store of this process."""

    def __init__(self, settings: Settings, store: Store, *, clock: Callable[[], Moment], derive: DeriveOptions) -> None:
        self._settings = settings
        self._store = store
        self._clock = clock
        self._derive = derive

    async def of_evse(self, evse_id: str, operators: frozenset[str] | None = None) -> Explanation:
        """Explain one EVSE. Raises: NotFound, ValueRefused, Unavailable."""
        at = self._clock()
        try:
            async with self._store.read() as connection:
                found, station, changed, hubs = await connection.run_sync(self._decided, evse_id, operators)
                row = await read_station(connection, found.station)
                reports = await read_reports(connection, found.station)
        except StoreError as error:
            raise Unavailable(str(error)) from error
        if row is None:
            raise AssertionError("an EVSE of the inventory has a station in it")
        by_address = {(report.evse, report.connector): report for report in reports}
        row = replace(row, heard_at=_heard_at(row, station))
        bound = operators is not None
        read = _Read(found, station, station.evses[found.key], changed, hubs, row, by_address, bound)
        return self._explained(read, at)

    def _decided(
        self, conn: Transaction, evse_id: str, operators: frozenset[str] | None
    ) -> tuple[FoundEvse, StoredStation, datetime | None, dict[AccountName, HubReading]]:
        """Read what decides the EVSE, and how its deliveries stand."""
        found = evse_meant(conn, evse_id, operators)
        station = read_stations(conn, [found.station])[found.station]
        hubs = {
            account: HubReading(
                lane=load_lane(conn, account),
                attempts=tuple(last_attempts(conn, found.key, account, _ATTEMPTS)),
                data_on_its_way=data_on_its_way(conn, account, found.evse_id),
            )
            for account in map(AccountName, self._settings.accounts)
        }
        return found, station, changed_at(conn, found.key), hubs

    def _explained(self, read: _Read, at: Moment) -> Explanation:
        view, stored = view_of(read.station, read.evse), read.evse.effective or NEVER_HEARD
        told = tell(view, stored, at, self._derive.effective)
        facts = tuple(_facts(view, read, at))
        connection = _connection(read.row, at)
        steps = tuple(
            ExplainedStep(name=step.name, status=step.status, changed=step.changed, text=step.text)
            for step in told.steps
        )
        until = tuple(ExplainedEnd(at=end.at, text=end.text) for end in self._ends(view, read, at))
        routes = self._derive.routes.get(read.found.operator, ())
        temporaries = tuple(_temporary(each, at) for each in upcoming(view, at))
        explanation = Explanation(
            evse_id=read.found.evse_id,
            station=read.found.station,
            operator=read.found.operator,
            asked_at=at.now,
            status=stored.status,
            live=stored.live,
            rule=stored.rule,
            changed_at=read.changed_at,
            overdue=told.overdue,
            facts=facts,
            connection=connection,
            steps=steps,
            until=until,
            temporaries=temporaries,
            hubs=tuple(self._hubs(read, at)),
            nobody=nobody_told(read.found.operator, self._settings.accounts.values(), routes),
            text=(),
        )
        return explanation.model_copy(update={"text": tuple(page(explanation))})

    def _ends(self, view: EvseView, read: _Read, at: Moment) -> Iterator[End]:
        yield from ends(view, read.evse.effective or NEVER_HEARD, at)
        heard = read.row.heard_at
        if view.unreachable or heard is None:
            return
        silent = wall_time(heard + self._settings.status.offline_after, at)
        if silent > at.now:
            yield End(silent, "the station is declared unreachable, unless it is heard before")

    def _hubs(self, read: _Read, at: Moment) -> Iterator[ExplainedHub]:
        routes = {route.account: route for route in self._derive.routes.get(read.found.operator, ())}
        for name, account in self._settings.accounts.items():
            if isinstance(account, SpiriiAccount):
                continue
            key = AccountName(name)
            delivery = read.evse.deliveries.get(key)
            if delivery is None and read.bound and key not in routes:
                continue
            if delivery is None:
                yield untold_hub(name, account, routes.get(key), read.evse, read.hubs[key])
            else:
                options = fill.lane_options(self._settings, name)
                status = (read.evse.effective or NEVER_HEARD).status
                yield explained_hub(name, account, routes.get(key), delivery, read.hubs[key], status, options, at)


def _heard_at(row: StationRow, station: StoredStation) -> datetime | None:
    """Return when the station was heard last: that is stored about every 30 s, what it reported at once."""
    told = [*(fact.received_at for fact in station.facts.values()), *([row.heard_at] if row.heard_at else [])]
    return max(told, default=None)


def _facts(view: EvseView, read: _Read, at: Moment) -> Iterator[ExplainedFact]:
    for fact in (*view.connectors, view.evse_level, view.station_level):
        if fact is not None:
            yield _fact(fact, view, read.reports.get((fact.evse, fact.connector)), at)
    charging = view.charging
    if charging is None:
        return
    age = at.steady - charging.received_at
    doubt = charging_doubt(charging, unreachable=view.unreachable)
    word = "ended" if charging.ended else "" if charging.state is None else str(charging.state)
    number = view.connectors[0].evse if view.connectors and view.connectors[0] else 0
    yield ExplainedFact(
        level="transaction",
        evse=number,
        connector=charging.connector or 0,
        word=word,
        counts_as="",
        source="TransactionEvent",
        received_at=wall_time(charging.received_at, at),
        age_s=age.total_seconds(),
        doubt=doubt,
        text=f"transaction {charging.transaction}: {word or 'does not count'}, {ago(age)}" + _doubted(doubt),
    )


def _fact(fact: Fact, view: EvseView, report: ReportRow | None, at: Moment) -> ExplainedFact:
    level = "connector" if fact.connector else "evse" if fact.evse else "station"
    age, doubt = at.steady - fact.received_at, fact_doubt(fact, unreachable=view.unreachable)
    ignored = level != "connector" and view.layer0 is Layer0.IGNORE
    status = counted(fact, view.unreachable)
    notes = [f"counts as {status}"] if str(fact.status).lower() != status and not ignored else []
    if ignored:
        notes.append("is ignored (layer0 = ignore)")
    if report is not None and report.error_code not in ("", "NoError"):
        vendor = f", {report.vendor_error_code}" if report.vendor_error_code else ""
        notes.append(f"error code {report.error_code}{vendor}")
    if report is not None and report.info:
        notes.append(f"info {report.info!r}")
    source = "" if report is None else report.source
    said = f"{who(fact)}: {fact.status}" + (f" by {source}" if source else "") + f", {ago(age)}"
    return ExplainedFact.model_validate(
        {
            "level": level,
            "evse": fact.evse,
            "connector": fact.connector,
            "word": str(fact.status),
            "counts_as": "" if ignored else status,
            "source": source,
            "error_code": "" if report is None else report.error_code,
            "vendor_error_code": "" if report is None else report.vendor_error_code,
            "info": "" if report is None else report.info,
            "received_at": wall_time(fact.received_at, at),
            "age_s": age.total_seconds(),
            "reported_at": "" if report is None else report.reported_at,
            "doubt": doubt,
            "text": "; ".join([said, *notes]) + _doubted(doubt),
        }
    )


def _doubted(doubt: str) -> str:
    return f" ({doubt})" if doubt else ""


def _connection(row: StationRow, at: Moment) -> ExplainedConnection:
    since = row.opened_at if row.connected else row.closed_at
    heard = "" if row.heard_at is None else f", last heard {ago(at.steady - row.heard_at)}"
    spoken = f" over {row.version}" if row.version else ""
    if row.opened_at is None:
        said = f"{row.station} has never connected."
    elif row.connected:
        said = f"{row.station} is connected since {moment(wall_time(row.opened_at, at), at.now)}{spoken}{heard}."
    else:
        left = "" if since is None else f" since {moment(wall_time(since, at), at.now)}"
        said = f"{row.station} is not connected{left}{heard}."
    lost = row.unreachable_at
    if lost is not None:
        said += f" It is declared unreachable since {moment(wall_time(lost, at), at.now)}."
    return ExplainedConnection(
        station=row.station,
        connected=row.connected,
        since=None if since is None else wall_time(since, at),
        heard_at=None if row.heard_at is None else wall_time(row.heard_at, at),
        version=row.version,
        unreachable_since=None if lost is None else wall_time(lost, at),
        text=said,
    )


def _temporary(each: Temporary, at: Moment) -> ExplainedTemporary:
    end = "until it is ended" if each.valid_to is None else f"to {moment(each.valid_to, at.now)}"
    force = in_force(each, at.now)
    return ExplainedTemporary(
        status=each.kind,
        valid_from=each.valid_from,
        valid_to=each.valid_to,
        in_force=force,
        text=f"{each.kind} from {moment(each.valid_from, at.now)} {end}, {'in force' if force else 'to come'}",
    )


def page(found: Explanation) -> Iterator[str]:
    """Yield the explanation line by line."""
    now = found.asked_at
    since = "" if found.changed_at is None else f" since {moment(found.changed_at, now)}"
    yield f"{found.evse_id} is {found.status}{since}: {found.rule}."
    if found.overdue:
        yield "Time has passed that changes this: it is decided anew within a second, or once the bridge runs."
    yield found.connection.text
    yield from _part("What was reported", [fact.text for fact in found.facts], "Nothing was ever reported.")
    yield from _part("How that became the status", [f"{n}. {step.text}" for n, step in enumerate(found.steps, 1)])
    yield from _part("Temporary statuses", [each.text for each in found.temporaries])
    yield from _part(
        "Until when",
        [f"{moment(end.at, now)}: {end.text}" for end in found.until],
        "Nothing that only time changes is ahead.",
    )
    yield from _part("Hubs", [found.nobody] if found.nobody else [])
    for hub in found.hubs:
        yield from _part(f"{hub.account} ({hub.kind}, {hub.mode})", hub.text)


def _part(title: str, lines: Sequence[str], empty: str = "") -> Iterator[str]:
    if lines or empty:
        yield ""
        yield f"{title}:"
        yield from (f"  {line}" for line in (lines or [empty]))
