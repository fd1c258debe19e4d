"""Every secret that passes through the bridge is unlike anything else, and must be found nowhere, whatever breaks.

Looked for in all that the bridge writes and says: its state folder, its log with the tracebacks of a dying task and of
storage that broke, every answer of its REST interface and page of its dashboard, and what its commands print.
"""

from __future__ import annotations

import asyncio
import base64
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import aiohttp
import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from tests.acceptance.conftest import MakeSite
from tests.acceptance.controls import Hub
from tests.acceptance.harness import ROOT, FleetPlan, Site
from tests.acceptance.processes import until
from tests.acceptance.scripted import ScriptedStation, evse_id
from tests.catalogue.recording import Tally

STATION = "SECRETIVE"
OWN_KEY = "Kq7canaryOwnStationKey01"
NEW_KEY = "Kq7canaryRotated0002"
WRONG_KEY = "Kq7canaryWrongBasicKey03"
STRANGER_KEY = "Kq7canaryStrangersKey004"
REPORTED_KEY = "Kq7canaryReportedKey0005"
BROKEN_KEY = "Kq7canaryInBrokenFrame06"
API_KEY = "Kq7canaryChargepriceKey7"
PASSPHRASE = "Kq7canaryPassphrase00008"
WRONG_TOKEN = "Kq7canaryWrongWebToken09"
WRONG_KEY_SHOWN = "ocppb_Kq7canaryWrongApiKey10"
SPIRII_KEY = "Kq7canarySpiriiAccount11"
ID_TAG = "Kq7canaryIdTag000012"
LISTED_TAG = "Kq7canaryListedTag13"
TELEMETRY_KEY = "Kq7canaryTelemetryKey014"
DATABASE_PASSWORD = "Kq7canaryDatabasePass015"
HUBS_PASSPHRASE = "mock-hub-passphrase"
"""Of the encrypted key that the mock hubs make."""
CANARIES = (
    *(OWN_KEY, NEW_KEY, WRONG_KEY, STRANGER_KEY, REPORTED_KEY, BROKEN_KEY),
    *(API_KEY, PASSPHRASE, WRONG_TOKEN, WRONG_KEY_SHOWN, SPIRII_KEY, ID_TAG, LISTED_TAG),
    *(TELEMETRY_KEY, DATABASE_PASSWORD, HUBS_PASSPHRASE),
)
KEPT = {"admin-token", "pepper", "session-secret"}
"""Files that hold a secret because they are its place."""
STATION_PATH = f"/api/v1/stations/{STATION}"
EVSE_PATH = f"/api/v1/evses/{evse_id(STATION)}"
INVENTORY = (
    "station,version,key,connector,evse_id,operator,chargeprice_station,chargeprice_point,spirii\n"
    f"{STATION},1.6,{OWN_KEY},1,{evse_id(STATION)},demo,site,point,true\n"
)
SETTINGS = {
    "ACCOUNTS__CHARGEPRICE__API_KEY": API_KEY,
    "LOG__LEVEL": "debug",
    "OCPP__ID_TAGS": "list",
    "OCPP__ID_TAG_LIST": LISTED_TAG,
    "STATUS__AVAILABLE_HOLD": "0 s",
    "TELEMETRY__ENDPOINT": "http://127.0.0.1:9/v1/traces",
}
SPIRII = '[accounts.spirii]\nkind = "spirii"\nmode = "live"\n'
PAGES = (
    *(
        "/",
        "/?problems=true",
        f"/evses/{evse_id(STATION)}",
        "/deliveries",
        "/hubs",
        "/hubs/chargeprice",
        "/hubs/spirii",
    ),
    *(
        "/stations",
        f"/stations/{STATION}",
        "/stations/attempts",
        "/plots",
        "/temporary",
        "/temporary/new",
        "/quarantine",
        "/login",
    ),
)
COMMANDS = (
    ("status",),
    ("check-config",),
    ("config", "show", "--json"),
    ("key", "list", "--json"),
    ("station", "log", STATION),
    ("station", "attempts"),
    ("key", "list", "--all"),
    ("station", "show", STATION, "--json"),
    ("upstream", "sync", "chargeprice", "--dry-run", "--json"),
    ("delivery", "list", "--json"),
    ("explain", evse_id(STATION)),
)


