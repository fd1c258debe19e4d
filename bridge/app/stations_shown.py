"""Turn what the store and the OCPP side know of stations, and what stations answered, into what is shown.

Pure. The values of secrets are hidden here, once for the web and the command line. Before it: `station_services`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import islice

from bridge.app.rotation import Rotated
from bridge.store.readings import EvseReading
from bridge.store.security_events import CertificateRequest, SecurityEvent
from bridge.store.station_readings import ReportRow, StationRow
from bridge.web.station_shapes import (
    CallResult,
    CertificateRequestItem,
    ConnectionItem,
    ReportItem,
    RotationResult,
    SecurityEventItem,
    SecurityItem,
    SettingItem,
    StationDetail,
    StationEvse,
    StationItem,
)
from csms.events import OcppVersion, StationId
from csms.flapping import Flapping
from csms.hidden_values import HIDDEN, hide
from csms.operator_calls import CallAnswer, CallOutcome
from csms.orders import Setting
from csms.secret_names import sets_secret
from csms.server import ConnectedStation
from csms.verbs import done, settings_of, status_of

_FLAPPING_NAMED = 5


def station_item(row: StationRow, live: ConnectedStation | None) -> StationItem:
    """Return one station of a list; `live` is its open connection."""
    return StationItem(
        station=row.station,
        connected=live is not None,
        version=row.version,
        profile=None if live is None else int(live.profile),
        commandable=None if live is None else live.commandable,
        vendor=row.vendor,
        model=row.model,
        firmware=row.firmware,
        evses=row.evses,
        heard_at=row.heard_at,
    )


def station_detail(
    row: StationRow,
    live: ConnectedStation | None,
    reports: Sequence[ReportRow],
    evses: Sequence[EvseReading],
    steady: datetime,
) -> StationDetail:
    """Return everything about one station but what was counted and what it told of its security.

    `steady` is now, for the ages.
    """
    return StationDetail(
        station=row.station,
        connected=live is not None,
        connection=None if live is None else _connection(live),
        version=row.version,
        default_version=row.default_version,
        vendor=row.vendor,
        model=row.model,
        serial=row.serial,
        firmware=row.firmware,
        security=_security(row),
        accepted_at=row.accepted_at,
        booted_at=row.booted_at,
        heard_at=row.heard_at,
        unreachable_since=row.unreachable_at,
        refuses_trigger=row.refuses_trigger,
        strict=row.strict,
        layer0=row.layer0,
        evses=tuple(_evse(evse) for evse in evses if not evse.removed),
        reports=tuple(_report(report, steady) for report in reports),
        counts={},
    )


def security_event_item(event: SecurityEvent) -> SecurityEventItem:
    """Return one security event that a station reported."""
    return SecurityEventItem(at=event.at, kind=event.kind, info=event.info, reported_at=event.reported_at)


def certificate_request_item(request: CertificateRequest) -> CertificateRequestItem:
    """Return what a station asks to be signed."""
    return CertificateRequestItem(kind=request.kind, csr=request.csr, at=request.at)


def call_result(station: StationId, version: OcppVersion, action: str, answer: CallAnswer) -> CallResult:
    """Return what became of a CALL that was sent, without the values of secrets."""
    status = status_of(version, action, answer.payload)
    settings = tuple(map(_setting, settings_of(version, action, answer.payload)))
    # What the schema refuses and what has no word of its own says nothing: a reset may have been done or not.
    told = answer.valid or bool(status or settings)
    return CallResult.model_validate(
        {
            "station": station,
            "action": action,
            "outcome": answer.outcome.value,
            "payload": hide(dict(answer.payload)),
            "valid": answer.valid,
            "status": status[:64],
            "done": answer.outcome is CallOutcome.ANSWERED and told and done(status),
            "code": answer.code,
            "why": answer.why,
            "settings": settings,
        }
    )


def rotation_result(station: StationId, rotated: Rotated) -> RotationResult:
    """Return what became of a key that was sent, with the new one where the operator has to know it."""
    return RotationResult.model_validate(
        {
            "station": station,
            "state": rotated.state.value,
            "key": rotated.key,
            "status": rotated.status[:64],
            "why": " ".join(part for part in (rotated.answer.code, rotated.answer.why) if part),
        }
    )


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


def _setting(setting: Setting) -> SettingItem:
    value = HIDDEN if setting.value and sets_secret(setting.key) else setting.value
    return SettingItem(key=setting.key, value=value, readonly=setting.readonly, status=setting.status)


def _connection(live: ConnectedStation) -> ConnectionItem:
    return ConnectionItem(
        version=live.version.value,
        remote=live.remote,
        since=live.since,
        profile=int(live.profile),
        takeovers=live.takeovers,
        commandable=live.commandable,
    )


def _security(row: StationRow) -> SecurityItem:
    return SecurityItem(
        profile=int(row.security),
        reached=int(row.reached),
        key=row.has_key,
        certificate_name=row.certificate_name,
        rotating_since=row.rotating_since,
    )


def _evse(evse: EvseReading) -> StationEvse:
    return StationEvse(
        evse_id=evse.evse_id,
        operator=evse.operator,
        connectors=tuple(f"{address.evse}.{address.connector}" for address in evse.connectors),
        effective=evse.status.value,
    )


def _report(report: ReportRow, steady: datetime) -> ReportItem:
    return ReportItem(
        evse=report.evse,
        connector=report.connector,
        status=report.status,
        source=report.source,
        received_at=report.received_at,
        age_s=max(0.0, round((steady - report.received_at).total_seconds(), 1)),
        reported_at=report.reported_at,
        error_code=report.error_code,
        vendor_error_code=report.vendor_error_code,
        info=report.info,
        stale=report.stale,
    )
