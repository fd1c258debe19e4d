"""Check what no single key of a listener can tell: which of them need each other, and which exclude each other.

Works on the merged tree, as `references` does, and skips whatever has the wrong type, since that is a mistake of its
own. Never opens a file: that is `listener_certificates`.
"""

from __future__ import annotations

import re
from typing import Any

from bridge.settings.fields import read_list
from bridge.settings.sources import Key, Layers

LISTENERS: Key = ("ocpp", "listeners")
_NAME = re.compile(r"[a-z0-9]+(_[a-z0-9]+)*", re.ASCII)


def check_listeners(layers: Layers) -> None:
    """Note every mistake that lies between the keys of [ocpp.listeners.NAME], and between these tables."""
    tables = {name: table for name, table in layers.table(LISTENERS).items() if isinstance(table, dict)}
    for key in ("host", "port"):
        if tables and key in layers.table(("ocpp",)):
            first = next(iter(tables))
            layers.complain(
                ("ocpp", key), f"should be in a table of its own beside [ocpp.listeners.{first}], or nowhere"
            )
    first_at: dict[tuple[str, str], str] = {}
    for name, table in tables.items():
        if _NAME.fullmatch(name) is None:
            layers.complain((*LISTENERS, name), "names are made of a-z, 0-9 and single _ between them")
        address = (str(table.get("host", "0.0.0.0")), str(table.get("port")))
        other = first_at.setdefault(address, name)
        if other != name and address[1] not in ("0", "None"):
            layers.complain((*LISTENERS, name, "port"), f"ocpp.listeners.{other} has the same port", address[1])
        _check_tls(layers, name, table)
        _check_profiles(layers, name, table)


def _check_tls(layers: Layers, name: str, table: dict[str, Any]) -> None:
    key = (*LISTENERS, name)
    certificates, keys = listed(table, "tls_certificate"), listed(table, "tls_key")
    proxied = bool(listed(table, "behind_proxy"))
    if len(certificates) > 2:
        layers.complain((*key, "tls_certificate"), "should name one file, or two: RSA and ECDSA")
    if keys and len(keys) != len(certificates):
        layers.complain((*key, "tls_key"), "should name as many files as tls_certificate, in the same order")
    if certificates and proxied:
        layers.complain((*key, "behind_proxy"), "excludes tls_certificate: TLS ends either here or at the proxy")
    for needs in ("tls_key_passphrase_file", "compat_ciphers"):
        if table.get(needs) and not certificates:
            layers.complain((*key, needs), "needs tls_certificate beside it")
    if table.get("client_ca") and not certificates and not proxied:
        layers.complain((*key, "client_ca"), "needs tls_certificate or behind_proxy beside it")


def _check_profiles(layers: Layers, name: str, table: dict[str, Any]) -> None:
    secure = bool(listed(table, "tls_certificate") or listed(table, "behind_proxy"))
    key = (*LISTENERS, name, "profiles")
    if "profiles" in table and not listed(table, "profiles"):
        layers.complain(key, "should name one profile at least: 0, 1, 2 or 3")
    for profile in map(str, listed(table, "profiles")):
        if profile in ("2", "3") and not secure:
            layers.complain(key, f"profile {profile} needs TLS: tls_certificate or behind_proxy")
        elif profile == "3" and not table.get("client_ca"):
            layers.complain(key, "profile 3 needs client_ca: the authority of the stations' certificates")
        elif profile in ("0", "1") and secure:
            layers.complain(key, f"profile {profile} is for plain listeners: with TLS a station has profile 2 or 3")


def listed(table: dict[str, Any], key: str) -> list[Any]:
    """Return what a key of the merged tree lists, one text being a list of one; nothing where it is no list."""
    found = read_list(table.get(key))
    return found if isinstance(found, list) else []
