"""What an operator sees at a terminal: mistakes, a bridge that cannot start, edits, orders, and how it ends."""

from __future__ import annotations

import base64
import json
import os
import pty
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from tests.acceptance.processes import free_port

COMMAND = Path(sys.executable).parent / "ocpp-bridge"
WITHIN_S = 20.0
ENDS_WITHIN_S = 10.0
KEYS = ("OPERATIONS-KEY-0001", "OPERATIONS-KEY-0002")
HEADER = "station,version,key,connector,evse_id,operator,chargeprice_station,chargeprice_point\n"
POLICY_VIOLATION = 1008
"""Source: RFC 6455 §7.4.1."""

CONFIG = """
[ocpp]
host = "127.0.0.1"
port = 0
id_tags = "reject"
[web]
port = 0
[accounts.hubject_main]
kind = "oicp"
base_url = "http://127.0.0.1:9"
operator_id = "DE*ABC"
[accounts.cp]
kind = "chargeprice"
MODE
base_url = "http://127.0.0.1:HUB"
company_id = "11111111-2222-4333-8444-555555555555"
api_key = "key"
[operators.acme]
name = "Acme"
accounts = ["hubject_main", "cp"]
"""


class Desk:
    """A folder with a configuration, in which commands are run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.started: list[subprocess.Popen[bytes]] = []
        self.configure()

    def configure(self, mode: str = "", hub: int = 9) -> None:
        """Write bridge.toml with the mode and the hub's port of the account `cp`."""
        text = CONFIG.replace("MODE", mode and f'mode = "{mode}"').replace("HUB", str(hub))
        (self.folder / "bridge.toml").write_text(text, encoding="utf-8")

    def run(self, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end, with nobody there to ask."""
        return subprocess.run(
            [COMMAND, *arguments],
            capture_output=True,
            text=True,
            timeout=30,
            cwd=self.folder,
            env=self._environ(environ),
            stdin=subprocess.DEVNULL,
            check=False,
        )

    def ask(self, *arguments: str) -> Any:
        """Return the document that a command prints."""
        done = self.run(*arguments, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def on_terminal(self, *arguments: str, given: str = "") -> tuple[subprocess.Popen[bytes], int]:
        """Start a command on a terminal of its own, with this typed; return it and the terminal's other end."""
        ours, theirs = pty.openpty()
        process = subprocess.Popen(
            [COMMAND, *arguments],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            cwd=self.folder,
            env=self._environ({"NO_COLOR": "1", "TERM": "xterm", "COLUMNS": "200"}),
            start_new_session=True,
        )
        os.close(theirs)
        self.started.append(process)
        os.write(ours, given.encode())
        return process, ours

    def serve(self, **environ: str) -> subprocess.Popen[bytes]:
        """Start the bridge; its log is serve.log."""
        with (self.folder / "serve.log").open("ab") as log:
            process = subprocess.Popen(
                [COMMAND, "serve"], stderr=log, cwd=self.folder, env=self._environ(environ), start_new_session=True
            )
        self.started.append(process)
        return process

    def serving(self) -> subprocess.Popen[bytes]:
        """Start the bridge and wait until it listens."""
        process = self.serve()
        until(lambda: process.poll() is not None or self.ports(), "ports.json")
        assert process.poll() is None, self.log()
        return process

    def ports(self) -> dict[str, Any]:
        """Return where the bridge listens; empty while it does not."""
        with suppress(FileNotFoundError):
            found: dict[str, Any] = json.loads((self.folder / "state" / "ports.json").read_text(encoding="ascii"))
            return found
        return {}

    def log(self) -> str:
        """Return what the bridge has logged."""
        return (self.folder / "serve.log").read_text(encoding="utf-8")

    def events(self, name: str) -> list[dict[str, Any]]:
        """Return the events of one name that the bridge has logged."""
        lines = [json.loads(line) for line in self.log().splitlines() if line.startswith("{")]
        return [line for line in lines if line["event"] == name]

    def write(self, name: str, text: str) -> str:
        """Write a file and return its name."""
        (self.folder / name).write_text(text, encoding="utf-8")
        return name

    def end(self) -> None:
        """Kill what still runs."""
        for process in self.started:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(10)

    def _environ(self, more: dict[str, str]) -> dict[str, str]:
        ours = {name: value for name, value in os.environ.items() if not name.startswith("BRIDGE_")}
        return ours | more


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    found = Desk(tmp_path)
    yield found
    found.end()


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state folder as a bridge leaves it."""
    desk = Desk(tmp_path_factory.mktemp("before"))
    three = desk.write("three.csv", rows(*(station(number) for number in (1, 2, 3))))
    assert desk.ask("inventory", "import", three)["applied"] is True
    return desk.folder / "state"


@pytest.fixture
def stocked(desk: Desk, database: Path) -> Desk:
    """A stopped bridge with three stations in its inventory."""
    shutil.copytree(database, desk.folder / "state")
    return desk


@pytest.fixture(scope="module", autouse=True)
def locked_out(tmp_path_factory: pytest.TempPathFactory, database: Path) -> Iterator[Desk]:
    """A bridge that waits for its database from the first test on, since that takes it 10 s."""
    desk = Desk(tmp_path_factory.mktemp("locked"))
    shutil.copytree(database, desk.folder / "state")
    with closing(sqlite3.connect(desk.folder / "state" / "bridge.db", isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        desk.serve()
        yield desk
        desk.end()


def until(look: Callable[[], object], what: str, within: float = WITHIN_S) -> None:
    ends = time.monotonic() + within
    while not look():
        assert time.monotonic() < ends, f"not seen within {within:g} s: {what}"
        time.sleep(0.02)


def interrupted(process: subprocess.Popen[bytes], number: signal.Signals = signal.SIGINT) -> int:
    """Send a signal and return the exit code, which must come in time."""
    process.send_signal(number)
    return process.wait(ENDS_WITHIN_S)


def rows(*lines: str) -> str:
    return HEADER + "".join(f"{line}\n" for line in lines)


def station(number: int, key: str = KEYS[0]) -> str:
    return f"OP-{number},1.6,{key},1,DE*ABC*E{number},acme,site,point-{number}"


def dial(port: int, name: str, key: str) -> ClientConnection:
    token = base64.b64encode(f"{name}:{key}".encode()).decode()
    return connect(
        f"ws://127.0.0.1:{port}/{name}",
        subprotocols=[Subprotocol("ocpp1.6")],
        additional_headers={"Authorization": f"Basic {token}"},
        proxy=None,
    )


# --- nothing starts -------------------------------------------------------------------------------------------------


def test_every_mistake_is_listed_with_its_source_and_nothing_is_started(desk: Desk) -> None:
    desk.write("bridge.toml", '[ocpp]\nport = 70000\nhots = "x"\n[accounts.hub]\nkind = "ocpi"\n')
    environ = {"BRIDGE_OCPP__PROT": "9001", "BRIDGE_WEB__PORT": "eighty"}
    mistakes = [
        "bridge.toml: accounts.hub.kind = \"ocpi\": should be 'oicp', 'chargeprice' or 'spirii'",
        "bridge.toml: ocpp.hots: unknown key; did you mean ocpp.host?",
        "bridge.toml: ocpp.port = 70000: should be a whole number from 0 to 65535",
        "environment variable BRIDGE_OCPP__PROT: ocpp.prot: unknown key; did you mean ocpp.port?",
        'environment variable BRIDGE_WEB__PORT: web.port = "eighty": should be a whole number from 0 to 65535',
    ]
    checked = desk.run("check-config", **environ)
    assert (checked.returncode, checked.stdout) == (5, "")
    assert checked.stderr.splitlines() == [*mistakes, "5 mistakes in the configuration"]
    served = desk.run("serve", **environ)
    assert (served.returncode, served.stdout) == (5, "")
    assert served.stderr.splitlines() == [*mistakes, "5 mistakes in the configuration; nothing was started"]
    assert [path.name for path in desk.folder.iterdir()] == ["bridge.toml"]


@pytest.mark.parametrize("section", ["ocpp", "web"])
def test_a_port_that_is_taken_is_one_line(desk: Desk, database: Path, section: str) -> None:
    shutil.copytree(database, desk.folder / "state")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = desk.run("serve", **{f"BRIDGE_{section.upper()}__PORT": str(port)})
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines() == [
        f"cannot start: {section}.port {port} on {section}.host 127.0.0.1: address already in use; "
        f"end the program that uses it, or set {section}.port to another (0: any free one)"
    ]
    assert not (desk.folder / "state" / "ports.json").exists()


def _damage(state: Path) -> None:
    (state / "bridge.db").write_bytes(b"This is no database. " * 500)


def _come_from_the_future(state: Path) -> None:
    with closing(sqlite3.connect(state / "bridge.db")) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")


def _be_no_folder(state: Path) -> None:
    shutil.rmtree(state)
    state.write_text("a file", encoding="utf-8")


@pytest.mark.parametrize(
    ("spoil", "line"),
    [
        pytest.param(
            _damage,
            "cannot start: database state/bridge.db broken: the file is not a SQLite database (SQLITE_NOTADB); "
            "stop, check the disk, and restore a backup if the file is damaged",
            id="damaged",
        ),
        pytest.param(
            _come_from_the_future,
            "cannot start: database schema is at '9999', and this release knows none after ",
            id="newer-schema",
        ),
        pytest.param(
            _be_no_folder,
            "cannot start: database unavailable: state: File exists; make the folder exist and writable for this user",
            id="no-folder",
        ),
    ],
)
def test_a_state_folder_that_cannot_be_used_is_one_line(
    desk: Desk, database: Path, spoil: Callable[[Path], None], line: str
) -> None:
    shutil.copytree(database, desk.folder / "state")
    spoil(desk.folder / "state")
    done = desk.run("serve")
    assert (done.returncode, done.stdout) == (1, "")
    (said,) = done.stderr.splitlines()
    assert said.startswith(line)


def test_a_database_server_that_is_not_there_is_one_line_without_the_password(desk: Desk) -> None:
    url = f"postgresql://bridge:topsecret@127.0.0.1:{free_port()}/bridge"
    done = desk.run("serve", BRIDGE_DATABASE_URL=url)
    assert done.returncode == 1
    (said,) = done.stderr.splitlines()
    assert said.startswith("cannot start: database postgresql://bridge:***@127.0.0.1:")
    assert "Connection refused" in said
    assert "topsecret" not in said


def test_ctrl_c_ends_a_start_that_waits_for_a_locked_database(stocked: Desk) -> None:
    database = stocked.folder / "state" / "bridge.db"
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        bridge = stocked.serve()
        lock = database.with_name("bridge.db.lock")
        until(lambda: lock.read_text(encoding="ascii") == f"{bridge.pid}\n", "the bridge at its database")
        assert interrupted(bridge) == 0
    assert stocked.ports() == {}


# --- a running bridge -----------------------------------------------------------------------------------------------


def test_orders_reach_a_running_bridge_and_mean_the_same_with_it_stopped(desk: Desk) -> None:
    bridge = desk.serving()
    second = desk.run("serve")
    assert (second.returncode, second.stderr) == (
        1,
        f"cannot start: state folder state is in use by process {bridge.pid}; "
        "stop that process first, or give this one another database\n",
    )

    bad = desk.write("bad.csv", rows(station(1, "short"), "OP-2,9.9,,x,nonsense,nobody,,", station(3)))
    refused = desk.run("inventory", "import", bad)
    assert (refused.returncode, refused.stdout) == (5, "")
    assert [line.split(":")[:2] for line in refused.stderr.splitlines()[:-1]] == [
        ["bad.csv", "2"],
        *[["bad.csv", "3"]] * 4,
    ]
    assert refused.stderr.splitlines()[-1] == "5 mistakes in the inventory; nothing was changed"

    good = desk.write("good.csv", "# three stations\n\n" + rows(*(station(number) for number in (1, 2, 3))))
    dry = desk.run("inventory", "import", good, "--dry-run")
    assert dry.stdout.splitlines()[-1] == "nothing was changed; this would be: 3 stations added, 3 EVSEs added"
    assert desk.ask("inventory", "list") == {"items": [], "next_cursor": None}
    assert desk.ask("inventory", "import", good)["applied"] is True

    less = desk.write("less.csv", rows(station(1)))
    much = desk.run("inventory", "import", less, "--prune")
    assert (much.returncode, much.stdout) == (4, "")
    assert much.stderr.splitlines() == [
        "station removed: OP-2",
        "station removed: OP-3",
        "EVSE removed: DE*ABC*E2",
        "EVSE removed: DE*ABC*E3",
        "the import would remove 2 of 3 EVSEs and 2 of 3 stations, more than 10 %; "
        "check the file, or confirm with --yes",
    ]

    off = {item["name"]: item for item in desk.ask("upstream", "list")["items"]}["cp"]
    assert (off["mode"], off["backlog"], off["would_send"], off["lag_s"]) == ("off", 0, 3, None)
    listed = desk.ask("inventory", "list")
    assert interrupted(bridge) == 0
    assert desk.ports() == {}
    assert desk.ask("inventory", "list") == listed
    assert desk.run("status").stdout.splitlines()[:3] == [
        "ocpp-bridge 0.1.0, stopped",
        "stations: 3",
        "EVSEs: 3 (unknown 3)",
    ]


def test_an_operator_s_off_wins_over_live_in_the_file_and_off_in_the_file_over_all(stocked: Desk) -> None:
    stocked.configure("live")
    assert stocked.ask("upstream", "disable", "cp")["mode"] == "off"
    shown = stocked.ask("upstream", "list")["items"][1]
    assert (shown["mode"], shown["mode_by"]) == ("off", "command line")
    stocked.configure("off")
    forced = stocked.run("upstream", "enable", "cp", "--yes")
    assert (forced.returncode, forced.stderr.splitlines()[-1]) == (
        4,
        'the configuration forces accounts.cp off: remove mode = "off" there, and restart',
    )


@pytest.mark.row("T67")
def test_a_station_whose_key_changed_or_that_was_removed_must_log_in_again(stocked: Desk) -> None:
    bridge = stocked.serving()
    port = stocked.ports()["ocpp"]
    new = stocked.write("new.csv", rows(station(1, KEYS[1]), station(3)))
    with (
        dial(port, "OP-1", KEYS[0]) as changed,
        dial(port, "OP-2", KEYS[0]) as removed,
        dial(port, "OP-3", KEYS[0]) as same,
    ):
        stocked.ask("inventory", "import", new, "--prune", "--yes")
        for session in (changed, removed):
            with pytest.raises(ConnectionClosed) as closed:
                session.recv(timeout=5)
            assert closed.value.rcvd is not None
            assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (
                POLICY_VIOLATION,
                "the registry has changed: log in again",
            )
        same.ping().wait(5)
        for name, key, answer in (("OP-1", KEYS[0], 401), ("OP-2", KEYS[0], 404)):
            with pytest.raises(InvalidStatus) as refused, dial(port, name, key):
                pass
            assert refused.value.response.status_code == answer
        with dial(port, "OP-1", KEYS[1]) as again:
            again.ping().wait(5)
    assert interrupted(bridge, signal.SIGTERM) == 0


class _Accepting(BaseHTTPRequestHandler):
    def do_PUT(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


def test_a_hub_that_cannot_be_reached_is_said_once_and_so_is_its_return(stocked: Desk) -> None:
    hub = free_port()
    stocked.configure("live", hub)
    bridge = stocked.serving()
    until(lambda: stocked.events("upstream_failed"), "a failed attempt")
    assert stocked.ask("status")["upstreams"][1]["state"] == "degraded"
    server = HTTPServer(("127.0.0.1", hub), _Accepting)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        until(lambda: stocked.events("upstream_recovered"), "the hub's return")
        assert interrupted(bridge) == 0
    finally:
        server.shutdown()
        thread.join(5)
        server.server_close()
    assert len(stocked.events("upstream_failed")) == 1
    assert len(stocked.events("upstream_recovered")) == 1


# --- at a terminal --------------------------------------------------------------------------------------------------


def test_serve_on_a_terminal_says_where_it_listens_and_what_is_next(desk: Desk) -> None:
    bridge, terminal = desk.on_terminal("serve")
    until(desk.ports, "ports.json")
    shown = ""
    while "import FILE" not in shown:
        shown += os.read(terminal, 4096).decode()
    assert interrupted(bridge) == 0
    assert "\x1b[3" not in shown  # no colours with NO_COLOR
    lines = shown.replace("\r", "").splitlines()
    assert "ocpp-bridge 0.1.0 is running; Ctrl-C ends it." in lines
    assert "  inventory            0 stations, 0 EVSEs" in lines
    assert "  account              hubject_main is off" in lines
    assert "Next, in another terminal: ocpp-bridge inventory import FILE" in lines


def test_enable_on_a_terminal_shows_what_will_be_sent_and_asks_for_each_yes(stocked: Desk) -> None:
    yes, terminal = stocked.on_terminal("upstream", "enable", "hubject_main", given="y\ny\n")
    assert yes.wait(WITHIN_S) == 0
    written = b""
    with suppress(OSError):  # EIO: the other end is closed, and all of it was read
        while chunk := os.read(terminal, 4096):
            written += chunk
    shown = written.decode()
    assert "hubject_main (oicp), now off: 3 EVSEs (0 known, 0 unknown, 3 never heard of)" in shown
    assert "Switch hubject_main to live? [y/N]:" in shown
    assert "A fullLoad replaces everything that the hub has of this account by the inventory. Send it? [y/N]:" in shown
    assert stocked.ask("upstream", "list")["items"][0]["mode"] == "live"


# --- and what began before the first test ---------------------------------------------------------------------------


def test_a_database_that_stays_locked_is_one_line(locked_out: Desk) -> None:
    assert locked_out.started[0].wait(WITHIN_S) == 1
    assert locked_out.log().splitlines() == [
        "cannot start: database state/bridge.db unavailable: another process holds the write lock (SQLITE_BUSY); "
        "wait for it to finish"
    ]
