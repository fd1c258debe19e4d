"""Issue certificates for the tests, and serve TLS with its alerts, which asyncio's own servers do not send."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address

import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

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


@dataclass(frozen=True)
class LaxAuthority:
    """An authority as companies make their own, and key and certificate of a server of theirs, each as PEM."""

    authority: bytes
    server: bytes


def lax_authority() -> LaxAuthority:
    """Certify 127.0.0.1 without key usage and key identifiers, which RFC 5280 §4.2.1.1 to §4.2.1.3 asks for."""
    name, leaf = (x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)]) for text in ("Our own", "A hub"))
    authority_key, server_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    authority = _dated(name, name, authority_key).add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
    address = x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))])
    server = _dated(leaf, name, server_key).add_extension(address, False)
    key = server_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    signed, certified = (made.sign(authority_key, hashes.SHA256()) for made in (authority, server))
    return LaxAuthority(signed.public_bytes(Encoding.PEM), key + certified.public_bytes(Encoding.PEM))


def _dated(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    made = x509.CertificateBuilder(issuer, subject, key.public_key(), x509.random_serial_number())
    return made.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=90))


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
