"""Refuse an account that is this bridge itself: it serves Spirii's interface too, and would mirror into its own list.

Works on the merged tree as `references` does. Never sends anything: an address behind a proxy is not recognised.
"""

from __future__ import annotations

import ipaddress
import socket
from urllib.parse import urlsplit

from bridge.settings.fields import is_loopback
from bridge.settings.references import tables
from bridge.settings.sections import WebSection
from bridge.settings.sources import Layers

_DEFAULT_PORTS = {"http": 80, "https": 443}


def check_own_address(layers: Layers) -> None:
    """Note every account at Spirii whose address is where this bridge serves operators."""
    port = _web_port(layers)
    for name, account in tables(layers, "accounts"):
        url = account.get("base_url")
        if account.get("kind") == "spirii" and isinstance(url, str) and port and _is_own(url, port):
            key = ("accounts", name, "base_url")
            layers.complain(
                key, "is this bridge's own [web] address: give Spirii's, https://api.spirii.com", f'"{url}"'
            )


def _web_port(layers: Layers) -> int:
    """Return the port of the web listener; 0 where a free one is taken, which nobody could have named."""
    port = layers.table(("web",)).get("port", WebSection().port)
    return int(port) if isinstance(port, int) or (isinstance(port, str) and port.isdecimal()) else 0


def _is_own(url: str, port: int) -> bool:
    try:
        parts = urlsplit(url)
        named = parts.port or _DEFAULT_PORTS.get(parts.scheme, 0)
    except ValueError:
        return False
    return named == port and _is_this_machine(parts.hostname or "")


def _is_this_machine(host: str) -> bool:
    """Tell whether a host is this machine, by its name or by an address that it has. Asks no name server."""
    name = socket.gethostname().lower()
    if is_loopback(host) or host.lower().rstrip(".") in {"localhost", name, name.partition(".")[0]}:
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_unspecified or _can_bind(address)


def _can_bind(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """Only an address of this machine can be bound; nothing listens there or is sent."""
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind((str(address), 0))
    except OSError:
        return False
    return True
