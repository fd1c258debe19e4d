"""Stations behind a proxy that ends TLS, over real sockets: the test is the proxy."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import quote

import pytest
import trustme
from websockets.exceptions import InvalidStatus

from csms.doorway import ListenerTls
from csms.events import SecurityProfile
from csms.options import ListenerOptions, ProxyOptions
from tests.certificates import issue
from tests.integration.csms.conftest import Site
from tests.integration.csms.fakes import KEY, dial

SiteOf = Callable[..., Awaitable[Site]]
AUTHORITY = trustme.CA()
STATION = "203.0.113.9"
SECURE = frozenset({SecurityProfile.TLS_BASIC, SecurityProfile.TLS_CERTIFICATE})


def certificate(authority: trustme.CA = AUTHORITY, name: str = "CP1", ends: float = 90) -> str:
    return quote(issue(authority, name, ends=ends).certificate.decode(), safe="")


async def proxied(site_of: SiteOf, peers: str = "127.0.0.0/8", **options: Any) -> Site:
    listener = ListenerOptions("proxied", "127.0.0.1", 0, SECURE, proxy=ProxyOptions((peers,)))
    tls = {"proxied": ListenerTls(None, AUTHORITY.cert_pem.bytes())}
    return await site_of(tls, listeners=(listener,), **options)


async def refusal(site: Site, headers: dict[str, str], **options: Any) -> tuple[int, str]:
    with pytest.raises(InvalidStatus) as caught:
        await dial(site.port, headers=headers, **options)
    return caught.value.response.status_code, caught.value.response.body.decode().strip()


async def test_key_through_the_proxy_is_profile_2_and_the_station_has_its_own_address(site_of: SiteOf) -> None:
    site = await proxied(site_of)
    site.registry.add("CP1", security=SecurityProfile.TLS_BASIC)
    await dial(site.port, headers={"X-Forwarded-For": STATION})
    [opened] = site.recorder.opened
    assert (opened.profile, opened.remote) == (SecurityProfile.TLS_BASIC, STATION)


async def test_certificate_through_the_proxy_is_profile_3(site_of: SiteOf) -> None:
    site = await proxied(site_of)
    site.registry.add("CP1", key=None, security=SecurityProfile.TLS_CERTIFICATE)
    headers = {"X-Forwarded-For": STATION, "X-SSL-Client-Cert": certificate(), "X-SSL-Client-Verify": "SUCCESS"}
    station = await dial(site.port, password=None, headers=headers)
    assert (await station.call("Heartbeat", {}))[0] == 3
    assert site.recorder.opened[0].profile is SecurityProfile.TLS_CERTIFICATE


@pytest.mark.parametrize(
    ("shown", "status", "reason"),
    [
        pytest.param(certificate(trustme.CA()), 403, "is from no authority of client_ca", id="another-authority"),
        pytest.param(certificate(ends=-1), 403, "the client certificate expired on", id="expired"),
        pytest.param(certificate(name="CP2"), 403, "its certificate is for 'CP2', not for 'CP1'", id="another-station"),
        pytest.param("nonsense", 400, "the client certificate cannot be read", id="unreadable"),
    ],
)
async def test_certificate_is_checked_by_us_whatever_the_proxy_did(
    site_of: SiteOf, shown: str, status: int, reason: str
) -> None:
    site = await proxied(site_of)
    site.registry.add("CP1", key=None, security=SecurityProfile.TLS_CERTIFICATE)
    headers = {"X-Forwarded-For": STATION, "X-SSL-Client-Cert": shown, "X-SSL-Client-Verify": "SUCCESS"}
    found = await refusal(site, headers, password=None)
    assert found[0] == status
    assert reason in found[1]
    assert [(each.identity, each.address) for each in site.attempts.attempts] == [("CP1", STATION)]


async def test_a_peer_that_is_not_the_proxy_is_refused_before_anything_else(site_of: SiteOf) -> None:
    site = await proxied(site_of, peers="10.0.0.1")
    site.registry.add("CP1")
    headers = {"X-Forwarded-For": STATION, "X-SSL-Client-Cert": certificate()}
    assert await refusal(site, headers) == (403, "this listener takes connections from its proxy only")


async def test_a_proxy_that_forwards_no_address_is_told_what_to_send(site_of: SiteOf) -> None:
    site = await proxied(site_of)
    site.registry.add("CP1", security=SecurityProfile.TLS_BASIC)
    assert await refusal(site, {}) == (400, "the proxy must send the station's address in X-Forwarded-For")


async def test_guessing_is_slowed_down_by_the_stations_address_and_not_by_the_proxys(site_of: SiteOf) -> None:
    site = await proxied(site_of, failures_allowed=2)
    site.registry.add("CP1", security=SecurityProfile.TLS_BASIC)
    for _ in range(2):
        assert (await refusal(site, {"X-Forwarded-For": STATION}, password=b"guess"))[0] == 401
    assert (await refusal(site, {"X-Forwarded-For": STATION}, password=KEY))[0] == 429
    station = await dial(site.port, headers={"X-Forwarded-For": "203.0.113.10"})
    assert (await station.call("Heartbeat", {}))[0] == 3


async def test_an_ipv6_subscriber_does_not_guess_on_from_another_address_of_his(site_of: SiteOf) -> None:
    site = await proxied(site_of, failures_allowed=2)
    site.registry.add("CP1", security=SecurityProfile.TLS_BASIC)
    for host in (1, 2):
        assert (await refusal(site, {"X-Forwarded-For": f"2001:db8::{host}"}, password=b"guess"))[0] == 401
    assert (await refusal(site, {"X-Forwarded-For": "2001:db8::3"}, password=b"guess"))[0] == 429
    await dial(site.port, headers={"X-Forwarded-For": "2001:db8:0:1::1"})


@pytest.mark.row("T79")
async def test_the_headers_mean_nothing_on_another_listener(site_of: SiteOf) -> None:
    site = await site_of()
    site.registry.add("CP1", key=None, security=SecurityProfile.TLS_CERTIFICATE)
    site.registry.add("CP2")
    headers = {"X-Forwarded-For": STATION, "X-SSL-Client-Cert": certificate(), "X-SSL-Client-Verify": "SUCCESS"}
    found = await refusal(site, headers, password=None)
    assert found == (403, "this station must use security profile 3; this is profile 0")
    await dial(site.port, "CP2", headers=headers)
    assert site.recorder.opened[0].remote.startswith("127.0.0.1:")
