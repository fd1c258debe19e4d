"""Check the certificates and keys that listeners name, and say where each listener's are.

As `certificates` does for accounts, and apart from the other checks for the same reason. Before it: `listeners`. After
it: `bridge.app`, which listens with the same files.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from bridge.server_tls import ServerTlsFiles, ServerTlsUnusable, check_server_dates, make_server_tls
from bridge.settings.listeners import LISTENERS, listed
from bridge.settings.model import Settings
from bridge.settings.sections import ListenerTable
from bridge.settings.sources import Layers
from bridge.upstreams.certificates import Certificate
from bridge.upstreams.credentials import read_files


def server_tls_files(listener: ListenerTable) -> ServerTlsFiles:
    """Return where a listener's TLS material is."""
    return ServerTlsFiles(
        certificates=listener.tls_certificate,
        keys=listener.tls_key,
        passphrase=listener.tls_key_passphrase_file,
        client_ca=listener.client_ca,
        compat_ciphers=listener.compat_ciphers,
    )


def read_first_certificates(settings: Settings) -> dict[str, Certificate]:
    """Return of each listener whose files can be used the server certificate that ends first."""
    found: dict[str, Certificate] = {}
    for name, listener in settings.ocpp.listeners.items():
        files = server_tls_files(listener)
        with suppress(OSError, ServerTlsUnusable):
            certificates = make_server_tls(files, read_files(files.paths)).certificates
            if certificates:
                found[name] = min(certificates, key=lambda certificate: certificate.not_after)
    return found


def check_listeners_certificates(layers: Layers, now: datetime) -> None:
    """Note what is wrong with each listener's certificates, keys and client_ca; the first thing of each listener."""
    for name, table in layers.table(LISTENERS).items():
        if not isinstance(table, dict):
            continue
        files = _named(table)
        if files.keys and len(files.keys) != len(files.certificates):
            continue
        try:
            check_server_dates(make_server_tls(files, read_files(files.paths)), files, now)
        except ServerTlsUnusable as error:
            shown = None if error.file is None else f'"{error.file}"'
            layers.complain((*LISTENERS, name, error.key), error.problem, shown)
        except (OSError, ValueError):
            continue


def _named(table: dict[str, Any]) -> ServerTlsFiles:
    def paths(key: str) -> tuple[Path, ...]:
        return tuple(Path(text) for text in listed(table, key) if isinstance(text, str))

    def path(key: str) -> Path | None:
        value = table.get(key)
        return Path(value) if isinstance(value, str) else None

    return ServerTlsFiles(
        certificates=paths("tls_certificate"),
        keys=paths("tls_key"),
        passphrase=path("tls_key_passphrase_file"),
        client_ca=path("client_ca"),
        compat_ciphers=table.get("compat_ciphers") is True,
    )
