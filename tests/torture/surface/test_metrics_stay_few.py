"""However many EVSEs there are, and whatever clients call themselves and say, the metrics are as many as before."""

from __future__ import annotations

import asyncio
import base64
import json
import random
import re
from pathlib import Path

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from tests.acceptance.conftest import MakeSite
from tests.acceptance.harness import Site
from tests.acceptance.processes import until
from tests.acceptance.scripted import KEY
from tests.catalogue.recording import Tally

EVSES = 10_000
STRANGERS = 300
FRAMES = 300
MOST_SERIES = 250
MOST_BYTES = 64 * 1024
HEAD = "station,version,key,connector,evse_id,operator\n"
MARK = "zq9x"
"""Part of every name that a client makes up."""
COUNTS = (Path(__file__).parents[3] / "docs" / "counts.md").read_text(encoding="utf-8")


def inventory() -> str:
    """Return 2,500 stations with four EVSEs each, one of whose stations is the scripted one."""
    rows = [HEAD]
    for number in range(EVSES // 4):
        name = f"{MARK}-{number:05}"
        rows += [
            f"{name},1.6,{KEY if connector == 1 else ''},{connector},DE*ABC*E{number:05}*{connector},demo\n"
            for connector in range(1, 5)
        ]
    return "".join(rows)


async def series(site: Site, http: aiohttp.ClientSession) -> dict[str, frozenset[tuple[str, str]]]:
    """Return every series: name and labels. The text that carries them must stay small, too."""
    ports = json.loads((site.state_dir / "ports.json").read_text(encoding="ascii"))
    token = (site.state_dir / "admin-token").read_text(encoding="ascii").strip()
    url, headers = f"http://127.0.0.1:{ports['web']}/metrics", {"Authorization": f"Bearer {token}"}
    async with http.get(url, headers=headers) as response:
        text = await response.text()
    assert len(text) < MOST_BYTES
    assert MARK not in text.casefold()
    return {
        f"{sample.name}{sorted(sample.labels.items())}": frozenset(sample.labels.items())
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def knock(site: Site, name: str) -> None:
    """Ask for a WebSocket under a made-up name, and go away."""
    port = int(site.ocpp_url.rpartition(":")[2])
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(
        f"GET /{name} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        f"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: {MARK}, ocpp1.6\r\n"
        f"User-Agent: {MARK}\r\n\r\n".encode()
    )
    await writer.drain()
    writer.close()


async def say(site: Site, station: str, texts: list[str]) -> None:
    """Send all of that as a station of the inventory, and return once the last message was answered."""
    credentials = base64.b64encode(f"{station}:{KEY}".encode()).decode()
    async with connect(
        f"{site.ocpp_url}/{station}",
        subprotocols=[Subprotocol("ocpp1.6")],
        additional_headers={"Authorization": f"Basic {credentials}"},
        proxy=None,
    ) as socket:
        for text in texts:
            await socket.send(text)
        await socket.send('[2,"the last one","Heartbeat",{}]')
        async with asyncio.timeout(60):
            while "the last one" not in str(await socket.recv()):
                pass


def names(seed: int) -> list[str]:
    """Return made-up names with what has a meaning in the exposition format, in paths and in logs."""
    odd = random.Random(seed)
    pieces = ["%22", "%0A", "%7B", "%7D", ",", "=", "%5C", "'", "%00", "..", "%2F", "%E2%80%AE", "a" * 40]
    return [f"{MARK}{number}{odd.choice(pieces)}{odd.choice(pieces)}" for number in range(STRANGERS)]


def frames(seed: int) -> list[str]:
    """Return messages whose every name and word is made up."""
    odd = random.Random(seed)
    made_up = [f'{MARK}"}} {number}\n' for number in range(FRAMES)]
    kinds = [
        lambda word: [2, word, word, {word: word}],
        lambda word: [2, "1", "StatusNotification", {"connectorId": 1, "errorCode": word, "status": word}],
        lambda word: [2, "2", "StatusNotification", {"connectorId": word, "errorCode": "NoError", word: "Available"}],
        lambda word: [2, "3", "DataTransfer", {"vendorId": word, "messageId": word, "data": word}],
        lambda word: [4, word, word, word, {}],
        lambda word: [word, word],
    ]
    return [json.dumps(odd.choice(kinds)(word)) for word in made_up]


@pytest.mark.row("T90")
async def test_ten_thousand_evses_and_hostile_names_add_no_series_of_their_own(
    make_site: MakeSite, tally: Tally
) -> None:
    off = {"ACCOUNTS__HUBJECT__MODE": "off", "ACCOUNTS__CHARGEPRICE__MODE": "off"}
    site = make_site(**off, OCPP__UNKNOWN_STATIONS="quarantine")
    await site.start_bridge()
    async with aiohttp.ClientSession() as http:

        async def measured() -> dict[str, frozenset[tuple[str, str]]] | None:
            found = await series(site, http)
            return found if "ocpp_bridge_loop_lag_max_seconds[]" in found else None

        before = await until(measured, 20, "a first figure of everything")
        await site.import_inventory(inventory())
        imported = await series(site, http)
        assert imported.keys() == before.keys()
        for name in names(90):
            await knock(site, name)
        await say(site, f"{MARK}-00000", frames(90))
        after = await series(site, http)
    added = after.keys() - before.keys()
    assert added
    assert all(key.startswith("ocpp_bridge_ocpp_events_total") for key in added), added
    for key in added:
        ((_, kind),) = after[key]
        assert kind in re.findall(r"`([a-z_0-9]+)`", COUNTS) or re.search(
            r"^(handshake_refused_\d{3}|frame_illegal_\d{4}|guest_.*|\w+_lenient_\w+|frame_malformed_\w+)$", kind
        ), kind
    assert len(after) < MOST_SERIES
    tally.seed(90)
    tally.count(faults=STRANGERS + FRAMES)
