"""Turn what the store reads into the shapes that operators see. Pure."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from itertools import islice

from bridge.core.evse_problems import problems_of
from bridge.core.expiry import days_left, expiry_warning, urgency
from bridge.core.mapping.until import shown
from bridge.core.modes import Mode
from bridge.inventory_file import InventoryInvalid
from bridge.listing_file import ListingInvalid
from bridge.settings import Account, OicpAccount, SpiriiAccount
from bridge.store.connector_readings import ConnectorReading
from bridge.store.inventory import ImportResult, InventoryEntry
from bridge.store.lane_readings import LaneReading
from bridge.store.listings import ListingName, ListingResult, ListingRow
from bridge.store.readings import DeliveryReading, EvseReading
from bridge.upstreams.certificates import Certificate
from bridge.web.connector_shapes import ConnectorItem
from bridge.web.full_load_times import FullLoadTimes
from bridge.web.meters import Usage
from bridge.web.shapes import (
    CertificateItem,
    DeliveryItem,
    DeliveryState,
    EvseItem,
    ImportReport,
    InventoryRow,
    ListingItem,
    Reported,
    RowError,
    UpstreamItem,
    UpstreamState,
    experimental_reason,
)
from csms.events import ConnectorAddress
from csms.flapping import Flapping

_FLAPPING_NAMED = 5


def evse_item(
    reading: EvseReading, *, connected: bool, modes: Mapping[str, Mode], held: Collection[str], steady: datetime
) -> EvseItem:
    """Show one EVSE: reported → effective → what each configured account acknowledged."""
    deliveries = {
        delivery.account: delivery_item(delivery, modes[delivery.account], delivery.account in held, steady)
        for delivery in reading.deliveries
        if delivery.account in modes
    }
    return EvseItem(
        evse_id=reading.evse_id,
        station=reading.station,
        connected=connected,
        reported=tuple(
            Reported(
                evse=fact.evse,
                connector=fact.connector,
                status=fact.status,
                received_at=fact.received_at,
                stale=fact.stale or fact.doubt,
            )
            for fact in reading.facts
        ),
        effective=reading.status.value,
        live=reading.live.value,
        rule=reading.rule,
        changed_at=reading.changed_at,
        deliveries=deliveries,
        operator=reading.operator,
        problems=problems_of(reading.status, reading.unreachable, {item.state for item in deliveries.values()}),
    )


def delivery_item(delivery: DeliveryReading, mode: Mode, held: bool, steady: datetime) -> DeliveryItem:
    """Show what one account should have of an EVSE, what it acknowledged, and why they differ."""
    state, why = _delivery_state(delivery, mode, held, steady)
    return DeliveryItem(
        desired=shown(delivery.desired),
        acked=None if delivery.acked is None else shown(delivery.acked),
        acked_at=delivery.acked_at,
        state=state,
        why=why,
        http=delivery.last_http,
        code=delivery.last_code,
        reference=delivery.last_reference,
    )


def values_shown(values: Mapping[str, int]) -> dict[str, int]:
    """Show how many EVSEs have each value; some differ by less than is shown."""
    counted = Counter[str]()
    for value, count in values.items():
        counted[shown(value)] += count
    return dict(counted)


def _delivery_state(delivery: DeliveryReading, mode: Mode, held: bool, steady: datetime) -> tuple[DeliveryState, str]:
    if mode is not Mode.LIVE:
        return "off", f"the account's mode is {mode}"
    if delivery.lag is None:
        return "agreed", "will be asserted once more: an answer was lost" if delivery.in_doubt else ""
    if delivery.refused is not None:
        return "refused", delivery.refused
    if held:
        return "held", delivery.last_why
    if delivery.not_before is not None and delivery.not_before > steady:
        return "deferred", delivery.last_why
    return "pending", delivery.last_why


def upstream_item(
    name: str, account: Account, mode: Mode, lane: LaneReading | None, usage: Usage | None = None
) -> UpstreamItem:
    """Show one account: does it send, how far is it behind, what went wrong last; `usage`: what it was sent lately.

    An account that is not live is not behind: what it would be sent is counted apart, and nothing of it is late.
    """
    lane = _as_told(account, lane)
    item = UpstreamItem(
        name=name,
        kind=account.kind,
        mode=mode,
        state=_upstream_state(mode, lane),
        backlog=0,
        refused=0,
        lag_s=None,
        experimental=experimental_reason(account.kind),
        per_minute=account.per_minute,
        requests_last_minute=None if usage is None else usage.last_minute,
        accepted_last_hour=None if usage is None else usage.accepted_last_hour,
        failed_last_hour=None if usage is None else usage.failed_last_hour,
    )
    if lane is None:
        return item
    live = mode is Mode.LIVE
    return item.model_copy(
        update={
            **_set_by(account, lane),
            "backlog": lane.dirty if live else 0,
            "would_send": 0 if live else lane.dirty,
            "refused": lane.refused,
            "lag_s": lane.lag.total_seconds() if live and lane.lag is not None else None,
            "silent_s": lane.silent.total_seconds() if live and lane.silent is not None else None,
            "paused_until": lane.paused_until,
            "held": lane.held,
            "last_error": lane.last_error or _why_documents_wait(lane),
            "last_accepted_at": lane.last_accepted_at,
            "documents_backlog": lane.documents.dirty,
            "documents_refused": lane.documents.refused,
            "documents_held": lane.documents.held,
            **_full_loads(account, lane),
        }
    )


def _full_loads(account: Account, lane: LaneReading) -> dict[str, FullLoadTimes]:
    """Return when an account's fullLoads were and will be, where it has any."""
    if not isinstance(account, OicpAccount) or account.full_load == "never":
        return {}
    statuses = FullLoadTimes(
        wanted=lane.full_load_wanted,
        attempted_at=lane.full_load_attempted_at,
        accepted_at=lane.full_load_accepted_at,
        next_at=lane.full_load_next,
        size=lane.full_load_size,
    )
    if not account.evse_data:
        return {"full_load": statuses}
    told = lane.documents
    data = FullLoadTimes(
        wanted=told.full_load_wanted,
        attempted_at=told.full_load_attempted_at,
        accepted_at=told.full_load_accepted_at,
        next_at=told.full_load_next,
        size=told.full_load_size,
    )
    return {"full_load": statuses, "data_full_load": data}


