"""Health and status over the real store: certificates of running and of stopped bridges, and counts."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import trustme

from bridge.app import options as fill
from bridge.app.clock import SystemClock
from bridge.app.services import StoreServices
from bridge.app.stopped import stopped
from bridge.app.wakes import Wakes
from bridge.core.expiry import Urgency
from bridge.core.modes import Mode
from bridge.settings import OicpAccount, Settings
from bridge.store.engine import Store, open_store
from bridge.store.writer import Writer
from bridge.upstreams.certificates import Certificate
from csms.auth import StationKeys
from tests.certificates import issue


def settings_in(folder: Path, certificate: Path | None = None) -> Settings:
    account = OicpAccount(
        kind="oicp", base_url="http://127.0.0.1:1/api/oicp", operator_id="DE*ABC", client_certificate=certificate
    )
    return Settings(state_dir=folder / "state", accounts={"hubject": account})


@asynccontextmanager
async def opened(settings: Settings, certificates: Mapping[str, Certificate]) -> AsyncIterator[StoreServices]:
    store = open_store(settings.store_url, state_dir=settings.state_dir)
    store.upgrade()
    writer = Writer(store)
    writer.start()
    yield services_over(settings, store, writer, certificates)
    await writer.stop()
    await store.close()


def services_over(
    settings: Settings, store: Store, writer: Writer, certificates: Mapping[str, Certificate]
) -> StoreServices:
    return StoreServices(
        settings,
        store,
        writer,
        clock=SystemClock(),
        keys=StationKeys(b"p" * 32),
        derive=fill.derive_options(settings),
        wakes=Wakes(),
        central=None,
        certificates=lambda: certificates,
        counts=lambda: {"frame_binary": 2},
    )


def ending_in(days: int) -> Certificate:
    now = datetime.now(UTC)
    return Certificate("CN=DE*ABC", now - timedelta(days=9), now + timedelta(days=days, hours=1))


async def test_a_certificate_near_its_end_is_in_status_warnings_and_health(tmp_path: Path) -> None:
    async with opened(settings_in(tmp_path), {"hubject": ending_in(6)}) as services:
        status, health = await services.status(), await services.health()
        switched = await services.set_mode("hubject", Mode.DRY_RUN, confirm_full_load=False, by="test")
    (item,) = status.upstreams
    assert item.certificate is not None
    assert (item.certificate.days, item.certificate.urgency) == (6, Urgency.URGENT)
    assert [line for line in status.warnings if line.startswith("hubject: URGENT: the client certificate ends on")]
    assert (health.status, health.components["certificate hubject"].status) == ("degraded", "degraded")
    assert health.components["database"].status == "ok"
    assert (switched.mode, switched.certificate is not None) == (Mode.DRY_RUN, True)


async def test_counts_are_in_the_status(tmp_path: Path) -> None:
    async with opened(settings_in(tmp_path), {}) as services:
        status, health = await services.status(), await services.health()
    assert status.counts == {"frame_binary": 2}
    assert status.upstreams[0].certificate is None
    assert health.status == "ok"


async def test_a_stopped_bridge_s_certificate_is_read_from_its_file(tmp_path: Path) -> None:
    file = tmp_path / "hub.pem"
    file.write_bytes(issue(trustme.CA(), ends=20).whole)
    async with stopped(settings_in(tmp_path, file)) as services:
        certificate = (await services.status()).upstreams[0].certificate
        assert certificate is not None
        assert (certificate.days, certificate.urgency) == (19, Urgency.NOTICE)
        file.write_bytes(b"no PEM")
        assert (await services.status()).upstreams[0].certificate is None


class HungWriter(Writer):
    """A writer whose transaction has been running for 45 s."""

    @property
    def waited(self) -> timedelta:
        return timedelta(seconds=45)


async def test_transaction_that_hangs_makes_the_bridge_unready_and_is_asked_nothing_more(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    store = open_store(settings.store_url, state_dir=settings.state_dir)
    store.upgrade()
    writer = HungWriter(store)  # not started: whatever it was asked would fail
    services = services_over(settings, store, writer, {})
    readiness, health = await services.ready(), await services.health()
    await store.close()
    assert (readiness.ready, readiness.why) == (False, "the database has not committed for 45 s")
    assert (health.status, health.components["database"].status) == ("failed", "failed")
