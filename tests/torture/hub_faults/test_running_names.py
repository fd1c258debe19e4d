"""A real bridge whose name server fails in every way: its hub waits, the other one does not, and nothing hangs."""

from __future__ import annotations

import ssl
import time
from pathlib import Path

import pytest
import trustme

from tests.acceptance.conftest import MakeSite
from tests.acceptance.harness import Site
from tests.acceptance.processes import until
from tests.acceptance.scripted import ScriptedStation, inventory
from tests.certificates import issue
from tests.torture.hub_faults.nameserver import NXDOMAIN, SERVFAIL, NameServer, permitted
from tests.torture.hub_faults.subjects import OICP_SUCCESS, SUBJECTS
from tests.torture.hub_faults.wire import playing

pytestmark = [
    pytest.mark.row("T40"),
    pytest.mark.skipif(not permitted(), reason="a name server of its own needs a mount namespace, which root may make"),
    pytest.mark.timeout(120),
]

STATION = "DNS1"
CHARGEPRICE = f"{STATION}-site/{STATION}-point"
HUB = "hub.torture.example"
SUCCESS = SUBJECTS[0].success
REPORTS = {"Charging": "occupied", "Faulted": "maintainance", "Reserved": "reserved"}
"""What a station reports, and Chargeprice's word for it."""
LOOKUP_S = 30.0
"""How long the system's resolver waits for an answer."""


async def site_of(make_site: MakeSite, names: NameServer, port: int, authority: trustme.CA) -> Site:
    """Start a bridge that knows Hubject by a name, and Chargeprice by its address."""
    site = make_site(STATUS__AVAILABLE_HOLD="0 s", ACCOUNTS__HUBJECT__FULL_LOAD="never", PUSH__CONNECT_TIMEOUT="2 s")
    site.set(ACCOUNTS__HUBJECT__BASE_URL=f"https://{HUB}:{port}", **certificates(site.folder, authority))
    await site.start_hubs()
    site.bridge_command = names.command(site.folder, site.bridge_command)
    await site.start_bridge()
    await site.import_inventory(inventory(STATION))
    return site


def certificates(folder: Path, authority: trustme.CA) -> dict[str, str]:
    """Write what the account needs for TLS, and return its settings."""
    (folder / "authority.pem").write_bytes(authority.cert_pem.bytes())
    (folder / "ours.pem").write_bytes(issue(authority).whole)
    return {
        "ACCOUNTS__HUBJECT__CA_BUNDLE": str(folder / "authority.pem"),
        "ACCOUNTS__HUBJECT__CLIENT_CERTIFICATE": str(folder / "ours.pem"),
    }


def served(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(HUB).configure_cert(context)
    return context


async def told(site: Site, station: ScriptedStation, status: str) -> None:
    """Report a status and wait until Chargeprice has it."""
    await station.report(status)

    async def look() -> bool:
        return (await site.hubs["chargeprice"].state()).get(CHARGEPRICE) == REPORTS[status]

    await until(look, 5, f"{REPORTS[status]} at Chargeprice")


async def says(site: Site, words: str) -> bool:
    (account,) = [item for item in (await site.ask("upstreams"))["items"] if item["name"] == "hubject"]
    return account["state"] == "degraded" and words in account["last_error"]


async def test_a_name_server_that_fails_delays_its_hub_alone_and_the_bridge_ends_in_time(make_site: MakeSite) -> None:
    authority = trustme.CA()
    async with NameServer(failure=NXDOMAIN) as names, playing((), SUCCESS, OICP_SUCCESS, served(authority)) as hub:
        site = await site_of(make_site, names, hub.port, authority)
        async with ScriptedStation(site.ocpp_url, STATION) as station:
            await station.boot()
            await told(site, station, "Charging")
            await until(lambda: says(site, f"{HUB}: Name or service not known"), 20, "an unknown name")
            names.failure = SERVFAIL
            await told(site, station, "Faulted")
            await until(lambda: says(site, f"{HUB}: Temporary failure in name resolution"), 20, "a failing name server")
            names.failure, names.silent = 0, True
            await told(site, station, "Reserved")
            await until(lambda: says(site, "no name server has told the hub's address"), 20, "a silent name server")
        began = time.monotonic()
        assert await site.stop_bridge(within=LOOKUP_S / 2) == 0
        assert time.monotonic() - began < LOOKUP_S / 2
    assert (hub.requests, hub.connections) == ([], 0)


@pytest.mark.long
async def test_a_hub_is_met_once_its_name_is_known_and_at_its_new_address_when_it_has_moved(
    make_site: MakeSite,
) -> None:
    authority = trustme.CA()
    async with NameServer(failure=NXDOMAIN) as names, playing((), SUCCESS, OICP_SUCCESS, served(authority)) as old:
        site = await site_of(make_site, names, old.port, authority)
        async with ScriptedStation(site.ocpp_url, STATION) as station:
            await station.boot()
            await told(site, station, "Charging")
            await until(lambda: says(site, "Name or service not known"), 20, "an unknown name")
            names.failure = 0
            await until(lambda: any(b"Occupied" in request for request in old.requests), 30, "the hub at its address")
            async with playing((), SUCCESS, OICP_SUCCESS, served(authority), place=("127.0.0.2", old.port)) as new:
                names.address = "127.0.0.2"
                old.leave()
                await told(site, station, "Faulted")
                await until(
                    lambda: any(b"OutOfService" in request for request in new.requests), 60, "the hub elsewhere"
                )