def certificate_item(certificate: Certificate | None, now: datetime) -> CertificateItem | None:
    """Show an account's client certificate; `now` is wall time."""
    if certificate is None:
        return None
    return CertificateItem(
        subject=certificate.subject,
        not_before=certificate.not_before,
        not_after=certificate.not_after,
        days=days_left(certificate.not_after, now),
        urgency=urgency(certificate.not_after, now),
        warning=expiry_warning(certificate.not_after, now) or "",
    )


def certificate_warnings(items: Iterable[UpstreamItem]) -> list[str]:
    """Return what operators should know of the accounts' certificates, one line each."""
    shown = ((item.name, item.certificate) for item in items)
    return [f"{name}: {found.warning}" for name, found in shown if found is not None and found.warning]


def flapping_warnings(stations: Iterable[Flapping]) -> list[str]:
    """Return what operators should know of stations whose connections replace each other, one line each."""
    return [
        f"station {each.station}: {each.takeovers} connections have replaced each other, of "
        f"{' and '.join(each.addresses[:2])}: "
        + (
            "two devices with one id? Give each an id and a key of its own"
            if len(each.addresses) > 1
            else "two devices with one id behind one address, or a network that loses connections?"
        )
        for each in islice(stations, _FLAPPING_NAMED)
    ]


def _why_documents_wait(lane: LaneReading) -> str:
    told = lane.documents
    return f"besides statuses: {told.last_error}" if told.failures and told.last_error else ""


def _as_told(account: Account, lane: LaneReading | None) -> LaneReading | None:
    """Return the lane as it counts for the account: one at Spirii is told temporary statuses, and no other."""
    if lane is None or not isinstance(account, SpiriiAccount):
        return lane
    told = lane.documents
    return replace(
        lane,
        paused_until=told.paused_until or lane.paused_until,
        held=told.held,
        last_error=told.last_error,
        last_accepted_at=told.last_accepted_at,
        dirty=told.dirty,
        refused=told.refused,
        in_doubt=told.in_doubt,
        lag=told.lag,
    )


