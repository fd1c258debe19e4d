"""Make an account's TLS context of its files: our client certificate, and the CAs that we trust.

Never watches the files: that is `credentials`. Before it: `bridge.settings` at start, `bridge.app` afterwards. After
it: `http`. Source: OICP 2.3 CPO, Security: the client certificate says who we are; Hubject's own CA is no public one.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from bridge.upstreams.certificates import Certificate, CertificateUnusable, Part, check_dates, read_ca_bundle, read_pair
from bridge.upstreams.credentials import Contents, CredentialUnusable


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """Where an account's TLS material is; every file is PEM."""

    certificate: Path | None = None
    """The client certificate, with its intermediate ones after it; None: none is shown."""
    key: Path | None = None
    """None: the key is in the certificate's file."""
    ca_bundle: Path | None = None
    """The only CAs that are trusted; None: those of the system."""
    passphrase: str | None = field(default=None, repr=False)
    passphrase_file: Path | None = None
    """Wins over `passphrase`, and is read again as the others are."""

    @property
    def paths(self) -> tuple[Path, ...]:
        """Every file that is named, once each."""
        named = (self.certificate, self.key, self.ca_bundle, self.passphrase_file)
        return tuple(dict.fromkeys(path for path in named if path is not None))

    def file_of(self, part: Part) -> Path | None:
        """Return the file that a problem is about."""
        match part:
            case Part.CERTIFICATE:
                return self.certificate
            case Part.KEY:
                return self.key
            case Part.CA_BUNDLE:
                return self.ca_bundle
            case Part.PASSPHRASE:
                return self.passphrase_file


@dataclass(frozen=True, slots=True)
class Tls:
    """What a connection is made with."""

    context: ssl.SSLContext
    certificate: Certificate | None
    """Ours; None: none is shown."""


def make_tls(files: TlsFiles, contents: Contents) -> Tls:
    """Return the context of files whose `contents` were just read. Blocks for the disk.

    OpenSSL reads a key from its file alone: whoever calls must make sure that the contents still are the files'.

    Raises: CertificateUnusable, OSError.
    """
    authorities = None if files.ca_bundle is None else read_ca_bundle(contents[files.ca_bundle])
    context = ssl.create_default_context(cadata=authorities)
    if authorities is not None:
        # Authorities of one's own often leave out what RFC 5280 §4.2 asks for. Python from 3.13 on refuses those, and
        # takes what is no root; up to 3.12 it does neither. Who upgrades it keeps the hubs that were trusted.
        context.verify_flags = (context.verify_flags | ssl.VERIFY_X509_PARTIAL_CHAIN) & ~ssl.VERIFY_X509_STRICT
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if files.certificate is None:
        return Tls(context, None)
    key = None if files.key is None else contents[files.key]
    passphrase = _passphrase(files, contents)
    certificate = read_pair(contents[files.certificate], key, passphrase)
    try:
        # Without a password OpenSSL would ask for one on the terminal where the key has become an encrypted one.
        context.load_cert_chain(files.certificate, files.key, password=passphrase or "")
    except ssl.SSLError as error:
        raise CertificateUnusable(Part.CERTIFICATE, f"cannot be used: OpenSSL says {error.reason}") from error
    return Tls(context, certificate)


def reread_tls(files: TlsFiles, contents: Contents) -> Tls:
    """Return as `make_tls` does, for a `FileCredential`. Raises: CredentialUnusable, OSError."""
    try:
        return make_tls(files, contents)
    except CertificateUnusable as error:
        raise _named(error, files) from error


def check_new_tls(tls: Tls, files: TlsFiles, now: datetime) -> None:
    """Refuse a client certificate that should not replace the old one. Raises: CredentialUnusable."""
    if tls.certificate is None:
        return
    try:
        check_dates(tls.certificate, now)
    except CertificateUnusable as error:
        raise _named(error, files) from error


def _named(error: CertificateUnusable, files: TlsFiles) -> CredentialUnusable:
    file = files.file_of(error.part)
    return CredentialUnusable(f"{error.part}{'' if file is None else f' = {file}'}: {error.problem}")


def _passphrase(files: TlsFiles, contents: Contents) -> str | None:
    if files.passphrase_file is None:
        return files.passphrase
    try:
        return contents[files.passphrase_file].decode("utf-8").strip()
    except UnicodeDecodeError as error:
        raise CertificateUnusable(Part.PASSPHRASE, "should be UTF-8 text") from error
