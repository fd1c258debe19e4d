"""Make a listener's TLS context of its files: our certificates to stations, and whom of them we believe.

Never watches the files and never listens. Before it: `bridge.settings` at start, `bridge.app` afterwards. After it: the
listener that `csms` keeps. Source: OCPP 1.6 Security Whitepaper §2.5; OCPP 2.0.1 Part 2, A00.FR.301 to A00.FR.428.

    Exception
    └── ServerTlsUnusable       what is wrong with one file of a listener
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from bridge.upstreams.certificates import (
    Certificate,
    CertificateUnusable,
    Part,
    Wording,
    check_dates,
    read_ca_bundle,
    read_pair,
)
from bridge.upstreams.credentials import Contents, CredentialUnusable

_WORDING = Wording("tls_key", "tls_key_passphrase_file", "the key", "get a new one from its authority")
_COMPAT = ("AES128-GCM-SHA256", "AES256-GCM-SHA384")
"""TLS_RSA_WITH_AES_128_GCM_SHA256 and TLS_RSA_WITH_AES_256_GCM_SHA384, as OpenSSL calls them. They have no forward
secrecy; OCPP 2.0.1 Part 2, A00.FR.318 and A00.FR.421, asks for them all the same."""


@dataclass(frozen=True, slots=True)
class ServerTlsFiles:
    """Where a listener's TLS material is; every file is PEM."""

    certificates: tuple[Path, ...] = ()
    """Each with its intermediate ones after it; none: TLS ends at a proxy."""
    keys: tuple[Path, ...] = ()
    """One for each certificate; none: they are in the certificates' files."""
    passphrase: Path | None = None
    client_ca: Path | None = None
    compat_ciphers: bool = False

    @property
    def paths(self) -> tuple[Path, ...]:
        """Every file that is named, once each."""
        named = (*self.certificates, *self.keys, self.passphrase, self.client_ca)
        return tuple(dict.fromkeys(path for path in named if path is not None))


@dataclass(frozen=True, slots=True)
class ServerTls:
    """What a listener proves itself with, and whom it believes."""

    context: ssl.SSLContext | None
    """None: TLS ends at a proxy."""
    certificates: tuple[Certificate, ...]
    authorities: bytes | None = field(repr=False)
    """PEM of the authorities behind client certificates; None: nobody's count."""


@dataclass
class ServerTlsUnusable(Exception):
    """What is wrong with one file of a listener, and what would be right."""

    key: str
    """Of the configuration."""
    file: Path | None
    problem: str

    def __str__(self) -> str:
        """Return the text for the operator."""
        return f"{self.key}{'' if self.file is None else f' = {self.file}'}: {self.problem}"


def make_server_tls(files: ServerTlsFiles, contents: Contents) -> ServerTls:
    """Return what files hold whose `contents` were just read. Blocks for the disk.

    OpenSSL reads keys from their files alone: whoever calls must make sure that the contents still are the files'.

    Raises: ServerTlsUnusable, OSError.
    """
    authorities = _authorities(files, contents)
    if not files.certificates:
        return ServerTls(None, (), authorities)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION | ssl.OP_CIPHER_SERVER_PREFERENCE
    if files.compat_ciphers:
        context.set_ciphers(":".join([*_names(context), *_COMPAT]))
    if authorities is not None:
        context.load_verify_locations(cadata=authorities.decode("ascii"))
        # Optional, so that a station without one reads in our answer what it needs; one that is wrong is refused here.
        context.verify_mode = ssl.CERT_OPTIONAL
    found = tuple(_load(context, files, contents, number) for number in range(len(files.certificates)))
    kinds = [certificate.kind for certificate in found]
    if len(set(kinds)) < len(kinds):
        problem = f"should be of another kind than the first one, which is {kinds[0]} as well: one RSA and one ECDSA"
        raise ServerTlsUnusable("tls_certificate", files.certificates[-1], problem)
    if files.compat_ciphers and "RSA" not in kinds:
        raise ServerTlsUnusable("compat_ciphers", None, "needs an RSA certificate in tls_certificate; it has none")
    return ServerTls(context, found, authorities)


def reread_server_tls(files: ServerTlsFiles, contents: Contents) -> ServerTls:
    """Return as `make_server_tls` does, for a `FileCredential`. Raises: CredentialUnusable, OSError."""
    try:
        return make_server_tls(files, contents)
    except ServerTlsUnusable as error:
        raise CredentialUnusable(str(error)) from error


def check_server_dates(tls: ServerTls, files: ServerTlsFiles, now: datetime) -> None:
    """Refuse a certificate of ours that is not valid now. Raises: ServerTlsUnusable."""
    for file, certificate in zip(files.certificates, tls.certificates, strict=True):
        try:
            check_dates(certificate, now, _WORDING)
        except CertificateUnusable as error:
            raise ServerTlsUnusable("tls_certificate", file, error.problem) from error


def check_new_server_tls(tls: ServerTls, files: ServerTlsFiles, now: datetime) -> None:
    """Refuse certificates that should not replace the old ones. Raises: CredentialUnusable."""
    try:
        check_server_dates(tls, files, now)
    except ServerTlsUnusable as error:
        raise CredentialUnusable(str(error)) from error


def _names(context: ssl.SSLContext) -> list[str]:
    """Return the ciphers that can be named: those of TLS 1.3 are always there, and are set in no list."""
    return [cipher["name"] for cipher in context.get_ciphers() if cipher["protocol"] != "TLSv1.3"]


def _authorities(files: ServerTlsFiles, contents: Contents) -> bytes | None:
    if files.client_ca is None:
        return None
    try:
        return read_ca_bundle(contents[files.client_ca]).encode("ascii")
    except (CertificateUnusable, UnicodeEncodeError) as error:
        problem = error.problem if isinstance(error, CertificateUnusable) else "should be a PEM file"
        raise ServerTlsUnusable("client_ca", files.client_ca, problem) from error


def _load(context: ssl.SSLContext, files: ServerTlsFiles, contents: Contents, number: int) -> Certificate:
    certificate = files.certificates[number]
    key = files.keys[number] if files.keys else None
    passphrase = _passphrase(files, contents)
    try:
        found = read_pair(contents[certificate], None if key is None else contents[key], passphrase, _WORDING)
    except CertificateUnusable as error:
        raise _of_part(error, files, certificate, key) from error
    try:
        # Without a password OpenSSL would ask for one on the terminal where the key has become an encrypted one.
        context.load_cert_chain(certificate, key, password=passphrase or "")
    except ssl.SSLError as error:
        problem = f"cannot be used: OpenSSL says {error.reason}"
        raise ServerTlsUnusable("tls_certificate", certificate, problem) from error
    return found


def _of_part(
    error: CertificateUnusable, files: ServerTlsFiles, certificate: Path, key: Path | None
) -> ServerTlsUnusable:
    match error.part:
        case Part.KEY:
            return ServerTlsUnusable("tls_key", key, error.problem)
        case Part.PASSPHRASE:
            return ServerTlsUnusable("tls_key_passphrase_file", files.passphrase, error.problem)
        case _:
            return ServerTlsUnusable("tls_certificate", certificate, error.problem)


def _passphrase(files: ServerTlsFiles, contents: Contents) -> str | None:
    if files.passphrase is None:
        return None
    try:
        return contents[files.passphrase].decode("utf-8").strip()
    except UnicodeDecodeError as error:
        raise ServerTlsUnusable("tls_key_passphrase_file", files.passphrase, "should be UTF-8 text") from error
