"""Tell who sent a request and whether it came over https, also through a proxy that we were told to believe.

Never believes anybody else: what X-Forwarded-For and X-Forwarded-Proto say counts only where the connection comes from
one of `[web] trusted_proxies`. Before it: `auth`, with each request. After it: throttling, cookies, the log.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Iterable

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_WITH_PORT = re.compile(r"^(?:\[(?P<six>[^\]]+)\]|(?P<four>[0-9.]+))(?::[0-9]{1,5})?$", re.ASCII)


@dataclass(frozen=True, slots=True)
class Peer:
    """Who sent a request."""

    address: str
    """Of the client, as far as it is known."""
    secure: bool
    """The client speaks https."""

    @property
    def sender(self) -> str:
        """Whom it counts for: an IPv4 address, or the /64 that one IPv6 subscriber has to himself."""
        parsed = _address(self.address)
        if isinstance(parsed, ipaddress.IPv6Address):
            return str(ipaddress.ip_network((int(parsed) >> 64 << 64, 64)))
        return self.address


def networks_of(texts: Iterable[str]) -> tuple[Network, ...]:
    """Return the networks of a setting that was checked."""
    return tuple(ipaddress.ip_network(text, strict=False) for text in texts)


def peer_of(request: web.Request, proxies: Sequence[Network]) -> Peer:
    """Return who sent a request.

    Of several addresses the last one counts that is no proxy of ours: what stands before it came from the client.

    Raises: HTTPBadRequest where a proxy of ours sent a header twice or no address in it: nobody could tell which is
    its own.
    """
    address = request.remote or ""
    if not _trusted(address, proxies):
        return Peer(_plain(address), request.secure)
    scheme = _single(request, "X-Forwarded-Proto")
    secure = scheme.strip().lower() == "https"
    for text in reversed(_single(request, "X-Forwarded-For").split(",")):
        if not text.strip():
            continue
        address = _unported(text.strip())
        if _address(address) is None:
            raise web.HTTPBadRequest(text="the proxy must send the client's address in X-Forwarded-For")
        if not _trusted(address, proxies):
            break
    return Peer(_plain(address), secure)


def is_own_page(request: web.Request) -> bool:
    """Tell whether a browser sends this from a page of ours, or no browser sends it.

    An Origin is compared with the Host that the client named, which a proxy must hand on where the browser sends no
    Sec-Fetch-Site (it does over https, and to localhost).

    Source: Fetch Metadata Request Headers §2.4, Sec-Fetch-Site; RFC 6454 §7.
    """
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site == "same-origin"
    origin = request.headers.get("Origin")
    return origin is None or urlsplit(origin).netloc.lower() == request.host.lower()


def _single(request: web.Request, name: str) -> str:
    values = request.headers.getall(name, [])
    if len(values) > 1:
        raise web.HTTPBadRequest(text=f"the header {name} came more than once: the proxy must replace it")
    return values[0] if values else ""


def _trusted(text: str, proxies: Sequence[Network]) -> bool:
    address = _address(text)
    return address is not None and any(address in network for network in proxies)


def _plain(text: str) -> str:
    address = _address(text)
    return text[:64] if address is None else str(address)


def _address(text: str) -> Address | None:
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    # A socket that listens on [::] shows IPv4 peers as ::ffff:10.0.0.1.
    return getattr(address, "ipv4_mapped", None) or address


def _unported(text: str) -> str:
    found = _WITH_PORT.match(text)
    return text if found is None else str(found["six"] or found["four"])