def forms(secret: str) -> Iterator[bytes]:
    """Give every form in which a secret could be written down: as it is, in hex, as base64, in Basic credentials."""
    raw = secret.encode()
    yield from (raw, raw.hex().encode(), raw.hex().upper().encode(), base64.b64encode(raw))
    for station in (STATION, "STRANGER"):
        yield base64.b64encode(f"{station}:{secret}".encode())


def leaks(place: str, content: bytes, secrets: tuple[str, ...]) -> list[str]:
    return [f"{secret} in {place}" for secret in secrets for form in forms(secret) if form in content]


def found_in_files(site: Site, secrets: tuple[str, ...]) -> list[str]:
    files = [path for path in site.state_dir.rglob("*") if path.is_file() and path.name not in KEPT]
    assert {"bridge.db", "lines.db", "backup.db"} <= {path.name for path in files}
    files += [log for log in site.processes.logs() if log.name in ("bridge.log", "command.log")]
    return [leak for path in files for leak in leaks(path.name, path.read_bytes(), secrets)]


class Operator:
    """Asks everything that the REST interface answers, and gives orders that carry secrets."""

    def __init__(self, site: Site, http: aiohttp.ClientSession) -> None:
        ports = json.loads((site.state_dir / "ports.json").read_text(encoding="ascii"))
        self.url = f"http://127.0.0.1:{ports['web']}"
        self.token = (site.state_dir / "admin-token").read_text(encoding="ascii").strip()
        self.http = http
        self.said = b""
        self.keys: list[str] = []
        """Keys that were made on the way: whoever makes one is shown it, once."""

    async def make_key(self, role: str) -> str:
        wish = {"name": f"canary {role} {len(self.keys)}", "role": role}
        headers = {"Authorization": f"Bearer {self.token}"}
        async with self.http.post(f"{self.url}/api/v1/keys", json=wish, headers=headers) as response:
            self.keys.append(str((await response.json())["key"]))
            return self.keys[-1]

    async def ask(self, method: str, path: str, body: object = None, token: str = "") -> int:
        headers = {"Authorization": f"Bearer {token or self.token}"}
        async with self.http.request(method, f"{self.url}{path}", json=body, headers=headers) as response:
            self.said += repr(response.raw_headers).encode() + await response.read()
            return response.status

    async def use_key(self, key: str) -> str:
        """Show a key in every way that is right and in some that are wrong; return the cookie that it was given for."""
        own = {"X-API-Key": key}
        for method, path, headers, data, status in (
            ("GET", "/api/v1/status", own, None, 200),
            ("GET", "/api/v1/status", {"Authorization": f"Basic {key}"}, None, 401),
            ("GET", f"/api/v1/status?api_key={key}", {}, None, 401),
            ("GET", f"/api/v1/status?api_key={key}", own, None, 400),
            ("POST", "/api/v1/keys", own, key, 403),
            ("POST", "/api/v1/temporary-statuses", own | {"Content-Type": "application/json"}, f'{{"x": "{key}', 400),
            ("POST", "/session", {}, {"key": WRONG_KEY_SHOWN, "next": "/"}, 303),
        ):
            address = f"{self.url}{path}"
            async with self.http.request(
                method, address, headers=headers, data=data, allow_redirects=False
            ) as response:
                self.said += repr(response.raw_headers).encode() + await response.read()
                assert response.status == status, path
        await self.break_header(key)
        form = {"key": key, "next": "/"}
        async with self.http.post(f"{self.url}/session", data=form, allow_redirects=False) as response:
            assert key not in repr(response.raw_headers)
            return response.headers["Set-Cookie"].partition("=")[2].partition(";")[0]

    async def break_header(self, key: str) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(self.url.rpartition(":")[2]))
        writer.write(f"GET /livez HTTP/1.1\r\nHost: x\r\nX-API-Key: {key}\nX-API-Key: {key}\r\n\r\n".encode())
        await asyncio.wait_for(reader.readline(), 20)
        writer.close()

    async def look_at_everything(self) -> None:
        for path in (
            *("/livez", "/readyz", "/healthz", "/metrics", "/v2/temporary-evse-statuses"),
            *("/api/v1/status", "/api/v1/evses", "/api/v1/upstreams", "/api/v1/inventory", "/api/v1/listings"),
            *("/api/v1/stations", f"/api/v1/stations/{STATION}", f"/api/v1/stations/{STATION}/quirks"),
            *(f"/api/v1/stations/{STATION}/log", "/api/v1/quarantine", "/api/v1/attempts", "/api/v1/keys"),
            *("/api/v1/upstreams/chargeprice/preview", "/api/v1/upstreams/hubject/sync"),
            *("/api/v1/keys?revoked=true", "/api/v1/keys/1", "/api/v1/temporary-statuses", "/api/v1/connectors"),
            *(f"{STATION_PATH}/log?limit=1000", EVSE_PATH, f"{EVSE_PATH}/explain", f"{EVSE_PATH}/history"),
            *("/api/v1/evse-counts", "/api/v1/status/history", "/api/v1/upstreams/chargeprice/throughput"),
            *("/api/v1/upstreams/hubject/sync", "/api/v1/upstreams/hubject/preview", "/openapi.json"),
            *("/api/v1/deliveries?limit=1000", "/api/v1/deliveries/1", "/search?q=SECRETIVE"),
            *PAGES,
        ):
            assert await self.ask("GET", path) in (200, 503), path

    async def look_at_deliveries(self, *accounts: str) -> None:
        """Read what each account was sent and what it answered, as document and as page; each was sent something."""
        headers = {"Authorization": f"Bearer {self.token}"}
        for account in accounts:
            place = f"{self.url}/api/v1/deliveries?account={account}&limit=5"
            async with self.http.get(place, headers=headers) as response:
                items = (await response.json())["items"]
            shown = 0
            for item in items:
                before = len(self.said)
                assert await self.ask("GET", f"/api/v1/deliveries/{item['id']}") == 200
                shown += b'"method"' in self.said[before:]
                assert await self.ask("GET", f"/deliveries/{item['id']}") == 200
            assert shown, f"what {account} was sent"


