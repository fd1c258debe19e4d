"""The alert rules and the dashboard against the metrics of a bridge that runs, and has something of everything."""

from __future__ import annotations

import re

import aiohttp
import trustme
from prometheus_client.parser import text_string_to_metric_families

from tests.acceptance.conftest import MakeSite
from tests.acceptance.harness import ROOT, Site
from tests.acceptance.processes import until
from tests.acceptance.scripted import ScriptedStation, evse_id, inventory
from tests.architecture.monitoring import RULES, labels_by_name, mistakes_of, targets

GOOD, REFUSED = "MONITORED", "REFUSED"
LISTENERS = """
[ocpp.listeners.plain]
host = "127.0.0.1"
port = 0
[ocpp.listeners.tls]
host = "127.0.0.1"
port = 0
tls_certificate = "{certificate}"
"""
_SELECTED = re.compile(r'(\w+)="(\w+)"')


async def prepared(make_site: MakeSite) -> Site:
    """Start a bridge with a TLS listener and an account that Hubject knows by its certificate."""
    site = make_site(STATUS__AVAILABLE_HOLD="0 s")
    site.unset("OCPP__PORT")
    tls, authority = site.folder / "tls", trustme.CA()
    certificate = site.folder / "listener.pem"
    certificate.write_bytes(authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.bytes())
    demo = (ROOT / "config" / "demo" / "bridge.toml").read_text(encoding="utf-8")
    plain = demo.replace('host = "127.0.0.1"\nport = 9000\n', "")
    site.configure(plain + LISTENERS.format(certificate=certificate))
    await site.start_hubs("--tls-dir", str(tls))
    site.set(
        ACCOUNTS__HUBJECT__CLIENT_CERTIFICATE=str(tls / "client-DEABC.pem"),
        ACCOUNTS__HUBJECT__CA_BUNDLE=str(tls / "ca.pem"),
    )
    await site.start_bridge()
    return site


async def live(site: Site) -> None:
    """Let hubs accept one EVSE and refuse another, and show wrong keys."""
    await site.hubs["chargeprice"].script(kind="status", status=404, evse=[f"{REFUSED}-site/{REFUSED}-point"])
    await site.import_inventory(inventory(GOOD) + inventory(REFUSED).partition("\n")[2])
    async with ScriptedStation(site.ocpp_url, GOOD) as good, ScriptedStation(site.ocpp_url, REFUSED) as refused:
        for station in (good, refused):
            await station.boot()
            await station.report("Charging")

        async def settled() -> bool:
            held = (await site.hubs["hubject"].state()).get(evse_id(GOOD)) == "Occupied"
            return held and value(await site.page("/metrics"), "ocpp_bridge_refused", account="chargeprice") == 1

        await until(settled, 20, "a status accepted, and one refused")


def value(text: str, name: str, **labels: str) -> float:
    """Return the sum of a name's samples with these labels."""
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    return sum(one.value for one in samples if one.name == name and labels.items() <= one.labels.items())


async def refused_keys(site: Site) -> None:
    wrong, status = {"X-API-Key": "ocppb_wrong"}, f"{site.web_url}/api/v1/status"
    async with aiohttp.ClientSession() as http:
        for headers in (wrong, wrong, {}):
            async with http.get(status, headers=headers) as response:
                assert response.status == 401
        form = {"key": "ocppb_wrong", "next": "/"}
        async with http.post(f"{site.web_url}/session", data=form, allow_redirects=False) as response:
            assert response.status == 303
        elsewhere = {"Origin": "https://elsewhere.example", "Sec-Fetch-Site": "cross-site"}
        async with http.post(f"{site.web_url}/session", data=form, headers=elsewhere) as response:
            assert response.status == 403


async def test_every_alarm_and_panel_is_about_metrics_that_a_running_bridge_has(make_site: MakeSite) -> None:
    site = await prepared(make_site)
    await live(site)
    await refused_keys(site)
    events = f"{site.web_url}/api/v1/events"
    key = {"Authorization": f"Bearer {site.admin_key}"}
    async with aiohttp.ClientSession(headers=key) as http, http.get(events) as stream:
        await stream.content.readline()

        async def complete() -> str:
            text = await site.page("/metrics")
            return text if "ocpp_bridge_loop_lag_p99_seconds" in text else ""

        text = await until(complete, 20, "a first figure of how late the loop is")
    exported = labels_by_name(text)
    rules = [(rule["expr"], str(rule["annotations"]["summary"])) for rule in RULES]
    wrong = {each[0]: found for each in (*rules, *targets()) if (found := mistakes_of(*each, exported))}
    assert wrong == {}
    assert unknown_values(text) == set()
    assert value(text, "ocpp_bridge_web_refused_total", why="wrong_key") == 3
    assert value(text, "ocpp_bridge_web_refused_total", why="no_key") == 1
    assert value(text, "ocpp_bridge_web_refused_total", why="foreign_page") == 1
    assert value(text, "ocpp_bridge_event_streams") == 1
    assert value(text, "ocpp_bridge_status_to_hub_seconds_count", account="hubject") >= 1
    assert value(text, "ocpp_bridge_listener_certificate_expiry_timestamp_seconds", listener="tls") > 1.7e9
    assert value(text, "ocpp_bridge_certificate_expiry_timestamp_seconds", account="hubject") > 1.7e9

    async def left() -> bool:
        return value(await site.page("/metrics"), "ocpp_bridge_event_streams") == 0

    await until(left, 20, "the client of the stream is gone")


def unknown_values(text: str) -> set[tuple[str, str]]:
    """Return what expressions select and no sample has: a series must be there before it rises."""
    there = {
        pair
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        for pair in sample.labels.items()
    }
    expressions = [*(str(rule["expr"]) for rule in RULES), *(expression for expression, _ in targets())]
    return {pair for expression in expressions for pair in _SELECTED.findall(expression)} - there
