"""Read what a TLS-terminating proxy says of the station behind it, and believe nobody else.

Pure: header values and an address in, a decision out. Before it: `admission`, for listeners that are behind a proxy;
on others these headers are never looked at. After it: `profiles`.
"""

from __future__ import annotations

import binascii
import ipaddress
import re
from base64 import b64decode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import unquote_to_bytes

from csms.auth import Refuse
from csms.client_certificates import ClientCertificate, NoCertificate, Unreadable, verify_pem
from csms.options import ProxyOptions

_PORT = re.compile(r"^(?:\[(?P<six>[^\]]+)\]|(?P<four>[0-9.]+))(?::[0-9]{1,5})?$", re.ASCII)
_PEM = b"-----BEGIN "
_VERIFIED = "SUCCESS"

Values = Callable[[str], Sequence[str]]
"""Gives all values of a header, by its name in any case."""


@dataclass(frozen=True, slots=True)
class Forwarded:
    """The station behind a proxy."""

    address: str
    certificate: ClientCertificate | Refuse | None
    """Verified by us; None: the station showed none, or the listener has no client_ca. Refuse: it proves nothing."""


def is_proxy(peer: str, options: ProxyOptions) -> bool:
    """Tell whether a peer is one of the proxies."""
    try:
        address = ipaddress.ip_address(peer.partition("%")[0])
    except ValueError:
        return False
    # A socket that listens on [::] shows IPv4 peers as ::ffff:10.0.0.1.
    mapped = getattr(address, "ipv4_mapped", None) or address
    return any(mapped in ipaddress.ip_network(peers, strict=False) for peers in options.peers)


def read_forwarded(
    values: Values, options: ProxyOptions, authorities: bytes | None, now: datetime
) -> Forwarded | Refuse:
    """Return the station that a proxy's headers describe.

    A header that comes twice may be the station's own beside the proxy's: nobody could tell which is which.
    `authorities`: PEM of client_ca; the certificate is verified here as well, since a proxy may have been told not to
    (nginx: ssl_verify_client optional_no_ca).
    """
    named = (options.address_header, options.certificate_header, options.verify_header)
    for name in named:
        if len(values(name)) > 1:
            return Refuse(400, f"the header {name} came more than once: the proxy must replace what clients send")
    address, certificate, verified = ("".join(values(name)).strip() for name in named)
    station = _address(address)
    if station is None:
        return Refuse(400, f"the proxy must send the station's address in {options.address_header}")
    if not certificate or authorities is None:
        return Forwarded(station, None)
    if verified and verified != _VERIFIED:
        return Forwarded(station, Refuse(403, f"the proxy did not verify the client certificate: {verified[:64]}"))
    try:
        return Forwarded(station, verify_pem(_pem(certificate), authorities, now))
    except Unreadable as error:
        why = f"{error}: {options.certificate_header} should hold percent-encoded PEM"
        return Forwarded(station, Refuse(400, why))
    except NoCertificate as error:
        return Forwarded(station, Refuse(403, str(error)))


def _address(text: str) -> str | None:
    """Return the last address of a list; some proxies add the port."""
    last = text.rpartition(",")[2].strip()
    found = _PORT.match(last)
    if found is not None:
        last = found["six"] or found["four"]
    try:
        return str(ipaddress.ip_address(last))
    except ValueError:
        return None


def _pem(text: str) -> bytes:
    """Return PEM from percent-encoded PEM, or from bare base64 as HAProxy and Traefik send it."""
    raw = unquote_to_bytes(text)
    if raw.startswith(_PEM):
        return raw
    try:
        der = b64decode(raw, validate=True)
    except binascii.Error as error:
        raise Unreadable("the client certificate cannot be read") from error
    return _PEM + b"CERTIFICATE-----\n" + binascii.b2a_base64(der) + b"-----END CERTIFICATE-----\n"
