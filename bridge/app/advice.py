"""Say what to do about a connection that was refused, and which known station an unknown one may be meant to be.

Pure; never sees a credential. Before it: `attempts`. After it: `quarantine_services`.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence

ADVICE: Sequence[tuple[int, str, str]] = (
    (
        404,
        "",
        "the inventory has no station of this id: correct the id in the station, or import it; with "
        '[ocpp] unknown_stations = "quarantine" it is let in to be mapped',
    ),
    (401, "credentials missing", "set the station's key (AuthorizationKey, BasicAuthPassword) and security profile 1"),
    (401, "credentials repeated", "the station or a proxy sends two Authorization headers: let one of them send none"),
    (401, "credentials are not HTTP Basic", "the station needs HTTP Basic: its id, a colon and its key"),
    (
        401,
        "credentials wrong",
        "the key in the station differs from the inventory's, or its user name is not its id: import the station with "
        "the key that it has, or write the inventory's into it",
    ),
    (401, "", "the station does not prove who it is in the way that the inventory asks for: compare the two"),
    (403, "web pages", "a web page or a browser tried to connect, or the station sends a foreign Origin header"),
    (
        403,
        "this listener takes connections from its proxy only",
        "somebody connects to a listener that is for its proxy alone: connect through the proxy, or name the peer in "
        "behind_proxy if it is one",
    ),
    (
        403,
        "the client certificate",
        "the station's own certificate has expired, or is from no authority of client_ca: renew it, or add its "
        "authority",
    ),
    (
        403,
        "the proxy did not verify",
        "the proxy found no good client certificate: compare its authorities with client_ca, and look at its log",
    ),
    (
        403,
        "its certificate is for",
        "write the name in the station's certificate into the inventory's column certificate_name, if it is right",
    ),
    (
        403,
        "it showed no client certificate",
        "give the station a certificate of an authority of client_ca, on a listener that takes profile 3; behind a "
        "proxy: let it ask for one and send it on",
    ),
    (
        403,
        "",
        "the station must use the security profile that is named here: change it in the station, or demand less of it "
        "in the inventory",
    ),
    (
        400,
        "no common subprotocol",
        "set the station's OCPP version to one that is named here, in its JSON (WebSocket) variant",
    ),
    (
        400,
        "no subprotocol offered",
        "the station sends no Sec-WebSocket-Protocol: write its version into the inventory's column default_version, "
        "or that of all such stations into [ocpp] default_version",
    ),
    (400, "the header", "set the proxy's header so that it replaces what clients send: see docs/security.md"),
    (400, "the proxy must", "let the proxy send the station's address: see docs/security.md"),
    (400, "the client certificate", "let the proxy send the certificate as percent-encoded PEM: see docs/security.md"),
    (400, "", "the station's WebSocket handshake is broken, perhaps by a proxy between: let it pass everything on"),
    (
        409,
        "",
        "two devices use this id, or its old connection is still alive: give each device an id of its own and a key, "
        "with which the newest connection wins",
    ),
    (426, "", "this is no WebSocket request: set ws:// and not http:// in the station, or let the proxy pass Upgrade"),
    (429, "too many failed", "the station tried a wrong key again and again: correct the key, and wait for a minute"),
    (429, "", "many unknown stations share this address: map some of those that are in quarantine, or forget them"),
    (503, "storage", "the database cannot be read or written: see the bridge's log and `ocpp-bridge status`"),
    (503, "", "there are as many unknown stations as may be: map or import some, or forget them"),
    (
        0,
        "TLS: certificate verify failed",
        "the client certificate is not one that the listener's client_ca stands behind, or its time is over: issue "
        "another, or correct client_ca",
    ),
    (
        0,
        "TLS: peer did not return a certificate",
        "the listener asks for a client certificate (security profile 3) and the station shows none: install one, or "
        "let it use a listener of profile 2",
    ),
    (0, "TLS: http request", "the station does not begin TLS: set wss:// and not ws:// in it, or use a plain listener"),
    (
        0,
        "TLS: ",
        "the TLS handshake failed: compare the station's CA certificate, protocol and clock with the listener's; send "
        "the whole chain",
    ),
    (0, "turned away: too many handshakes", "many connections of this address begin and none gets on: look what it is"),
    (
        0,
        "turned away",
        "the server has as many connections as it may: raise [ocpp] max_connections, or see who they are",
    ),
    (0, "no HTTP", "something that is no HTTP came, perhaps TLS: set ws:// and not wss:// for a listener without TLS"),
)
"""HTTP status, how the reason begins, what to do; the first that fits counts. docs/stations.md has the same table."""

_CLOSE = 0.8
_ASKED = 10
"""Identities that are compared letter by letter: that takes its time."""
_KNOWN = 5_000
"""Known stations that each of them is compared with."""


def advice(status: int, reason: str) -> str:
    """Return what to do; empty where nobody knows."""
    return next((text for code, begin, text in ADVICE if code == status and reason.startswith(begin)), "")


def similar(identities: Sequence[str], known: Iterable[str]) -> dict[str, str]:
    """Return for each unknown identity the known station that it looks like, where there is one.

    Those that differ in separators alone first, for all; for the first few, those that differ in some letters.
    """
    stations = list(known)
    plain = {_plain(station): station for station in stations}
    found = {identity: plain[_plain(identity)] for identity in identities if _plain(identity) in plain}
    for identity in [identity for identity in identities if identity not in found][:_ASKED]:
        close = _closest(identity, plain)
        if close is not None:
            found[identity] = close
    return found


def _closest(identity: str, plain: Mapping[str, str]) -> str | None:
    wanted = _plain(identity)
    about_as_long = [each for each in plain if abs(len(each) - len(wanted)) <= 2][:_KNOWN]
    close = difflib.get_close_matches(wanted, about_as_long, n=1, cutoff=_CLOSE) if wanted else []
    return plain[close[0]] if close else None


def _plain(identity: str) -> str:
    return "".join(character for character in identity.casefold() if character.isalnum())
