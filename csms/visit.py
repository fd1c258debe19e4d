"""Gather what a handshake shows of itself, and where it is from: over TLS, through a proxy, or plain.

Decides only what cannot be read. Before it: `admission`, with a socket of one listener and its request. After it:
`profiles`, which weighs what was found.
"""

from __future__ import annotations

from datetime import datetime

from websockets.http11 import Request

from csms.auth import Refuse, identity_of, is_nameless
from csms.client_certificates import ClientCertificate, Unreadable, outdated, read_der
from csms.profiles import Presented
from csms.proxy import is_proxy, read_forwarded
from csms.websocket import StationSocket

_NOT_THE_PROXY = Refuse(403, "this listener takes connections from its proxy only")


def stranger(socket: StationSocket) -> Refuse | None:
    """Refuse a peer that is none of the proxies of a listener behind proxies, whatever it sends."""
    proxy = socket.doorway.options.proxy
    return None if proxy is None or is_proxy(socket.address, proxy) else _NOT_THE_PROXY


def presented_by(
    socket: StationSocket, request: Request, *, anonymous: str | None, now: datetime
) -> Presented | Refuse:
    """Return what the handshake shows, and note on the socket where it is from; `anonymous`: who has no identity."""
    options, headers = socket.doorway.options, request.headers
    certificate: ClientCertificate | Refuse | None
    if options.proxy is not None:
        tls = socket.doorway.tls
        forwarded = read_forwarded(headers.get_all, options.proxy, None if tls is None else tls.authorities, now)
        if isinstance(forwarded, Refuse):
            return forwarded
        socket.forwarded, certificate = forwarded.address, forwarded.certificate
    else:
        certificate = _of_tls(socket, now)
    if isinstance(certificate, Refuse):
        return certificate
    identity = identity_of(request.path)
    if identity is None and is_nameless(request.path):
        identity = anonymous
    secure = options.tls or options.proxy is not None
    return Presented(identity or "", headers.get_all("Authorization"), secure, certificate)


def _of_tls(socket: StationSocket, now: datetime) -> ClientCertificate | Refuse | None:
    der = socket.peer_certificate
    if der is None:
        return None
    try:
        certificate = read_der(der)
    except Unreadable as error:
        return Refuse(403, str(error))
    why = outdated(certificate, now)
    return certificate if why is None else Refuse(403, why)
