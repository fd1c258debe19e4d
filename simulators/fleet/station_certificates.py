"""Be a test authority for a fleet: certify its stations and a server for them, and write the files.

Good for tests only. Never listens. Before it: `plan`, which says which stations there are. After it: `line`, which
connects with them, and the server under test, which takes server.pem and ca.pem.

Written, each readable by its owner only:

    ca.pem               the authority: what stations and server trust
    server.pem           certificate chain of a server on localhost, 127.0.0.1 and ::1
    server.key           its key
    station-ID.pem       key and certificate of a station, with its id as the common name; ID is percent-encoded
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import quote

import trustme

from simulators.fleet.layout import StationSpec

CA_FILE = "ca.pem"
_ORGANIZATION = "Simulated fleet"
_SERVER_NAMES = ("localhost", "127.0.0.1", "::1")
_LABEL = re.compile(r"[a-z0-9](?:-?[a-z0-9]){0,30}")


def client_file(folder: Path, station: str) -> Path:
    """Return where a station's key and certificate are."""
    return folder / f"station-{quote(station, safe='')}.pem"


def write_certificates(folder: Path, specs: Iterable[StationSpec]) -> int:
    """Make an authority, write what it certifies to `folder`, and return how many stations it certified.

    Raises: OSError. Source: OCPP 2.0.1 Part 2, A00.FR.506 and A00.FR.507; OCPP 1.6 Security Whitepaper §2.5.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    authority = trustme.CA(organization_name=_ORGANIZATION, organization_unit_name="Test authority")
    server = authority.issue_cert(*_SERVER_NAMES, common_name="localhost")
    _write(folder / CA_FILE, authority.cert_pem.bytes())
    _write(folder / "server.pem", b"".join(blob.bytes() for blob in server.cert_chain_pems))
    _write(folder / "server.key", server.private_key_pem.bytes())
    count = 0
    for spec in specs:
        name = _host_name(spec.station)
        station = authority.issue_cert(name, common_name=spec.station, organization_name=_ORGANIZATION)
        _write(client_file(folder, spec.station), station.private_key_and_cert_chain_pem.bytes())
        count += 1
    return count


def _host_name(station: str) -> str:
    """Return a name for a station that names nothing: servers that are strict refuse a certificate without any.

    Source: RFC 5280 §4.2.1.6, at least one name; RFC 6761 §6.2, nobody has a name in `.test`.
    """
    label = station.lower()
    if not _LABEL.fullmatch(label):
        label = f"id-{hashlib.sha256(station.encode()).hexdigest()[:16]}"
    return f"{label}.station.test"


def _write(path: Path, content: bytes) -> None:
    """Write a file that only its owner can read."""
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
