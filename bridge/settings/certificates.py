"""Check the certificates and keys that accounts name, and say where each account's are.

Apart from the other checks, since only a command that starts the bridge or checks its configuration needs them. Works
on the merged tree as `references` does; a file that cannot be read is a mistake of its own and skipped here. After it:
`bridge.app`, which opens connections with the same files.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from bridge.settings.accounts import OicpAccount
from bridge.settings.model import Settings
from bridge.settings.references import UNREADABLE, tables
from bridge.settings.sources import Layers
from bridge.upstreams.certificates import Certificate, CertificateUnusable, check_dates
from bridge.upstreams.credentials import read_files
from bridge.upstreams.tls import TlsFiles, make_tls


def tls_files(account: OicpAccount) -> TlsFiles:
    """Return where an account's TLS material is."""
    passphrase = account.client_key_passphrase
    return TlsFiles(
        certificate=account.client_certificate,
        key=account.client_key,
        ca_bundle=account.ca_bundle,
        passphrase=None if passphrase is None else passphrase.get_secret_value(),
        passphrase_file=account.client_key_passphrase_file,
    )


def read_certificates(settings: Settings) -> dict[str, Certificate]:
    """Return the client certificate of each account that has one that can be used."""
    found: dict[str, Certificate] = {}
    for name, account in settings.accounts.items():
        if not isinstance(account, OicpAccount) or account.client_certificate is None:
            continue
        files = tls_files(account)
        with suppress(OSError, CertificateUnusable):
            certificate = make_tls(files, read_files(files.paths)).certificate
            if certificate is not None:
                found[name] = certificate
    return found


def check_certificates(layers: Layers, now: datetime) -> None:
    """Note what is wrong with each account's certificate, key and CA bundle; the first thing of each account.

    An account that the configuration forces off may have a certificate that has ended: so the others can be started.
    """
    for name, account in tables(layers, "accounts"):
        if account.get("kind") != "oicp":
            continue
        files = _named(account)
        try:
            certificate = make_tls(files, read_files(files.paths)).certificate
        except CertificateUnusable as error:
            _complain(layers, name, files, error)
        except (OSError, ValueError):
            continue
        else:
            if certificate is not None and account.get("mode") != "off":
                _check_dates(layers, name, files, certificate, now)


def _check_dates(layers: Layers, name: str, files: TlsFiles, certificate: Certificate, now: datetime) -> None:
    try:
        check_dates(certificate, now)
    except CertificateUnusable as error:
        way_out = f'{error.problem}; until then mode = "off" for this account lets the others start'
        _complain(layers, name, files, CertificateUnusable(error.part, way_out))


def _complain(layers: Layers, name: str, files: TlsFiles, error: CertificateUnusable) -> None:
    file = files.file_of(error.part)
    layers.complain(("accounts", name, error.part.value), error.problem, None if file is None else f'"{file}"')


def _named(account: dict[str, Any]) -> TlsFiles:
    def path(key: str) -> Path | None:
        value = account.get(key)
        return Path(value) if isinstance(value, str) else None

    passphrase = account.get("client_key_passphrase")
    return TlsFiles(
        certificate=path("client_certificate"),
        key=path("client_key"),
        ca_bundle=path("ca_bundle"),
        passphrase=passphrase if isinstance(passphrase, str) and passphrase != UNREADABLE else None,
    )
