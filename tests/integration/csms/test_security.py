"""What a station says about its own security is recorded before it is answered; what it wants signed, where held."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
from structlog.testing import capture_logs

from csms.events import CertificateRequested, SecurityEventReported
from csms.ports import NotRecorded
from tests.integration.csms.conftest import Site
from tests.integration.csms.fakes import dial
from tests.unit.csms.test_security import EVENT, csr

SiteOf = Callable[..., Awaitable[Site]]

versions = pytest.mark.parametrize("version", ["ocpp1.6", "ocpp2.0.1"])


@versions
async def test_critical_event_is_recorded_counted_and_warned_of(site: Site, version: str) -> None:
    station = await dial(site.port, offers=[version])
    with capture_logs() as logs:
        assert await station.call("SecurityEventNotification", EVENT) == [3, "m1", {}]
        assert await station.call("SecurityEventNotification", {**EVENT, "type": "InvalidMessages"}) == [3, "m2", {}]
    events = site.recorder.of(SecurityEventReported)
    assert [event.kind for event in events] == ["TamperDetectionActivated", "InvalidMessages"]
    assert site.counter.counts["security_event"] == 2
    warned = [(log["station"], log["kind"], log["info"]) for log in logs if log["log_level"] == "warning"]
    assert warned == [("CP1", "TamperDetectionActivated", "door")]


@versions
async def test_event_that_is_not_durable_is_not_confirmed(site: Site, version: str) -> None:
    station = await dial(site.port, offers=[version])
    site.recorder.down = True
    assert (await station.call("SecurityEventNotification", EVENT))[:3] == [4, "m1", "InternalError"]


@versions
async def test_request_for_a_certificate_is_rejected_by_default(site: Site, version: str) -> None:
    station = await dial(site.port, offers=[version])
    assert await station.call("SignCertificate", {"csr": csr()}) == [3, "m1", {"status": "Rejected"}]
    assert site.recorder.events == []


@versions
async def test_request_that_is_held_is_recorded_and_then_accepted(site_of: SiteOf, version: str) -> None:
    site = await site_of(hold_certificate_requests=True)
    site.registry.add("CP1")
    station = await dial(site.port, offers=[version])
    assert await station.call("SignCertificate", {"csr": csr()}) == [3, "m1", {"status": "Accepted"}]
    assert await station.call("SignCertificate", {"csr": "junk"}) == [3, "m2", {"status": "Rejected"}]
    assert [event.csr for event in site.recorder.of(CertificateRequested)] == [csr()]
    assert site.counter.counts["certificate_unreadable"] == 1
    site.recorder.before = _failing
    assert (await station.call("SignCertificate", {"csr": csr()}))[:3] == [4, "m3", "InternalError"]


async def _failing(_event: object) -> None:
    raise NotRecorded
