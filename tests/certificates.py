"""Issue certificates for the tests, and serve TLS with its alerts, which asyncio's own servers do not send."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import trustme
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

NO_CONTENT = b"HTTP/1.1 204 No Content\r\n\r\n"


@dataclass(frozen=True)
class Leaf:
    """A certificate, its key and its intermediate ones, each as PEM."""

    certificate: bytes
    key: bytes
    chain: bytes

    @property
    def whole(self) -> bytes:
        """The file as most hubs send it: certificate, chain and key."""
        return self.certificate + self.chain + self.key

    def locked(self, passphrase: str, form: PrivateFormat = PrivateFormat.PKCS8) -> bytes:
        """Return the key, encrypted."""
        private = load_pem_private_key(self.key, None)
        return private.private_bytes(Encoding.PEM, form, BestAvailableEncryption(passphrase.encode()))


def issue(authority: trustme.CA, name: str = "DE*ABC", *, begins: float = -10, ends: float = 90) -> Leaf:
    """Return a client certificate; `begins` and `ends` are days from now."""
    now = datetime.now(UTC)
    made = authority.issue_cert(
        common_name=name, not_before=now + timedelta(days=begins), not_after=now + timedelta(days=ends)
    )
    first, *others = (pem.bytes() for pem in made.cert_chain_pems)
    return Leaf(first, made.private_key_pem.bytes(), b"".join(others))


@dataclass
class TlsServer:
    """A server in threads of its own; `seen` has the common name of each client that got through."""

    port: int
    reply: bytes
    seen: list[str] = field(default_factory=list)
    connections: int = 0

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"


@contextmanager
def tls_server(
    authority: trustme.CA,
    version: ssl.TLSVersion,
    *,
    clients: trustme.CA | None = None,
    reply: bytes = NO_CONTENT,
    adjust: Callable[[ssl.SSLContext], None] = lambda _: None,
) -> Iterator[TlsServer]:
    """Serve one TLS version to clients of one authority (None: anybody), the same reply to each request."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    context.minimum_version = context.maximum_version = version
    if clients is not None:
        clients.configure_trust(context)
        context.verify_mode = ssl.CERT_REQUIRED
    adjust(context)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = TlsServer(listener.getsockname()[1], reply)
        threading.Thread(target=_accept, args=(listener, context, server), daemon=True).start()
        yield server
        listener.shutdown(socket.SHUT_RDWR)


def _accept(listener: socket.socket, context: ssl.SSLContext, server: TlsServer) -> None:
    with suppress(OSError):
        while True:
            plain, _ = listener.accept()
            plain.settimeout(5)
            server.connections += 1
            threading.Thread(target=_serve, args=(plain, context, server), daemon=True).start()


def _serve(plain: socket.socket, context: ssl.SSLContext, server: TlsServer) -> None:
    connection = context.wrap_socket(plain, server_side=True, do_handshake_on_connect=False)
    try:
        connection.do_handshake()
    except (ssl.SSLError, OSError):
        _hang_up(connection)
        return
    with connection, suppress(OSError):
        while _read_request(connection):
            subject = (connection.getpeercert() or {}).get("subject", ())
            server.seen.append(dict(part[0] for part in subject).get("commonName", ""))
            connection.sendall(server.reply)


def _hang_up(connection: ssl.SSLSocket) -> None:
    """Close as a server that lingers: what the client has sent is read first, so that no reset overtakes the alert.

    Handshakes in `wrap_socket` itself would close the socket before this.
    """
    with connection, suppress(OSError):
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(65536):
            pass


def _read_request(connection: ssl.SSLSocket) -> bool:
    """Read one request with its body; False: the client is gone."""
    received = b""
    while b"\r\n\r\n" not in received:
        part = connection.recv(65536)
        if not part:
            return False
        received += part
    head, _, body = received.partition(b"\r\n\r\n")
    lengths = [line.partition(b":")[2] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    while lengths and len(body) < int(lengths[0]):
        body += connection.recv(65536)
    return True