def _set_by(account: Account, lane: LaneReading) -> dict[str, object]:
    """Return who set the mode that counts, and when: an `off` in the configuration is nobody else's."""
    if account.mode is Mode.OFF or lane.mode is None:
        return {}
    return {"mode_by": lane.mode_by or "configuration", "mode_at": lane.mode_at}


def _upstream_state(mode: Mode, lane: LaneReading | None) -> UpstreamState:
    match mode:
        case Mode.OFF:
            return "off"
        case Mode.DRY_RUN:
            return "dry_run"
        case Mode.LIVE if lane is None:
            return "ok"
        case Mode.LIVE if lane.held is not None:
            return "held"
        case Mode.LIVE:
            told = lane.documents
            return "degraded" if lane.failures or told.failures or told.held is not None else "ok"


def import_report(result: ImportResult, *, applied: bool) -> ImportReport:
    """Show what an import changed, or would have."""
    diff = result.diff
    return ImportReport(
        applied=applied,
        stations_added=diff.stations_added,
        stations_changed=diff.stations_changed,
        stations_removed=diff.stations_removed,
        evses_added=diff.evses_added,
        evses_changed=diff.evses_changed,
        evses_removed=diff.evses_removed,
        warnings=tuple(f"line {warning.line}: {warning.text}" for warning in result.warnings),
    )


def row_errors(error: InventoryInvalid) -> list[RowError]:
    """Show every wrong row of a file."""
    return [RowError(line=row.line, column=row.column, value=row.value, problem=row.wanted) for row in error.errors]


def listing_report(result: ListingResult, *, applied: bool) -> ImportReport:
    """Show what the import of a listing changed, or would have."""
    diff = result.diff
    return ImportReport(
        applied=applied,
        listings_added=_named(diff.added),
        listings_changed=_named(diff.changed),
        listings_removed=_named(diff.removed),
        listings_unlisted=_named(diff.unlisted),
        warnings=result.warnings,
    )


def _named(names: Iterable[ListingName]) -> tuple[str, ...]:
    return tuple(f"{kind} {key}" for kind, key in names)


def listing_errors(error: ListingInvalid) -> list[RowError]:
    """Show every mistake of a listing file."""
    return [RowError(line=0, column=row.place, value=row.value, problem=row.wanted) for row in error.errors]


def listing_items(rows: Iterable[ListingRow]) -> tuple[ListingItem, ...]:
    """Show everything that is listed."""
    return tuple(
        ListingItem.model_validate(
            {"kind": str(row.kind), "key": row.key, "reference": row.reference, "content": json.loads(row.content)}
        )
        for row in rows
    )


def connector_items(readings: Iterable[ConnectorReading], connected: Collection[str]) -> tuple[ConnectorItem, ...]:
    """Show connectors, each with its last report."""
    return tuple(
        ConnectorItem(
            station=reading.station,
            evse=reading.address.evse,
            connector=reading.address.connector,
            evse_id=reading.evse_id,
            operator=reading.operator,
            connected=reading.station in connected,
            reported=_reported(reading),
        )
        for reading in readings
    )


def _reported(reading: ConnectorReading) -> Reported | None:
    if reading.status is None or reading.received_at is None:
        return None
    return Reported(
        evse=reading.address.evse,
        connector=reading.address.connector,
        status=reading.status,
        received_at=reading.received_at,
        stale=reading.stale,
    )


def inventory_rows(entries: Iterable[InventoryEntry]) -> tuple[InventoryRow, ...]:
    """Show every connector, in the order of station, evse, connector."""
    rows = [
        InventoryRow(
            station=entry.station,
            version=_version(address),
            security=entry.security,
            evse=address.evse,
            connector=address.connector,
            evse_id=entry.evse_id,
            operator=entry.operator,
            layer0=entry.layer0.value,
            chargeprice_station=entry.chargeprice_station,
            chargeprice_point=entry.chargeprice_point,
            spirii=entry.spirii,
        )
        for entry in entries
        for address in entry.connectors
    ]
    return tuple(sorted(rows, key=lambda row: (row.station, row.evse, row.connector)))


def _version(address: ConnectorAddress) -> str:
    """Return the version by the form of the address: only OCPP 1.6 counts connectors without an EVSE."""
    return "1.6" if address.evse == 0 else "2.x"
