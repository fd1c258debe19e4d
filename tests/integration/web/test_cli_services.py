"""The command line against a running bridge over REST, and against a stopped one by its store."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import structlog
from typer.testing import CliRunner, Result

from bridge.cli.command import app
from bridge.cli.output import print_upstreams
from bridge.cli.run import Parts
from bridge.cli.session import Stopped
from bridge.core.expiry import Urgency
from bridge.core.modes import Mode
from bridge.settings import Settings
from bridge.store.errors import StoreInUse, StoreUnavailable
from bridge.web.ports_file import Ports, write_ports
from bridge.web.server import WebOptions, start_web
from bridge.web.services import WebServices
from bridge.web.shapes import CertificateItem, RowError, UpstreamList


@dataclass
class Desk:
    """Runs commands, and knows what the bridge was asked."""

    services: Any
    parts: Parts

    def run(self, *arguments: str, given: str | None = None, interactive: bool = False) -> Result:
        parts = replace(self.parts, interactive=lambda: interactive)
        return CliRunner().invoke(app, list(arguments), obj=parts, input=given)


def _never() -> Stopped:
    raise AssertionError("a running bridge's store must not be opened")


def _opens(services: WebServices) -> Callable[[], Stopped]:
    @asynccontextmanager
    async def stopped(settings: Settings) -> AsyncIterator[WebServices]:
        yield services

    return lambda: stopped


def _fails(error: Exception) -> Callable[[], Stopped]:
    @asynccontextmanager
    async def stopped(settings: Settings) -> AsyncIterator[WebServices]:
        raise error
        yield

    return lambda: stopped


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, token: str) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("BRIDGE_CONFIG", raising=False)
    folder = tmp_path / "state"
    folder.mkdir()
    (folder / "admin-token").write_text(token, encoding="ascii")
    return folder


def _say_nothing(logger: Any, name: str, event: Any) -> Any:
    raise structlog.DropEvent


@pytest.fixture
def running(state: Path, services: Any, token: str) -> Iterator[Desk]:
    """The real server in a thread with a loop of its own, as another process would have it."""
    structlog.configure(processors=[_say_nothing])  # it would log into what the command prints
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="web")
    thread.start()
    try:
        starting = start_web(WebOptions(port=0), services, token)
        server = asyncio.run_coroutine_threadsafe(starting, loop).result(10)
        write_ports(state, Ports(1, server.port, "127.0.0.1", 1))
        yield Desk(services, Parts(stopped=_never))
        asyncio.run_coroutine_threadsafe(server.close(), loop).result(10)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()
        structlog.reset_defaults()


@pytest.fixture
def halted(state: Path, services: Any) -> Desk:
    write_ports(state, Ports(1, 1, "127.0.0.1", 1))
    return Desk(services, Parts(stopped=_opens(services)))


@pytest.fixture(params=["running", "halted"])
def desk(request: pytest.FixtureRequest) -> Desk:
    """Both ways in: every command must do the same."""
    found = request.getfixturevalue(request.param)
    assert isinstance(found, Desk)
    return found


def test_status_shows_the_bridge_at_a_glance(desk: Desk) -> None:
    result = desk.run("status")
    assert result.exit_code == 0
    assert "stations: 4 of 5 connected" in result.stdout
    assert "EVSEs: 5 (charging 5)" in result.stdout
    assert "chargeprice: experimental: the page that describes this interface is a draft" in result.stdout
    assert "warning: ocpp.id_tags is not set" in result.stdout


@pytest.mark.parametrize("command", [("status",), ("upstream", "list"), ("inventory", "list")])
def test_json_is_one_document_and_nothing_else(desk: Desk, command: tuple[str, ...]) -> None:
    result = desk.run(*command, "--json")
    assert result.exit_code == 0
    assert isinstance(json.loads(result.stdout), dict)
    assert result.stderr == ""


def test_the_lists_are_for_reading(desk: Desk) -> None:
    assert "DE*ABC*E1" in desk.run("inventory", "list").stdout
    lines = desk.run("upstream", "list").stdout.splitlines()
    assert lines[0].split()[:4] == ["account", "kind", "mode", "state"]
    assert lines[1].split()[:4] == ["hubject", "oicp", "off", "off"]


def test_an_account_that_is_not_live_shows_what_it_would_be_sent_and_no_lag(desk: Desk) -> None:
    off, live = desk.services.upstreams["hubject"], desk.services.upstreams["chargeprice"]
    desk.services.upstreams = {
        "hubject": off.model_copy(update={"would_send": 4}),
        "chargeprice": live.model_copy(update={"mode": Mode.LIVE, "state": "ok", "backlog": 3, "lag_s": 7.4}),
    }
    lines = desk.run("upstream", "list").stdout.splitlines()
    assert lines[1].split()[4:] == ["configuration", "(4", "if", "live)", "0"]
    assert lines[2].split()[4:] == ["configuration", "3", "0", "7", "s"]


def test_a_narrow_terminal_gets_records_instead_of_a_broken_table(
    monkeypatch: pytest.MonkeyPatch, services: Any
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv("TERM", "dumb")
    master, slave = os.openpty()
    with open(master, "rb", buffering=0) as screen, open(slave, "w", encoding="utf-8") as terminal:
        with contextlib.redirect_stdout(terminal):
            print_upstreams(UpstreamList(items=(services.upstreams["hubject"],)))
        terminal.flush()
        shown = ""
        while shown.count("\n") < 7:  # a terminal hands on what it has so far
            shown += screen.read(4096).decode()
    assert shown.splitlines() == [
        "hubject",
        "  kind           oicp",
        "  mode           off",
        "  state          off",
        "  set by         configuration",
        "  backlog        (0 if live)",
        "  refused        0",
    ]


CERTIFICATES = [
    pytest.param("none", 37, "certificate valid until 2027-01-01 (37 days)", id="far"),
    pytest.param("urgent", 1, "certificate valid until 2027-01-01 (1 day)", id="near"),
    pytest.param("expired", -1, "certificate EXPIRED on 2027-01-01", id="over"),
]


@pytest.mark.parametrize(("urgency", "days", "expected"), CERTIFICATES)
def test_status_says_until_when_a_certificate_is_valid(desk: Desk, urgency: str, days: int, expected: str) -> None:
    ends = datetime(2027, 1, 1, tzinfo=UTC)
    certificate = CertificateItem(
        subject="CN=DE*ABC", not_before=ends, not_after=ends, days=days, urgency=Urgency(urgency)
    )
    found = desk.services.upstreams["hubject"].model_copy(update={"certificate": certificate})
    desk.services.upstreams = {"hubject": found}
    assert f"hubject: {expected}" in desk.run("status").stdout.splitlines()
    assert json.loads(desk.run("status", "--json").stdout)["upstreams"][0]["certificate"]["days"] == days


def test_enable_without_anybody_to_ask_is_exit_code_2_and_orders_nothing(desk: Desk) -> None:
    result = desk.run("upstream", "enable", "hubject")
    assert (result.exit_code, desk.services.orders) == (2, [])
    assert result.stderr == "nobody is there to ask; add --yes to switch hubject to live, or --dry-run\n"


def test_enable_shows_what_will_be_sent_and_asks_twice_where_a_full_load_is_due(desk: Desk) -> None:
    result = desk.run("upstream", "enable", "hubject", given="y\ny\n", interactive=True)
    assert result.exit_code == 0
    assert result.stdout.endswith("hubject is live\n")
    assert "hubject (oicp), now off: 5 EVSEs (3 known, 1 unknown, 1 never heard of)" in result.stderr
    assert "  Occupied: 3" in result.stderr
    assert "A fullLoad replaces everything that the hub has of this account" in result.stderr
    assert [order[:3] for order in desk.services.orders] == [("hubject", Mode.LIVE, True)]


def test_a_no_to_the_full_load_still_enables(desk: Desk) -> None:
    assert desk.run("upstream", "enable", "hubject", given="y\nn\n", interactive=True).exit_code == 0
    assert [order[:3] for order in desk.services.orders] == [("hubject", Mode.LIVE, False)]


def test_a_no_to_live_orders_nothing(desk: Desk) -> None:
    result = desk.run("upstream", "enable", "hubject", given="n\n", interactive=True)
    assert (result.exit_code, desk.services.orders) == (1, [])
    assert "nothing was changed" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "order"),
    [
        pytest.param(("hubject", "--yes"), ("hubject", Mode.LIVE, True), id="yes-to-both"),
        pytest.param(("hubject", "--yes", "--no-full-load"), ("hubject", Mode.LIVE, False), id="no-full-load"),
        pytest.param(("hubject", "--dry-run"), ("hubject", Mode.DRY_RUN, False), id="dry-run-needs-no-yes"),
        pytest.param(("chargeprice", "--yes"), ("chargeprice", Mode.LIVE, False), id="hub-without-full-load"),
    ],
)
def test_scripts_enable_without_questions(desk: Desk, arguments: tuple[str, ...], order: tuple[object, ...]) -> None:
    result = desk.run("upstream", "enable", *arguments)
    assert result.exit_code == 0
    assert [seen[:3] for seen in desk.services.orders] == [order]


def test_enabling_an_experimental_hub_says_so(desk: Desk) -> None:
    result = desk.run("upstream", "enable", "chargeprice", "--yes", "--json")
    assert json.loads(result.stdout)["mode"] == "live"
    assert "chargeprice is experimental: the page that describes" in result.stderr


def test_disable_asks_nothing(desk: Desk) -> None:
    assert desk.run("upstream", "disable", "hubject").stdout == "hubject is off\n"
    assert [order[:2] for order in desk.services.orders] == [("hubject", Mode.OFF)]


@pytest.mark.parametrize("verb", [("enable", "--yes"), ("disable",)], ids=["enable", "disable"])
def test_an_unknown_account_is_exit_code_3(desk: Desk, verb: tuple[str, ...]) -> None:
    result = desk.run("upstream", verb[0], "hubjekt", *verb[1:])
    assert (result.exit_code, result.stderr) == (3, "there is no account 'hubjekt'\n")


def test_an_account_that_is_forced_off_is_exit_code_4(desk: Desk) -> None:
    desk.services.needs_yes = True
    result = desk.run("upstream", "enable", "chargeprice", "--yes")
    assert result.exit_code == 4
    assert result.stderr.splitlines()[-1] == "the configuration forces chargeprice off"


@pytest.fixture
def csv(state: Path) -> str:
    Path("stations.csv").write_bytes(b"\xef\xbb\xbfstation\nCS-9\n")
    return "stations.csv"


def test_an_import_shows_what_it_changed(desk: Desk, csv: str) -> None:
    result = desk.run("inventory", "import", csv, "--prune")
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "station added: CS-9",
        "EVSE removed: DE*ABC*E1",
        "imported: 1 station added, 1 EVSE removed",
    ]
    assert desk.services.orders == [("station\nCS-9\n", True, False, False)]


def test_a_dry_run_says_that_nothing_changed(desk: Desk, csv: str) -> None:
    result = desk.run("inventory", "import", csv, "--dry-run")
    assert result.stdout.splitlines()[-1].startswith("nothing was changed; this would be: ")
    assert desk.services.orders[0][3] is True


def test_standard_input_can_be_imported(desk: Desk) -> None:
    assert desk.run("inventory", "import", "-", given="station\nCS-9\n").exit_code == 0
    assert desk.services.orders == [("station\nCS-9\n", False, False, False)]


ROWS = (
    RowError(line=2, column="evse_id", value="x", problem="must be an EVSE id"),
    RowError(line=3, column="key", value="", problem="has 3 bytes and must have at least 16"),
    RowError(line=9, column="", value="", problem="has 3 fields and the header 4"),
    RowError(line=0, column="", value="", problem="is empty"),
)


def test_every_bad_row_is_listed_and_exit_code_is_5(desk: Desk, csv: str) -> None:
    desk.services.row_errors = ROWS
    result = desk.run("inventory", "import", csv)
    assert (result.exit_code, result.stdout) == (5, "")
    assert result.stderr.splitlines() == [
        'stations.csv:2: evse_id "x": must be an EVSE id',
        "stations.csv:3: key: has 3 bytes and must have at least 16",
        "stations.csv:9: has 3 fields and the header 4",
        "stations.csv: is empty",
        "4 mistakes in the inventory; nothing was changed",
    ]


def test_bad_rows_are_a_document_too(desk: Desk, csv: str) -> None:
    desk.services.row_errors = ROWS[:1]
    result = desk.run("inventory", "import", csv, "--json")
    assert result.exit_code == 5
    assert json.loads(result.stdout) == {
        "error": "1 mistake in the inventory; nothing was changed",
        "details": ['stations.csv:2: evse_id "x": must be an EVSE id'],
    }


def test_an_import_that_removes_much_is_exit_code_4_where_nobody_can_be_asked(desk: Desk, csv: str) -> None:
    desk.services.needs_yes = True
    result = desk.run("inventory", "import", csv, "--prune")
    assert (result.exit_code, result.stdout) == (4, "")
    assert result.stderr.splitlines() == [
        "station added: CS-9",
        "EVSE removed: DE*ABC*E1",
        "the import would remove 1 of 5 EVSEs",
    ]


def test_an_import_that_removes_much_asks_and_goes_on(desk: Desk, csv: str) -> None:
    desk.services.needs_yes = True
    result = desk.run("inventory", "import", csv, "--prune", given="y\n", interactive=True)
    assert result.exit_code == 0
    assert [order[2] for order in desk.services.orders] == [False, True]
    assert "EVSE removed: DE*ABC*E1" in result.stderr
    assert result.stdout.splitlines()[-1] == "imported: 1 station added, 1 EVSE removed"


def test_a_no_imports_nothing(desk: Desk, csv: str) -> None:
    desk.services.needs_yes = True
    result = desk.run("inventory", "import", csv, "--prune", given="n\n", interactive=True)
    assert (result.exit_code, len(desk.services.orders)) == (1, 1)


def test_a_bridge_that_holds_the_store_and_does_not_answer_is_exit_code_6(state: Path) -> None:
    desk = Desk(None, Parts(stopped=_fails(StoreInUse("state folder state", "process 7")), patience=timedelta(0)))
    result = desk.run("status")
    assert result.exit_code == 6
    assert result.stderr == (
        "no bridge answers, yet state folder state is in use by process 7; "
        "stop that process first, or give this one another database\n"
    )


def test_a_bridge_that_has_not_said_yet_where_it_listens_is_waited_for(running: Desk, state: Path) -> None:
    """It opens its store and answers /livez first, and writes its file last; here while the command looks."""
    written = (state / "ports.json").rename(state / "later.json")

    @asynccontextmanager
    async def in_use(settings: Settings) -> AsyncIterator[WebServices]:
        written.rename(state / "ports.json")
        raise StoreInUse("state folder state", "process 7")
        yield

    starting = Desk(running.services, Parts(stopped=lambda: in_use, patience=timedelta(seconds=20)))
    result = starting.run("status", "--json")
    assert (result.exit_code, result.stderr) == (0, "")


def test_a_bridge_that_lets_go_of_its_store_is_waited_for(halted: Desk) -> None:
    looks: list[int] = []

    @asynccontextmanager
    async def in_use_twice(settings: Settings) -> AsyncIterator[WebServices]:
        looks.append(1)
        if len(looks) < 3:
            raise StoreInUse("state folder state", "process 7")
        yield halted.services

    ending = Desk(halted.services, Parts(stopped=lambda: in_use_twice, patience=timedelta(seconds=20)))
    assert ending.run("status", "--json").exit_code == 0
    assert len(looks) == 3


def test_a_store_that_cannot_be_opened_is_exit_code_1(state: Path) -> None:
    desk = Desk(None, Parts(stopped=_fails(StoreUnavailable("the file is read-only"))))
    result = desk.run("status")
    assert (result.exit_code, result.stderr) == (1, "database unavailable: the file is read-only\n")


def test_a_running_bridge_without_its_token_is_exit_code_6(running: Desk, state: Path) -> None:
    (state / "admin-token").unlink()
    result = running.run("status")
    assert result.exit_code == 6
    assert result.stderr == "a bridge answers, but state/admin-token is missing: is this its state folder?\n"


def test_a_refused_token_is_a_clear_line(running: Desk, state: Path) -> None:
    (state / "admin-token").write_text("another-token-of-more-than-thirty-two-characters", encoding="ascii")
    result = running.run("status")
    assert result.exit_code == 1
    assert result.stderr == ("the bridge refuses the token in the file admin-token: is the state folder its own?\n")


def test_a_port_that_is_taken_says_which(running: Desk, state: Path, token: str) -> None:
    port = json.loads((state / "ports.json").read_text(encoding="ascii"))["web"]
    with pytest.raises(OSError, match=f"'127.0.0.1', {port}"):
        asyncio.run(start_web(WebOptions(port=port), running.services, token))


# --- listings -------------------------------------------------------------------------------------------------------


@pytest.fixture
def toml(state: Path) -> str:
    Path("listing.toml").write_text("[[hubject.evse]]\n", encoding="utf-8")
    return "listing.toml"


def test_a_listing_is_imported_and_what_changed_is_shown(desk: Desk, toml: str) -> None:
    result = desk.run("inventory", "listing", "import", toml, "--prune")
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "listing removed: evse_data DE*ABC*E1",
        "imported: 1 listing removed",
    ]
    assert desk.services.orders == [("[[hubject.evse]]\n", True, False, False)]


def test_a_mistake_of_a_listing_is_shown_with_its_place(desk: Desk, toml: str) -> None:
    place = 'hubject.evse "DE*ABC*E1" Address.City'
    desk.services.row_errors = (RowError(line=0, column=place, value="x", problem="should be something else"),)
    result = desk.run("inventory", "listing", "import", toml)
    assert result.exit_code == 5
    assert result.stderr.splitlines() == [
        f'listing.toml: {place} "x": should be something else',
        "1 mistake in the listing; nothing was changed",
    ]


def test_a_listing_that_removes_much_asks_and_goes_on(desk: Desk, toml: str) -> None:
    desk.services.needs_yes = True
    refused = desk.run("inventory", "listing", "import", toml, "--prune")
    assert (refused.exit_code, desk.services.orders[-1][2]) == (4, False)
    result = desk.run("inventory", "listing", "import", toml, "--prune", given="y\n", interactive=True)
    assert (result.exit_code, desk.services.orders[-1][2]) == (0, True)


def test_what_is_listed_is_shown_for_reading_and_whole_as_json(desk: Desk) -> None:
    assert "DE*ABC*E1" in desk.run("inventory", "listing", "list").stdout
    (item,) = json.loads(desk.run("inventory", "listing", "list", "--json").stdout)["items"]
    assert item["content"] == {"EvseID": "DE*ABC*E1", "IsOpen24Hours": True}


# --- fullLoads ------------------------------------------------------------------------------------------------------

DIFF = [
    "hubject: a fullLoad with the status of 29 EVSEs",
    "  new: 1 (DE*ABC*E1)",
    "  changed: 1 (DE*ABC*E2)",
    "  withdrawn: 25 ("
    + ", ".join(f"DE*ABC*E{number}" for number in range(30, 50))
    + ", and 5 more; --json lists all)",
    "  left out, since the hub refuses them: 1 (DE*ABC*E60)",
    "  left out, of another operator: 1 (DE*XYZ*E1)",
    "  same: 27",
    "warning: the inventory has 29 EVSEs, less than half of the 60 in the last fullLoad",
]


def test_a_full_load_that_is_only_looked_at_orders_nothing(desk: Desk) -> None:
    result = desk.run("upstream", "full-load", "hubject", "--dry-run")
    assert (result.exit_code, result.stdout.splitlines()) == (0, [*DIFF, "nothing was sent"])
    assert desk.services.orders == []


def test_a_full_load_shows_what_it_replaces_and_asks(desk: Desk) -> None:
    result = desk.run("upstream", "full-load", "hubject", "--data", given="y\n", interactive=True)
    assert result.exit_code == 0
    assert "Although the inventory has 29 EVSEs" in result.stderr
    assert result.stdout.splitlines()[-1].startswith("the fullLoad of data is ordered")
    assert desk.services.orders == [("hubject", "data", True)]


def test_a_no_to_a_full_load_orders_nothing(desk: Desk) -> None:
    result = desk.run("upstream", "full-load", "hubject", given="n\n", interactive=True)
    assert (result.exit_code, desk.services.orders) == (1, [])


def test_a_full_load_without_anybody_to_ask_is_exit_code_2(desk: Desk) -> None:
    assert desk.run("upstream", "full-load", "hubject").exit_code == 2
    assert desk.services.orders == []


def test_scripts_order_full_loads_and_get_every_evse(desk: Desk) -> None:
    result = desk.run("upstream", "full-load", "hubject", "--yes", "--json")
    shown = json.loads(result.stdout)
    assert (shown["ordered"], len(shown["withdrawn"])) == (True, 25)
    assert desk.services.orders == [("hubject", "statuses", True)]


def test_an_account_without_full_loads_is_exit_code_4(desk: Desk) -> None:
    result = desk.run("upstream", "full-load", "chargeprice", "--dry-run")
    assert result.exit_code == 4
    assert result.stderr.splitlines()[-1] == "chargeprice has no fullLoad: chargeprice sends every EVSE by itself"


def test_the_quirk_profiles_of_a_station_are_shown_with_the_reason(desk: Desk) -> None:
    result = desk.run("quirks", "--station", "CP 1|2")
    assert result.exit_code == 0
    assert result.stdout.splitlines()[0] == "CP 1|2 (connected):"
    assert "alfen" in result.stdout
    assert "vendor 'Alfen BV'" in result.stdout
    document = json.loads(desk.run("quirks", "--station", "CP 1|2", "--json").stdout)
    assert (document["station"], document["items"][0]["name"]) == ("CP 1|2", "alfen")


def test_quirk_profiles_of_a_station_that_nobody_knows_are_exit_code_3(desk: Desk) -> None:
    result = desk.run("quirks", "--station", "CP9")
    assert (result.exit_code, result.stderr) == (3, "there is no station 'CP9'\n")
