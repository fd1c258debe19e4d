"""Be a test authority for a mock hub: certify its server and its clients, write their files, tell who is still taken.

Everything is made anew at start and good for tests only; nothing is kept but the files in one folder. Never listens.
Before it: `mocks` and `control`. After it: `server`, which speaks TLS with its context, and the hub, which asks whom it
takes.

Written at start, each readable by its owner only. "The operator" is the first of those named:

    ca.pem                    the authority: what a client must trust
    client-DEABC.pem          key and certificate of each operator, by its id without separators
    client.pem, client.key    the operator's, in two files
    client-encrypted.key      the same key under `PASSPHRASE`; client-encrypted.pem has the certificate too
    client-expired.pem        key and certificate of the operator, over since a day
    client-foreign.pem        key and certificate with the operator's name, of another authority (foreign-ca.pem)
    client-mismatched.pem     the operator's certificate with another key
    client-without-key.pem    the certificate alone
"""

from __future__ import annotations

import os
import re
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

import trustme
from cryptography import x509
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)
from pydantic import BaseModel, ConfigDict, Field

from simulators.hubs.exchange import ClientCertificate

PASSPHRASE = "mock-hub-passphrase"  # noqa: S105 - of keys that live as long as a test
DAYS = 365
Refusal = Literal["handshake", "html"]

_AUTHORITY = "Mock hub authority"
_FOREIGN = "Foreign authority"
_NO_NAME = "client.test"
"""Names nobody (RFC 6761 §6.2); who is strict refuses a certificate that has no name beside its subject."""
_NO_CHECK_TIME = 0x200000
"""X509_V_FLAG_NO_CHECK_TIME of OpenSSL, which Python's ssl module does not name."""


@dataclass(frozen=True, slots=True)
class TlsOptions:
    """Where the files go (None: a temporary folder), and how a certificate is refused that the authority never signed.

    `handshake`: the TLS stack refuses a certificate that is missing, foreign or expired. `html`: as the real Hubject
    does, HTTP 400 in HTML where it is missing, of client-foreign.pem's authority, or names no known operator, and 401
    with code 017 where it is expired. Python's ssl module cannot take a certificate of an authority that it was not
    told, so one of any third authority ends in the handshake there too.
    """

    folder: Path | None = None
    refusal: Refusal = "html"


