"""Hubject knows us by our certificate: it is renewed, refused and shown while the bridge runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.acceptance.conftest import MakeSite
from tests.acceptance.harness import Site
from tests.acceptance.processes import until
from tests.acceptance.scripted import ScriptedStation, evse_id, inventory

STATION = "TLS1"


async def secured(make_site: MakeSite, client: str = "client-DEABC.pem") -> tuple[Site, Path]:
    """Start a mock Hubject that asks for client certificates, and a bridge that has this one."""
    site = make_site(STATUS__AVAILABLE_HOLD="0 s", ACCOUNTS__HUBJECT__FULL_LOAD="never")
    folder = site.folder / "tls"
    await site.start_hubs("--tls-dir", str(folder))
    certificate = site.folder / "hubject.pem"
    certificate.write_bytes((folder / client).read_bytes())
    site.set(
        ACCOUNTS__HUBJECT__CLIENT_CERTIFICATE=str(certificate), ACCOUNTS__HUBJECT__CA_BUNDLE=str(folder / "ca.pem")
    )
    await site.start_bridge()
    await site.import_inventory(inventory(STATION))
    return site, certificate


def replace(file: Path, *, by: Path) -> None:
    """Put a copy of another file in the place of one, at once."""
    successor = file.with_name("new.pem")
    successor.write_bytes(by.read_bytes())
    successor.replace(file)


async def ordered(site: Site, order: dict[str, Any]) -> dict[str, Any]:
    """Tell the mock Hubject's authority what to do."""
    async with aiohttp.ClientSession() as http, http.post(site.hubs["hubject"].certificates, json=order) as response:
        assert response.status == 200, await response.text()
        return dict(await response.json())


async def holds(site: Site, word: str, within: float = 10.0) -> None:
    async def look() -> bool:
        return (await site.hubs["hubject"].state()).get(evse_id(STATION)) == word

    await until(look, within, f"{word} at Hubject")


async def account(site: Site) -> dict[str, Any]:
    return dict(next(item for item in (await site.ask("upstreams"))["items"] if item["name"] == "hubject"))


@pytest.mark.row("T37", "T39")
async def test_a_revoked_certificate_is_reported_and_its_successor_is_used_without_a_restart(
    make_site: MakeSite,
) -> None:
    site, certificate = await secured(make_site)
    async with ScriptedStation(site.ocpp_url, STATION) as station:
        await station.boot()
        await station.report("Available")
        await holds(site, "Available")
        pid = site.bridge.pid
        await ordered(site, {"revoke": "DE*ABC"})
        await station.report("Faulted")

        async def held() -> bool:
            return "the hub refused our client certificate" in ((await account(site))["held"] or "")

        await until(held, 10, "a held account that says why")
        issued = await ordered(site, {"issue": "DE*ABC", "days": 10})
        replace(certificate, by=Path(issued["path"]))
        await holds(site, "OutOfService", 15)
    assert site.bridge.pid == pid
    site.bridge.check()

    async def free() -> bool:
        return (await account(site))["held"] is None

    await until(free, 5, "an account that is held no more, once the answer is stored")
    code, text = await site.run("status")
    assert code == 0
    assert "certificate" in text
    assert "(9 days)" in text or "(10 days)" in text


@pytest.mark.row("T39")
async def test_a_certificate_of_another_authority_is_held_and_the_other_hub_goes_on(make_site: MakeSite) -> None:
    site, _ = await secured(make_site, "client-foreign.pem")
    async with ScriptedStation(site.ocpp_url, STATION) as station:
        await station.boot()
        await station.report("Available")

        async def look() -> bool:
            key = f"{STATION}-site/{STATION}-point"
            return (await site.hubs["chargeprice"].state()).get(key) == "available"

        await until(look, 10, "available at Chargeprice")

        async def told() -> bool:
            found = await account(site)
            return "certificate" in f"{found['held']} {found['last_error']}"

        await until(told, 15, "a word about the certificate")


async def test_each_unusable_certificate_is_one_clear_line_at_start(make_site: MakeSite) -> None:
    site, certificate = await secured(make_site)
    assert await site.stop_bridge() == 0
    problems = {
        "client-without-key.pem": "should hold the private key as well",
        "client-mismatched.pem": "its key is another one's",
        "client-expired.pem": "expired",
        "client-encrypted.pem": "passphrase",
    }
    for name, said in problems.items():
        certificate.write_bytes((site.folder / "tls" / name).read_bytes())
        code, text = await site.run("check-config", "--json")
        assert code == 5, name
        mistakes = json.loads(text[text.index("{") : text.rindex("}") + 1])["mistakes"]
        assert [mistake["key"] for mistake in mistakes] in (
            ["accounts.hubject.client_certificate"],
            ["accounts.hubject.client_key_passphrase"],
            ["accounts.hubject.client_key"],
        ), (name, mistakes)
        assert said in mistakes[0]["problem"], (name, mistakes)
