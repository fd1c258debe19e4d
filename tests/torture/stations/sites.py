"""Start sites for station faults, and ask what the bridge and the hubs show of one station.

Beside it: `tests.acceptance.harness`, whose sites these are.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.acceptance.conftest import MakeSite
from tests.acceptance.harness import ROOT, Site
from tests.acceptance.processes import until
from tests.acceptance.scripted import ScriptedStation, evse_id, inventory

WITHIN_S = 20.0
_CHARGEPRICE = "[accounts.chargeprice]"


def half_a_day_away() -> str:
    """Return the local time of day that is farthest from now: no daily fullLoad falls into a test."""
    return (datetime.now(UTC) + timedelta(hours=12)).strftime("%H:%M")


def only_hubject(site: Site) -> None:
    """Let the site's bridge have the one account whose first contact is one request, whatever the fleet's size."""
    demo = (ROOT / "config" / "demo" / "bridge.toml").read_text(encoding="utf-8")
    before, _, rest = demo.partition(_CHARGEPRICE)
    site.configure(before + rest[rest.index("[operators") :].replace(', "chargeprice"', ""))


async def start_small(make_site: MakeSite, *stations: str, **settings: str) -> Site:
    """Start hubs and a bridge with scripted stations of one connector each; every push is of one EVSE."""
    site = make_site(ACCOUNTS__HUBJECT__FULL_LOAD="never", **settings)
    await site.start_hubs()
    await site.start_bridge()
    header, _ = inventory("x").splitlines()
    rows = [inventory(station).splitlines()[1] for station in stations]
    await site.import_inventory("\n".join([header, *rows]) + "\n")
    return site


async def held(site: Site, station: str) -> str | None:
    """Return the word that Hubject holds of a scripted station's EVSE."""
    return (await site.hubs["hubject"].state()).get(evse_id(station).upper())


async def until_held(site: Site, station: str, word: str, within: float = WITHIN_S) -> None:
    """Wait until Hubject holds this word of a scripted station's EVSE."""

    async def look() -> bool:
        return await held(site, station) == word

    await until(look, within, f"Hubject holds {word} of {station}")


async def words_sent(site: Site, station: str, after: int = 0) -> list[str]:
    """Return every word that Hubject was sent of a scripted station's EVSE, oldest first."""
    entries = await site.hubs["hubject"].journal(after)
    key = evse_id(station).upper()
    return [word for entry in entries for evse, word in entry["records"] if evse == key]


async def shown(site: Site, station: str) -> dict[str, Any]:
    """Return what the bridge shows of a station."""
    return dict(await site.ask(f"stations/{station}"))


async def counted(site: Site, kind: str) -> int:
    """Return how often something happened on the OCPP side since the bridge's start."""
    return int((await site.ask("status"))["counts"].get(kind, 0))


async def nothing_due(site: Site) -> bool:
    """Say whether every hub was told everything."""
    return all(account["backlog"] == 0 for account in (await site.ask("upstreams"))["items"])


def triggers(station: ScriptedStation) -> Sequence[dict[str, Any]]:
    """Return what the station was asked for by TriggerMessage until now, and forget it."""
    taken = []
    while not station.received.empty():
        action, payload = station.received.get_nowait()
        if action == "TriggerMessage":
            taken.append(payload)
    return taken