async def start_with_secrets(site: Site) -> None:
    """Start hubs and the bridge, which has an encrypted key, a key for Spirii, and one for the collector of traces."""
    tls = site.folder / "tls"
    await site.start_hubs("--tls-dir", str(tls))
    assert site.mirror is not None
    await site.mirror.configure(api_keys=[SPIRII_KEY])
    await site.hubs["chargeprice"].configure(api_keys=[API_KEY])
    repeats = json.dumps({"error": f"the key {API_KEY} is not known here"})
    await site.hubs["chargeprice"].script(kind="status", status=503, count=1, text=repeats)
    demo = (ROOT / "config" / "demo" / "bridge.toml").read_text(encoding="utf-8")
    listed = demo.replace('"chargeprice"]', '"chargeprice", "spirii"]')
    site.configure(f'{listed}\n{SPIRII}base_url = "{site.mirror_url}"\n')
    site.set(
        ACCOUNTS__SPIRII__API_KEY=SPIRII_KEY,
        ACCOUNTS__HUBJECT__CLIENT_CERTIFICATE=str(tls / "client-encrypted.pem"),
        ACCOUNTS__HUBJECT__CLIENT_KEY_PASSPHRASE=HUBS_PASSPHRASE,
        ACCOUNTS__HUBJECT__CA_BUNDLE=str(tls / "ca.pem"),
    )
    site.variables["OTEL_EXPORTER_OTLP_HEADERS"] = f"Authorization=Bearer {TELEMETRY_KEY}"
    await site.start_bridge()


async def told_everybody(site: Site) -> None:
    """Give Spirii a temporary status, and wait until each hub has taken something."""
    wish = {"evseId": evse_id(STATION), "temporaryStatus": "BLOCKED", "validTo": "2126-01-01T00:00:00Z"}
    assert (await site.spirii("POST", "", wish))[0] == 201
    assert site.mirror is not None
    for hub in (*site.hubs.values(), site.mirror):

        async def taken(hub: Hub = hub) -> bool:
            return any(entry["action"] != "list" for entry in await hub.journal())

        await until(taken, 30, f"a request to {hub.name}")


