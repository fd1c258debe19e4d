"""A listener's context: its versions, its ciphers, both kinds of certificates; in memory, without a socket."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest
import trustme

from bridge.server_tls import ServerTlsFiles, ServerTlsUnusable, make_server_tls
from bridge.upstreams.credentials import read_files

AUTHORITY = trustme.CA()
TLS_RSA = ("AES128-GCM-SHA256", "AES256-GCM-SHA384")
"""TLS_RSA_WITH_AES_128_GCM_SHA256 and TLS_RSA_WITH_AES_256_GCM_SHA384 in OpenSSL's words."""


def pair(folder: Path, kind: trustme.KeyType) -> Path:
    file = folder / f"{kind.name}.pem"
    file.write_bytes(AUTHORITY.issue_cert("127.0.0.1", key_type=kind).private_key_and_cert_chain_pem.bytes())
    return file


def server(*certificates: Path, compat_ciphers: bool = False) -> ssl.SSLContext:
    files = ServerTlsFiles(certificates, compat_ciphers=compat_ciphers)
    context = make_server_tls(files, read_files(files.paths)).context
    assert context is not None
    return context


def client(ciphers: str = "DEFAULT", version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_2) -> ssl.SSLContext:
    context = ssl.create_default_context(cadata=AUTHORITY.cert_pem.bytes().decode())
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    context.maximum_version = version
    context.set_ciphers(ciphers)
    return context


def negotiated(ours: ssl.SSLContext, theirs: ssl.SSLContext) -> tuple[str, str]:
    """Return (cipher, version) that both agree on. Raises: ssl.SSLError."""
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    station = theirs.wrap_bio(down, up, server_hostname="127.0.0.1")
    csms = ours.wrap_bio(up, down, server_side=True)
    waiting = [station, csms]
    for _ in range(8):
        for side in tuple(waiting):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
            waiting.remove(side)
    assert waiting == []
    found = csms.cipher()
    assert found is not None
    return found[0], csms.version() or ""


@pytest.mark.parametrize("cipher", TLS_RSA)
def test_compat_ciphers_are_really_negotiated_where_they_are_switched_on(tmp_path: Path, cipher: str) -> None:
    rsa = pair(tmp_path, trustme.KeyType.RSA)
    assert negotiated(server(rsa, compat_ciphers=True), client(cipher)) == (cipher, "TLSv1.2")
    with pytest.raises(ssl.SSLError, match="NO_SHARED_CIPHER"):
        negotiated(server(rsa), client(cipher))


def test_compat_ciphers_come_last(tmp_path: Path) -> None:
    rsa = pair(tmp_path, trustme.KeyType.RSA)
    offer = ":".join([*TLS_RSA, "ECDHE-RSA-AES128-GCM-SHA256"])
    assert negotiated(server(rsa, compat_ciphers=True), client(offer)) == ("ECDHE-RSA-AES128-GCM-SHA256", "TLSv1.2")


@pytest.mark.parametrize(
    "cipher",
    [
        # OCPP 2.0.1 Part 2, A00.FR.318: the ECDSA suites; stations with RSA get theirs from the same listener.
        "ECDHE-ECDSA-AES128-GCM-SHA256",
        "ECDHE-ECDSA-AES256-GCM-SHA384",
        "ECDHE-RSA-AES128-GCM-SHA256",
        "ECDHE-RSA-AES256-GCM-SHA384",
    ],
)
def test_rsa_and_ecdsa_are_both_served(tmp_path: Path, cipher: str) -> None:
    both = server(pair(tmp_path, trustme.KeyType.RSA), pair(tmp_path, trustme.KeyType.ECDSA))
    assert negotiated(both, client(cipher)) == (cipher, "TLSv1.2")


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1 is deprecated:DeprecationWarning")
def test_tls_1_3_is_served_and_less_than_1_2_is_not(tmp_path: Path) -> None:
    ours = server(pair(tmp_path, trustme.KeyType.ECDSA))
    assert negotiated(ours, client(version=ssl.TLSVersion.TLSv1_3))[1] == "TLSv1.3"
    with pytest.raises(ssl.SSLError):
        negotiated(ours, client("DEFAULT:@SECLEVEL=0", ssl.TLSVersion.TLSv1_1))


def test_two_certificates_of_one_kind_are_refused(tmp_path: Path) -> None:
    first = pair(tmp_path, trustme.KeyType.RSA)
    second = tmp_path / "second.pem"
    second.write_bytes(first.read_bytes())
    with pytest.raises(
        ServerTlsUnusable, match=r"second.pem: should be of another kind than the first one, which is RSA"
    ):
        server(first, second)


def test_compat_ciphers_without_an_rsa_certificate_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ServerTlsUnusable, match=r"compat_ciphers: needs an RSA certificate in tls_certificate"):
        server(pair(tmp_path, trustme.KeyType.ECDSA), compat_ciphers=True)