class CertificateOrder(BaseModel):
    """What the control interface asks of an authority; carried out from top to bottom."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    renew_server: bool = False
    """Give the server a new certificate, for connections from now on."""
    revoke: str | None = None
    """Take no certificate with this serial, or none issued for this common name so far."""
    accept_serials: tuple[str, ...] | None = None
    """Take these and those issued later only; null where given: all that are not revoked."""
    issue: Annotated[str, Field(pattern=r"^[A-Za-z0-9*+]{1,64}$")] | None = None
    """Certify this common name, in a file of its own."""
    days: Annotated[int, Field(ge=-3650, le=36500)] = DAYS
    """How long what is issued is good for; negative: over already."""
    replace: bool = False
    """Write what is issued over the files that the common name has had since the start."""


class Authority:
    """A test authority with the certificates that it issued."""

    def __init__(self, folder: Path, common_names: Sequence[str], refusal: Refusal = "handshake") -> None:
        """Certify for `common_names`. Raises: ValueError where there is none."""
        if not common_names:
            raise ValueError("name at least one operator to certify")
        self.folder = folder
        self.refusal = refusal
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        """What the server speaks: TLS 1.2 or newer."""
        self._names = tuple(common_names)
        self._ca = trustme.CA(organization_unit_name=_AUTHORITY)
        self._foreign = trustme.CA(organization_unit_name=_FOREIGN)
        self._issued: dict[str, str] = {}
        self._revoked: set[str] = set()
        self._accepted: set[str] | None = None
        self._set_up()

    def _set_up(self) -> None:
        self.context.minimum_version = ssl.TLSVersion.TLSv1_2
        self._ca.configure_trust(self.context)
        self._certify_server()
        match self.refusal:
            case "handshake":
                self.context.verify_mode = ssl.CERT_REQUIRED
            case "html":
                self._foreign.configure_trust(self.context)
                self.context.verify_mode = ssl.CERT_OPTIONAL
                self.context.verify_flags = ssl.VerifyFlags(self.context.verify_flags | _NO_CHECK_TIME)

    def signed(self, client: ClientCertificate) -> bool:
        """Tell whether the certificate is of this authority."""
        return client.issuer == _AUTHORITY

    def takes(self, client: ClientCertificate) -> bool:
        """Tell whether the certificate is good at this moment: not over, not revoked, not rotated away."""
        if client.expired or client.serial in self._revoked:
            return False
        return self._accepted is None or client.serial in self._accepted

    def obey(self, order: CertificateOrder) -> dict[str, Any]:
        """Carry out an order and return `status`, with `path` and `serial` of what was issued.

        Raises: ValueError where nothing of the name or serial to revoke was issued; OSError where a file cannot be
        written.
        """
        if order.renew_server:
            self._certify_server()
        if order.revoke is not None:
            self._revoked |= self._meant(order.revoke)
        if "accept_serials" in order.model_fields_set:
            serials = order.accept_serials
            self._accepted = None if serials is None else set(map(_serial, serials))
        issued = {} if order.issue is None else self._issue(order.issue, order.days, order.replace)
        return self.status() | issued

    def status(self) -> dict[str, Any]:
        """Return the folder, the common name by serial of what was issued, and which serials are taken."""
        return {
            "folder": str(self.folder),
            "issued": dict(self._issued),
            "revoked": sorted(self._revoked),
            "accept_serials": None if self._accepted is None else sorted(self._accepted),
        }

    def write_files(self) -> None:
        """Write the files that the module names. Raises: OSError."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._write("ca.pem", self._ca.cert_pem.bytes())
        self._write("foreign-ca.pem", self._foreign.cert_pem.bytes())
        first, *others = self._names
        for name in others:
            self._write_client(f"client-{_file_part(name)}", self._certify(name, DAYS))
        leaf = self._certify(first, DAYS)
        self._write_client(f"client-{_file_part(first)}", leaf)
        self._write_pair(leaf)
        self._write_variants(leaf, first)

    def _write_variants(self, leaf: trustme.LeafCert, name: str) -> None:
        certificate, locked = _certificate(leaf), _locked(leaf)
        self._write("client-encrypted.key", locked)
        self._write("client-encrypted.pem", locked + certificate)
        self._write("client-without-key.pem", certificate)
        self._write_client("client-expired", self._certify(name, -1))
        foreign = self._foreign.issue_cert(_NO_NAME, common_name=name)
        self._write_client("client-foreign", foreign)
        self._write("client-mismatched.pem", foreign.private_key_pem.bytes() + certificate)

    def _write_pair(self, leaf: trustme.LeafCert) -> None:
        self._write("client.key", leaf.private_key_pem.bytes())
        self._write("client.pem", _certificate(leaf))

    def _write_client(self, stem: str, leaf: trustme.LeafCert) -> Path:
        return self._write(f"{stem}.pem", leaf.private_key_and_cert_chain_pem.bytes())

    def _issue(self, name: str, days: int, replace: bool) -> dict[str, Any]:
        leaf = self._certify(name, days)
        serial = _serial_of(leaf)
        if self._accepted is not None:
            self._accepted.add(serial)
        stem = f"client-{_file_part(name)}"
        path = self._write_client(stem if replace else f"{stem}-{serial[:8]}", leaf)
        if replace and name == self._names[0]:
            self._write_pair(leaf)
        return {"path": str(path), "serial": serial}

    def _certify(self, name: str, days: int) -> trustme.LeafCert:
        leaf = self._ca.issue_cert(_NO_NAME, common_name=name, not_after=datetime.now(UTC) + timedelta(days=days))
        self._issued[_serial_of(leaf)] = name
        return leaf

    def _certify_server(self) -> None:
        self._ca.issue_cert("localhost", "127.0.0.1").configure_cert(self.context)

    def _meant(self, name_or_serial: str) -> set[str]:
        meant = {serial for serial, name in self._issued.items() if name == name_or_serial}
        meant |= {_serial(name_or_serial)} & self._issued.keys()
        if not meant:
            raise ValueError(
                f"nothing was issued for {name_or_serial[:64]!r}; give a common name or a serial of issued"
            )
        return meant

    def _write(self, name: str, content: bytes) -> Path:
        """Write a file that only its owner can read, so that a reader sees the whole old one or the whole new one."""
        path = self.folder / name
        beside = self.folder / f".{name}.new"
        beside.unlink(missing_ok=True)
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(content)
        return beside.replace(path)


def client_certificate(peer: Mapping[str, Any], at: float) -> ClientCertificate:
    """Return what `ssl.SSLSocket.getpeercert` says of a client, at a moment in seconds since 1970."""
    return ClientCertificate(
        common_name=_named(peer.get("subject", ()), "commonName"),
        serial=_serial(peer.get("serialNumber", "")),
        issuer=_named(peer.get("issuer", ()), "organizationalUnitName"),
        expired=ssl.cert_time_to_seconds(peer["notAfter"]) <= at,
    )


def _named(parts: Sequence[Sequence[tuple[str, str]]], name: str) -> str:
    return next((value for part in parts for key, value in part if key == name), "")


def _serial(text: str) -> str:
    """Return a serial as it is compared: hexadecimal digits in capitals without leading zeros."""
    return text.upper().replace(":", "").lstrip("0")


def _serial_of(leaf: trustme.LeafCert) -> str:
    return f"{x509.load_pem_x509_certificate(_certificate(leaf)).serial_number:X}"


def _certificate(leaf: trustme.LeafCert) -> bytes:
    return leaf.cert_chain_pems[0].bytes()


def _locked(leaf: trustme.LeafCert) -> bytes:
    key = load_pem_private_key(leaf.private_key_pem.bytes(), None)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(PASSPHRASE.encode()))


def _file_part(name: str) -> str:
    return re.sub(r"[^A-Z0-9]", "", name.upper())