async def refused(site: Site, station: str, key: str) -> None:
    with pytest.raises(Exception, match=r"HTTP 40[14]"):
        async with ScriptedStation(site.ocpp_url, station, key):
            pass


async def live_with_secrets(site: Site, operator: Operator) -> None:
    """Let every secret pass through the bridge on its usual way."""
    configuration = {"configurationKey": [{"key": "AuthorizationKey", "readonly": False, "value": REPORTED_KEY}]}
    start = {"connectorId": 1, "idTag": ID_TAG, "meterStart": 0, "timestamp": "2026-11-20T08:00:00Z"}
    answers = {"ChangeConfiguration": {"status": "Accepted"}, "GetConfiguration": configuration}
    async with ScriptedStation(site.ocpp_url, STATION, OWN_KEY, answers=answers) as station:
        await station.boot()
        await station.report("Charging")
        await station.call("Authorize", {"idTag": ID_TAG})
        await station.call("StartTransaction", start)
        await station.send_text(f'[2,"1","ChangeConfiguration",{{"key":"AuthorizationKey","value":"{BROKEN_KEY}"')
        await refused(site, STATION, WRONG_KEY)
        await refused(site, "STRANGER", STRANGER_KEY)
        assert (
            await operator.ask("POST", f"/api/v1/stations/{STATION}/rotate-key", {"key": NEW_KEY.encode().hex()}) == 200
        )
        assert await operator.ask("POST", f"/api/v1/stations/{STATION}/configuration/get", {}) == 200
        assert await operator.ask("POST", f"/api/v1/stations/{STATION}/rotate-key", {"key": [NEW_KEY]}) == 400
        assert await operator.ask("GET", "/api/v1/status", token=WRONG_TOKEN) == 401
        for role, code in (("viewer", 403), ("operator", 200)):
            key = await operator.make_key(role)
            assert await operator.ask("GET", "/api/v1/status", token=key) == 200
            assert await operator.ask("POST", f"{STATION_PATH}/configuration/get", {}, token=key) == code
            assert await operator.ask("GET", f"/api/v1/nothing?key={key}", token=key) == 404
        await station.report("Available")


@pytest.mark.row("T86")
@pytest.mark.timeout(300)  # a dozen processes are started one after the other
@pytest.mark.parametrize("log_format", ["json", "console"])
async def test_no_secret_is_in_any_log_answer_or_file_while_parts_die_and_storage_breaks(
    make_site: MakeSite, tmp_path: Path, tally: Tally, log_format: str
) -> None:
    site, switch = make_site(**SETTINGS, LOG__FORMAT=log_format), tmp_path / "fault"
    faulty = Path(__file__).parents[1] / "watchdog" / "faulty.py"
    site.bridge_command = [sys.executable, str(faulty), "lane dies", str(switch)]
    plan = FleetPlan(stations=8, seed=86)
    await start_with_secrets(site)
    await site.import_inventory(plan.inventory)
    await site.import_inventory(INVENTORY)
    await site.start_fleet(plan)
    await told_everybody(site)
    async with aiohttp.ClientSession() as http:
        operator = Operator(site, http)
        switch.touch()
        await live_with_secrets(site, operator)
        key = await operator.make_key("operator")
        cookie = await operator.use_key(key)
        await until(lambda: b"KeyError" in site.bridge.log.read_bytes(), 40, "the traceback of a lane")
        await operator.look_at_everything()
        await operator.look_at_deliveries("chargeprice", "spirii")  # the lane of Hubject dies too soon
        backup = ("db", "backup", str(site.state_dir / "backup.db"), "--json")
        asked = (*COMMANDS, backup) if log_format == "json" else (backup,)
        commands = b"".join([(await site.run(*command))[1].encode() for command in asked])
        switch.with_suffix(".store").touch()
        assert await site.bridge.ended(20) == 1
    pem = (site.folder / "tls" / "client-encrypted.pem").read_text(encoding="ascii")
    secrets = (*CANARIES, pem.splitlines()[2], operator.token, key, key.removeprefix("ocppb_"), cookie, *operator.keys)
    assert b"ocpp-bridge: database broken: I/O error" in site.bridge.log.read_bytes()
    assert leaks("an answer", operator.said, secrets) == []
    assert leaks("a command", commands, secrets) == []
    assert found_in_files(site, secrets) == []
    tally.count(faults=2)


