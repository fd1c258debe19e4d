"""Stations that do wrong what real hardware does, and hubs that agree all the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from simulators.fleet.layout import Version
from simulators.fleet.station_certificates import write_certificates
from tests.acceptance.conftest import MakeSite
from tests.acceptance.harness import ROOT, FleetPlan, Site
from tests.acceptance.processes import free_port, until

ENOUGH = 250
"""Answered reports after which the fleet has shown most of what it does."""

CONNECTING = (
    *("no-subprotocol", "empty-subprotocol", "uppercase-subprotocol", "no-connection-header", "probe-then-real"),
    *("content-length", "prefix-path", "trailing-slash", "odd-id", "hex-key", "raw-key", "colon-key"),
    *("malformed-request", "http-1-0"),
)
STAYING = (
    "no-pong",
    "idle-close",
    "half-open",
    "fast-reconnect",
    "heartbeat-only",
    "truncated-json",
    "silent-before-redial",
)
WRITING = (
    *("repeated-ids", "sent-twice", "invalid-meter-values", "leading-comma", "non-utf8", "large-messages"),
    *("binary-frames", "junk-characters", "line-breaks"),
    *("strange-meter-values", "meter-values-of-15", "security-actions"),
    *("unsolicited-results", "error-code-error", "empty-vendor", "long-serial", "wrong-case-keys", "numeric-strings"),
)
TELLING = (
    *("bad-clock", "offline-queue", "no-status-after-connect", "rejects-trigger", "slow-trigger"),
    *("trigger-only-connector-0", "no-boot", "dies-on-early-call", "connector-0-disagrees", "blink-available"),
)


PLAIN_ADDRESS = 'host = "127.0.0.1"\nport = 9000\n'
LISTENERS = """
[ocpp.listeners.plain]
host = "127.0.0.1"
port = {plain}

[ocpp.listeners.secure]
host = "127.0.0.1"
port = {secure}
tls_certificate = "{folder}/server.pem"
tls_key = "{folder}/server.key"
client_ca = "{folder}/ca.pem"
"""


async def live(site: Site, plan: FleetPlan) -> None:
    """Run the fleet until it has shown most of what it does."""
    await site.start(plan)

    async def busy() -> bool:
        return bool((await site.fleet.summary())["answered"] >= ENOUGH)

    await until(busy, 40, f"{ENOUGH} reports answered")


@pytest.mark.parametrize(
    "quirks",
    [
        pytest.param(CONNECTING, id="connecting"),
        pytest.param(STAYING, id="staying connected"),
        pytest.param(WRITING, id="writing"),
        pytest.param(TELLING, id="telling", marks=pytest.mark.row("T57", "T58", "T60", "T61", "T62")),
    ],
)
async def test_hubs_agree_with_the_journal_of_a_fleet_that_does_wrong_what_hardware_does(
    make_site: MakeSite, quirks: tuple[str, ...]
) -> None:
    site = make_site()
    await live(site, FleetPlan(stations=24, quirks=quirks, quirk_share=0.3))
    await site.assert_hubs_agree()


@pytest.mark.row("T52", "T53")
async def test_hubs_agree_after_half_of_the_fleet_left_its_connections_half_open(make_site: MakeSite) -> None:
    site = make_site()
    await live(site, FleetPlan(stations=24))
    left = await site.fleet.leave_open(0.5)
    assert 5 < len(left) < 20
    await site.assert_hubs_agree()
    assert (await site.fleet.summary())["left_open"] >= len(left)


@pytest.mark.row("T55")
async def test_hubs_agree_where_second_devices_with_the_same_ids_come_and_go(make_site: MakeSite) -> None:
    site = make_site()
    await live(site, FleetPlan(stations=24, options=("--twins", "4")))

    async def met() -> bool:
        return bool((await site.fleet.summary())["twin_visits"] >= 8)

    await until(met, 20, "every second device came twice")
    await site.assert_hubs_agree()


async def test_hubs_agree_with_stations_that_prove_nothing_and_with_those_that_have_a_key(make_site: MakeSite) -> None:
    site = make_site()
    await live(site, FleetPlan(stations=24, security=(0, 1)))
    await site.assert_hubs_agree()


async def test_hubs_agree_with_stations_that_connect_by_their_id_in_lower_case(make_site: MakeSite) -> None:
    site = make_site()
    await live(site, FleetPlan(stations=24, quirks=("other-case-id", "odd-id"), quirk_share=0.5))
    await site.assert_hubs_agree()


async def test_hubs_agree_with_stations_of_all_three_versions(make_site: MakeSite) -> None:
    site = make_site()
    plan = FleetPlan(stations=36, versions=tuple(Version), quirks=(*WRITING, *TELLING), quirk_share=0.15)
    assert {spec.version for spec in plan.specs} == set(Version)
    await live(site, plan)
    await site.assert_hubs_agree()


async def test_hubs_agree_with_stations_of_every_security_profile(make_site: MakeSite, tmp_path: Path) -> None:
    site = make_site()
    folder, ports = tmp_path / "lab", {"plain": free_port(), "secure": free_port()}
    secure_url = f"wss://localhost:{ports['secure']}"
    plan = FleetPlan(
        stations=24,
        security=(0, 1, 2, 3),
        options=("--secure-url", secure_url, "--certificates", str(folder)),
    )
    write_certificates(folder, plan.specs)
    demo = (ROOT / "config" / "demo" / "bridge.toml").read_text(encoding="utf-8")
    site.configure(demo.replace(PLAIN_ADDRESS, "") + LISTENERS.format(folder=folder, **ports))
    site.unset("OCPP__PORT")
    await live(site, plan)
    await site.assert_hubs_agree()
