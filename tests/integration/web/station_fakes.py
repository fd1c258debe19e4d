"""A hand-written fake of the services about stations."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

from bridge.web.services import NotFound, ServiceError
from bridge.web.station_shapes import (
    AvailabilityOrder,
    CallOrder,
    CallResult,
    CertificateRequestItem,
    ConfigurationChange,
    ConfigurationQuery,
    ConnectionItem,
    ProfileOrder,
    ReportItem,
    ResetOrder,
    RotationOrder,
    RotationResult,
    SecurityEventItem,
    SecurityItem,
    StationDetail,
    StationEvse,
    StationItem,
    StationPage,
    TriggerOrder,
    UnlockOrder,
)

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
KEY = "5f" * 20


def item(number: int, *, connected: bool = True) -> StationItem:
    return StationItem(
        station=f"CS-{number}",
        connected=connected,
        version="ocpp1.6",
        profile=1 if connected else None,
        commandable=number != 2 if connected else None,
        vendor="Acme",
        model="One",
        firmware="1.0",
        evses=1,
        heard_at=NOON,
    )


DETAIL = StationDetail(
    station="CS-2",
    connected=True,
    connection=ConnectionItem(
        version="ocpp1.6", remote="192.0.2.1:5000", since=NOON, profile=1, takeovers=3, commandable=False
    ),
    version="ocpp1.6",
    default_version=None,
    vendor="Acme",
    model="One",
    serial="S1",
    firmware="1.0",
    security=SecurityItem(profile=1, reached=2, key=True, certificate_name="", rotating_since=NOON),
    accepted_at=NOON,
    booted_at=NOON,
    heard_at=NOON,
    unreachable_since=None,
    refuses_trigger=True,
    strict=False,
    layer0="downgrade",
    evses=(StationEvse(evse_id="DE*ABC*E1", operator="acme", connectors=("0.1",), effective="charging"),),
    reports=(
        ReportItem(
            evse=0,
            connector=1,
            status="Charging",
            source="StatusNotification",
            received_at=NOON,
            age_s=61.4,
            reported_at="1970-01-01T00:00:00Z",
            error_code="OtherError",
            vendor_error_code="E7",
            info="door open",
            stale=True,
        ),
    ),
    counts={"frame_malformed_not_json": 2},
    security_events=(SecurityEventItem(at=NOON, kind="InvalidMessages", info="3 of them", reported_at=""),),
    certificate_requests=(CertificateRequestItem(kind="", csr="-----BEGIN\x1b[2J\nMIIB", at=NOON),),
)
"""Something of everything."""


def result(action: str = "Reset", **members: object) -> CallResult:
    return CallResult.model_validate(
        {
            "station": "CS-1",
            "action": action,
            "outcome": "answered",
            "payload": {"status": "Accepted"},
            "valid": True,
            "status": "Accepted",
            "done": True,
            "code": "",
            "why": "",
            **members,
        }
    )


@dataclass
class FakeStations:
    """Implements `StationServices` in memory; `orders` is what was asked of it, `result` what each CALL comes to."""

    orders: list[tuple[object, ...]] = field(default_factory=list)
    result: CallResult = field(default_factory=result)
    rotated: RotationResult = field(
        default_factory=lambda: RotationResult(station="CS-1", state="accepted", key=KEY, status="Accepted", why="")
    )
    failure: ServiceError | None = None

    async def list(self, limit: int, cursor: str | None, *, connected: bool | None, version: str | None) -> StationPage:
        self.orders.append(("list", limit, cursor, connected, version))
        items = tuple(item(number) for number in range(1, 4))[:limit]
        return StationPage(items=items, next_cursor=items[-1].station if limit < 3 else None)

    async def get(self, identity: str) -> StationDetail:
        if identity == "unknown":
            raise NotFound("station", identity)
        return DETAIL.model_copy(update={"station": identity})

    async def call(self, identity: str, order: CallOrder) -> CallResult:
        return self._take(identity, order)

    async def trigger(self, identity: str, order: TriggerOrder) -> CallResult:
        return self._take(identity, order)

    async def availability(self, identity: str, order: AvailabilityOrder) -> CallResult:
        return self._take(identity, order)

    async def reset(self, identity: str, order: ResetOrder) -> CallResult:
        return self._take(identity, order)

    async def get_configuration(self, identity: str, order: ConfigurationQuery) -> CallResult:
        return self._take(identity, order)

    async def set_configuration(self, identity: str, order: ConfigurationChange) -> CallResult:
        return self._take(identity, order)

    async def unlock(self, identity: str, order: UnlockOrder) -> CallResult:
        return self._take(identity, order)

    async def rotate_key(self, identity: str, order: RotationOrder) -> RotationResult:
        self._take(identity, order)
        return self.rotated

    async def set_profile(self, identity: str, order: ProfileOrder) -> StationDetail:
        self._take(identity, order)
        security = DETAIL.security.model_copy(update={"profile": order.profile, "reached": order.profile})
        return DETAIL.model_copy(update={"station": identity, "security": security})

    def _take(self, identity: str, order: object) -> CallResult:
        if self.failure is not None:
            raise self.failure
        self.orders.append((identity, order))
        return self.result
