"""Prove on a real bridge: several listeners, a certificate that is renewed meanwhile, the ratchet after a crash."""

from __future__ import annotations

import base64
import json
import os
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from tests.acceptance.processes import Process, until
from tests.certificates import issue

COMMAND = str(Path(sys.executable).parent / "ocpp-bridge")
KEY = "LISTENERS-KEY-0001"
CONFIG = """
[web]
port = 0
[ocpp.listeners.plain]
host = "127.0.0.1"
port = 0
[ocpp.listeners.tls]
host = "127.0.0.1"
port = 0
tls_certificate = "server.pem"
client_ca = "stations.pem"
[operators.acme]
name = "Acme"
"""
INVENTORY = f"""station,version,key,security,connector,evse_id,operator
ONE,1.6,{KEY},1,1,DE*ABC*E1,acme
TWO,1.6,,3,1,DE*ABC*E2,acme
"""


class Desk:
    """A folder with a configuration, certificates, and the bridge that runs in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.server_ca, self.stations_ca = trustme.CA(), trustme.CA()
        self.process: Process | None = None
        self.renew()
        (folder / "stations.pem").write_bytes(self.stations_ca.cert_pem.bytes())
        (folder / "bridge.toml").write_text(CONFIG, encoding="utf-8")
        (folder / "stations.csv").write_text(INVENTORY, encoding="utf-8")
        (folder / "two.pem").write_bytes(issue(self.stations_ca, "TWO").whole)
        self.environ = {name: value for name, value in os.environ.items() if not name.startswith("BRIDGE_")}

    def renew(self) -> bytes:
        """Put a new server certificate in place, as a renewal does: by a rename."""
        draft = self.folder / "draft.pem"
        issued = self.server_ca.issue_cert("127.0.0.1")
        draft.write_bytes(issued.private_key_and_cert_chain_pem.bytes())
        draft.replace(self.folder / "server.pem")
        return ssl.PEM_cert_to_DER_cert(issued.cert_chain_pems[0].bytes().decode())

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [COMMAND, *arguments]
        return subprocess.run(
            command, capture_output=True, text=True, timeout=30, cwd=self.folder, env=self.environ, check=False
        )

    async def serve(self) -> dict[str, int]:
        """Start the bridge, and return the port of each listener."""
        (self.folder / "state" / "ports.json").unlink(missing_ok=True)
        arguments = ["sh", "-c", f'cd "{self.folder}" && exec "{COMMAND}" serve']
        self.process = Process("bridge", arguments, self.environ, self.folder / "serve.log")
        found: list[Any] = await until(self._ports, 20, "ports.json")
        return found[0]["listeners"]  # type: ignore[no-any-return]

    async def _ports(self) -> list[Any]:
        file = self.folder / "state" / "ports.json"
        return [json.loads(file.read_text(encoding="ascii"))] if file.exists() else []

    def trust(self, certificate: str | None = None) -> ssl.SSLContext:
        context = ssl.create_default_context(cadata=self.server_ca.cert_pem.bytes().decode())
        if certificate is not None:
            context.load_cert_chain(self.folder / certificate)
        return context

    def dial(self, port: int, name: str, context: ssl.SSLContext | None = None, key: str = "") -> ClientConnection:
        token = base64.b64encode(f"{name}:{key}".encode()).decode()
        return connect(
            f"{'ws' if context is None else 'wss'}://127.0.0.1:{port}/{name}",
            ssl=context,
            subprotocols=[Subprotocol("ocpp1.6")],
            additional_headers={"Authorization": f"Basic {token}"} if key else {},
            proxy=None,
        )


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    if made.process is not None:
        made.process.destroy()


def presented(connection: ClientConnection) -> bytes:
    found = connection.socket.getpeercert(binary_form=True)  # type: ignore[attr-defined]
    assert isinstance(found, bytes)
    return found


def presented_to(desk: Desk, port: int) -> bytes:
    """Return the server certificate that a new connection is shown."""
    with desk.dial(port, "TWO", desk.trust("two.pem")) as connection:
        return presented(connection)


async def test_listeners_certificates_and_ratchet_of_a_running_bridge(desk: Desk) -> None:
    ports = await desk.serve()
    assert list(ports) == ["plain", "tls"]
    imported = desk.run("inventory", "import", "stations.csv")
    assert imported.returncode == 0, imported.stderr

    with desk.dial(ports["plain"], "ONE", key=KEY):
        pass
    with (
        desk.dial(ports["tls"], "ONE", desk.trust(), KEY) as one,
        desk.dial(ports["tls"], "TWO", desk.trust("two.pem")),
    ):
        status = json.loads(desk.run("status", "--json").stdout)
        assert status["connected"] == 2
        shown = [(item["name"], item["profiles"]) for item in status["listeners"]]
        assert shown == [("plain", [0, 1]), ("tls", [2, 3])]
        new = desk.renew()
        await until(lambda: presented_to(desk, ports["tls"]) == new, 20, "the new certificate", every=0.2)
        assert presented(one) != new
        assert one.ping().wait(5)

    assert desk.process is not None
    desk.process.kill()
    ports = await desk.serve()
    with pytest.raises(InvalidStatus) as caught, desk.dial(ports["plain"], "ONE", key=KEY):
        pass
    assert caught.value.response.status_code == 403
    assert caught.value.response.body == b"this station must use security profile 2; this is profile 1\n"


def test_check_config_names_the_key_and_the_file_of_a_bad_certificate(desk: Desk) -> None:
    (desk.folder / "server.pem").write_bytes(issue(desk.server_ca, "csms", ends=-1).whole)
    for command in ("check-config", "serve"):
        checked = desk.run(command)
        assert checked.returncode == 5
        expected = (
            'bridge.toml: ocpp.listeners.tls.tls_certificate = "server.pem": should be a certificate that is valid; '
        )
        assert checked.stderr.startswith(expected)


def test_an_address_that_cannot_be_used_names_its_listener(desk: Desk) -> None:
    (desk.folder / "bridge.toml").write_text(CONFIG.replace('"127.0.0.1"', '"192.0.2.1"', 1), encoding="utf-8")
    started = desk.run("serve")
    assert started.returncode == 1
    assert "cannot start: ocpp.listeners.plain.port 0 on ocpp.listeners.plain.host 192.0.2.1: " in started.stderr