async def test_no_secret_is_in_any_log_answer_or_row_where_postgresql_is_used(
    make_site: MakeSite, postgresql_url: str
) -> None:
    url = postgresql_url.replace("postgres:@", f"postgres:{DATABASE_PASSWORD}@")
    assert DATABASE_PASSWORD in url
    site = make_site(url, **SETTINGS)
    await start_with_secrets(site)
    await site.import_inventory(INVENTORY)
    async with aiohttp.ClientSession() as http:
        operator = Operator(site, http)
        await live_with_secrets(site, operator)
        await told_everybody(site)
        await operator.look_at_everything()
        await operator.look_at_deliveries("hubject", "chargeprice", "spirii")
        commands = b"".join([(await site.run(*command))[1].encode() for command in (("status",), ("config", "show"))])
        rows = dumped(postgresql_url)
        with taken_away(postgresql_url):
            assert await operator.ask("GET", "/api/v1/evses") == 503
            await until(lambda: b"storage_failed" in site.bridge.log.read_bytes(), 40, "a word about the database")
    secrets = (*CANARIES, operator.token, *operator.keys)
    assert leaks("an answer", operator.said, secrets) == []
    assert leaks("a command", commands, secrets) == []
    assert leaks("a row", rows, secrets) == []
    assert leaks("the log", site.bridge.log.read_bytes(), secrets) == []


def dumped(url: str) -> bytes:
    """Return every row of every table as text."""
    with psycopg.connect(url, autocommit=True) as admin:
        names = [name for (name,) in admin.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")]
        assert {"station", "delivery_log"} <= set(names)
        found = b""
        for name in names:
            with admin.cursor().copy(sql.SQL("COPY {} TO STDOUT").format(sql.Identifier(name))) as copy:
                found += b"".join(bytes(chunk) for chunk in copy)
    return found


@contextmanager
def taken_away(url: str) -> Iterator[None]:
    """Give the database another name for a while: whoever asks for it is told that there is none."""
    name = str(conninfo_to_dict(url)["dbname"])
    here, away = sql.Identifier(name), sql.Identifier(f"{name}_away")
    cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"
    with psycopg.connect(url.replace(f"/{name}?", "/postgres?"), autocommit=True) as admin:
        admin.execute(sql.SQL("ALTER DATABASE {} WITH ALLOW_CONNECTIONS false").format(here))
        admin.execute(cut, (name,))
        admin.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(here, away))
        try:
            yield
        finally:
            admin.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(away, here))


@pytest.mark.row("T86")
@pytest.mark.parametrize(
    "settings",
    [
        pytest.param({"ACCOUNTS__HUBJECT__API_KEY": API_KEY}, id="a key where none belongs"),
        pytest.param({"ACCOUNTS__CHARGEPRICE__API_KEY": f"{API_KEY}\n"}, id="a key that no header can carry"),
        pytest.param({"ACCOUNTS__HUBJECT__CLIENT_KEY_PASSPHRASE": PASSPHRASE}, id="a passphrase of nothing"),
        pytest.param({"DATABASE_URL": f"postgresql://u:{PASSPHRASE}@127.0.0.1:1/x"}, id="a database's password"),
        pytest.param({"DATABASE_URL": f"postgres//u:{PASSPHRASE}@[::1/x"}, id="no URL"),
    ],
)
async def test_no_secret_is_in_the_complaints_about_a_configuration(
    make_site: MakeSite, settings: dict[str, str]
) -> None:
    site = make_site(**settings)
    _, said = await site.run("serve" if "DATABASE_URL" in settings else "check-config", within=40)
    assert said
    assert leaks("a complaint", said.encode(), CANARIES) == []
