"""Drive the central system with another implementation's client: the `ocpp` package's ChargePoint."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

from ocpp.routing import after, on
from ocpp.v16 import ChargePoint as ChargePoint16
from ocpp.v16 import call as call16
from ocpp.v16 import call_result as result16
from ocpp.v21 import ChargePoint as ChargePoint21
from ocpp.v21 import call as call21
from ocpp.v21 import call_result as result21
from ocpp.v201 import ChargePoint as ChargePoint201
from ocpp.v201 import call as call201
from ocpp.v201 import call_result as result201

from csms.events import (
    ConnectorAddress,
    ResyncEnded,
    ResyncFinished,
    StationBooted,
    StatusReported,
    TransactionIdNeeded,
    TransactionReported,
)
from tests.integration.csms.conftest import Site
from tests.integration.csms.fakes import PATIENCE_S, dial

SiteOf = Callable[..., Awaitable[Site]]
NOW = "2026-11-21T10:00:00Z"
MS = timedelta(milliseconds=1)
QUICK = {"first_call_wait": 10 * MS, "settle": 10 * MS, "settle_after_boot": 10 * MS}


class Station16(ChargePoint16):
    @on("TriggerMessage")
    def on_trigger(self, requested_message: str, connector_id: int) -> Any:
        return result16.TriggerMessage(status="Accepted")

    @after("TriggerMessage")
    async def report(self, requested_message: str, connector_id: int) -> None:
        await self.call(
            call16.StatusNotification(connector_id=connector_id, error_code="NoError", status="Preparing"),
            suppress=False,
        )


class Station201(ChargePoint201):
    @on("TriggerMessage")
    def on_trigger(self, requested_message: str, evse: dict[str, int]) -> Any:
        return result201.TriggerMessage(status="Accepted")

    @after("TriggerMessage")
    async def report(self, requested_message: str, evse: dict[str, int]) -> None:
        await self.call(
            call201.StatusNotification(
                timestamp=NOW, connector_status="Occupied", evse_id=evse["id"], connector_id=evse["connector_id"]
            ),
            suppress=False,
        )


class Station21(ChargePoint21):
    @on("TriggerMessage")
    def on_trigger(self, requested_message: str, evse: dict[str, int]) -> Any:
        return result21.TriggerMessage(status="Accepted")

    @after("TriggerMessage")
    async def report(self, requested_message: str, evse: dict[str, int]) -> None:
        await self.call(state_21("Occupied", evse["id"], evse["connector_id"]), suppress=False)


def state_21(value: str, evse: int, connector: int) -> Any:
    """Report as 2.1 prefers it: NotifyEvent with AvailabilityState (G01)."""
    data = {
        "event_id": 1,
        "timestamp": NOW,
        "trigger": "Delta",
        "actual_value": value,
        "event_notification_type": "HardWiredNotification",
        "component": {"name": "Connector", "evse": {"id": evse, "connector_id": connector}},
        "variable": {"name": "AvailabilityState"},
        "severity": 9,
    }
    return call21.NotifyEvent(generated_at=NOW, seq_no=0, event_data=[data])


@asynccontextmanager
async def connected(site: Site, kind: type[Any], version: str) -> AsyncIterator[Any]:
    station = await dial(site.port, offers=[version])
    client = kind("CP1", station.socket, response_timeout=PATIENCE_S)
    running = asyncio.create_task(client.start(), name="ocpp client")
    yield client
    running.cancel()
    await asyncio.wait([running])
    await station.socket.close()


async def test_16_client_boots_beats_reports_and_charges(site: Site) -> None:
    site.registry.add("CP1", accepted=False)
    async with connected(site, Station16, "ocpp1.6") as client:

        async def ask(request: Any) -> Any:
            return await client.call(request, suppress=False)

        boot = await ask(call16.BootNotification(charge_point_model="Model", charge_point_vendor="Vendor"))
        assert boot.status == "Accepted"
        assert (await ask(call16.Heartbeat())).current_time.endswith("Z")
        await ask(call16.StatusNotification(connector_id=1, error_code="NoError", status="Preparing"))
        started = await ask(call16.StartTransaction(connector_id=1, id_tag="TAG", meter_start=0, timestamp=NOW))
        assert (started.transaction_id, started.id_tag_info["status"]) == (1, "Accepted")
        await ask(call16.StatusNotification(connector_id=1, error_code="NoError", status="Charging"))
        await ask(call16.StopTransaction(meter_stop=7, timestamp=NOW, transaction_id=1))
    assert [event.vendor for event in site.recorder.of(StationBooted)] == ["Vendor"]
    assert [event.status for event in site.recorder.of(StatusReported)] == ["Preparing", "Charging"]
    assert len(site.recorder.of(TransactionIdNeeded)) == 1


async def test_201_client_boots_beats_reports_and_charges(site: Site) -> None:
    site.registry.add("CP1", accepted=False)
    async with connected(site, Station201, "ocpp2.0.1") as client:

        async def ask(request: Any) -> Any:
            return await client.call(request, suppress=False)

        boot = await ask(
            call201.BootNotification(charging_station={"model": "Model", "vendor_name": "Vendor"}, reason="PowerUp")
        )
        assert boot.status == "Accepted"
        assert (await ask(call201.Heartbeat())).current_time.endswith("Z")
        await ask(call201.StatusNotification(timestamp=NOW, connector_status="Occupied", evse_id=1, connector_id=1))
        await ask(
            call201.TransactionEvent(
                event_type="Started",
                timestamp=NOW,
                trigger_reason="CablePluggedIn",
                seq_no=0,
                transaction_info={"transaction_id": "t1", "charging_state": "Charging"},
                evse={"id": 1, "connector_id": 1},
            )
        )
    assert [event.status for event in site.recorder.of(StatusReported)] == ["Occupied"]
    assert [event.charging_state for event in site.recorder.of(TransactionReported)] == ["Charging"]


async def test_21_client_boots_beats_reports_and_charges(site: Site) -> None:
    site.registry.add("CP1", accepted=False)
    async with connected(site, Station21, "ocpp2.1") as client:

        async def ask(request: Any) -> Any:
            return await client.call(request, suppress=False)

        boot = await ask(
            call21.BootNotification(charging_station={"model": "Model", "vendor_name": "Vendor"}, reason="PowerUp")
        )
        assert boot.status == "Accepted"
        assert (await ask(call21.Heartbeat())).current_time.endswith("Z")
        await ask(call21.StatusNotification(timestamp=NOW, connector_status="Available", evse_id=1, connector_id=1))
        await ask(state_21("Occupied", 1, 1))
        await ask(
            call21.TransactionEvent(
                event_type="Started",
                timestamp=NOW,
                trigger_reason="CablePluggedIn",
                seq_no=0,
                transaction_info={
                    "transaction_id": "t1",
                    "charging_state": "Charging",
                    "operation_mode": "ChargingOnly",
                },
                evse={"id": 1, "connector_id": 1},
                evse_sleep=False,
            )
        )
        vat = await ask(call21.VatNumberValidation(vat_number="DE123", evse_id=1))
        assert (vat.vat_number, vat.evse_id, vat.status) == ("DE123", 1, "Rejected")
        hashes = {"hash_algorithm": "SHA256", "issuer_name_hash": "n", "issuer_key_hash": "k", "serial_number": "1a"}
        asked = {"source": "OCSP", "urls": ["http://ocsp.example"], "certificate_hash_data": hashes}
        chain = await ask(call21.GetCertificateChainStatus(certificate_status_requests=[asked]))
        assert [(one["source"], one["status"]) for one in chain.certificate_status] == [("OCSP", "Failed")]
    assert [event.status for event in site.recorder.of(StatusReported)] == ["Available", "Occupied"]
    assert [event.charging_state for event in site.recorder.of(TransactionReported)] == ["Charging"]


async def test_16_client_is_asked_and_answers(site_of: SiteOf) -> None:
    site = await site_of(**QUICK)
    site.registry.add("CP1", connectors=(ConnectorAddress(0, 1), ConnectorAddress(0, 2)))
    async with connected(site, Station16, "ocpp1.6"):
        await site.recorder.until(1, ResyncFinished)
    assert [(end.connector, end.outcome) for end in site.recorder.of(ResyncEnded)] == [(1, "answered"), (2, "answered")]


async def test_201_client_is_asked_and_answers(site_of: SiteOf) -> None:
    site = await site_of(**QUICK)
    site.registry.add("CP1", connectors=(ConnectorAddress(1, 1), ConnectorAddress(1, 2)))
    async with connected(site, Station201, "ocpp2.0.1"):
        await site.recorder.until(1, ResyncFinished)
    ends = [(end.evse, end.connector, end.outcome) for end in site.recorder.of(ResyncEnded)]
    assert ends == [(1, 1, "answered"), (1, 2, "answered")]


async def test_21_client_is_asked_and_answers_by_an_event(site_of: SiteOf) -> None:
    site = await site_of(**QUICK)
    site.registry.add("CP1", connectors=(ConnectorAddress(1, 1), ConnectorAddress(1, 2)))
    async with connected(site, Station21, "ocpp2.1"):
        await site.recorder.until(1, ResyncFinished)
    ends = [(end.evse, end.connector, end.outcome) for end in site.recorder.of(ResyncEnded)]
    assert ends == [(1, 1, "answered"), (1, 2, "answered")]
