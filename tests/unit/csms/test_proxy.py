from __future__ import annotations

import base64
import ssl
from collections.abc import Sequence
from datetime import UTC, datetime
from urllib.parse import quote

import pytest
import trustme

from csms.auth import Refuse
from csms.client_certificates import ClientCertificate
from csms.options import ProxyOptions
from csms.proxy import Forwarded, is_proxy, read_forwarded
from tests.certificates import issue

AUTHORITY = trustme.CA()
TRUSTED = AUTHORITY.cert_pem.bytes()
NOW = datetime.now(UTC)
OPTIONS = ProxyOptions(("10.0.0.1", "192.168.0.0/24", "fd00::/8"))
LEAF = issue(AUTHORITY, "CP1").certificate
ESCAPED = quote(LEAF.decode(), safe="")


def read(*headers: tuple[str, str], authorities: bytes | None = TRUSTED) -> Forwarded | Refuse:
    def values(name: str) -> Sequence[str]:
        return [value for key, value in headers if key.lower() == name.lower()]

    return read_forwarded(values, OPTIONS, authorities, NOW)


@pytest.mark.parametrize(
    ("peer", "trusted"),
    [
        pytest.param("10.0.0.1", True, id="address"),
        pytest.param("10.0.0.2", False, id="another-address"),
        pytest.param("192.168.0.77", True, id="in-the-network"),
        pytest.param("192.168.1.1", False, id="outside-of-the-network"),
        pytest.param("::ffff:10.0.0.1", True, id="ipv4-on-an-ipv6-socket"),
        pytest.param("fd00::1%eth0", True, id="ipv6-with-zone"),
        pytest.param("", False, id="none"),
    ],
)
def test_only_listed_peers_are_the_proxy(peer: str, trusted: bool) -> None:
    assert is_proxy(peer, OPTIONS) is trusted


@pytest.mark.parametrize(
    ("value", "address"),
    [
        pytest.param("203.0.113.9", "203.0.113.9", id="only"),
        pytest.param("1.1.1.1, 203.0.113.9", "203.0.113.9", id="last-of-a-list"),
        pytest.param("203.0.113.9:49152", "203.0.113.9", id="with-port"),
        pytest.param("2001:db8::1", "2001:db8::1", id="ipv6"),
        pytest.param("[2001:db8::1]:49152", "2001:db8::1", id="ipv6-with-port"),
    ],
)
def test_forwarded_address_is_the_proxys_own_entry(value: str, address: str) -> None:
    assert read(("X-Forwarded-For", value)) == Forwarded(address, None)


@pytest.mark.parametrize("value", [None, "", "unknown", "203.0.113.9,", "1.2.3.4.5"])
def test_an_address_that_is_missing_or_none_is_400(value: str | None) -> None:
    found = read(*([] if value is None else [("X-Forwarded-For", value)]))
    assert found == Refuse(400, "the proxy must send the station's address in X-Forwarded-For")


@pytest.mark.parametrize("name", ["X-Forwarded-For", "X-SSL-Client-Cert", "x-ssl-client-verify"])
def test_a_header_that_comes_twice_is_400(name: str) -> None:
    found = read(("X-Forwarded-For", "203.0.113.9"), (name, "a"), (name, "b"))
    assert isinstance(found, Refuse)
    assert found.status == 400
    assert "came more than once: the proxy must replace what clients send" in found.reason


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(ESCAPED, id="nginx-escaped-pem"),
        pytest.param(base64.b64encode(ssl.PEM_cert_to_DER_cert(LEAF.decode())).decode(), id="bare-base64"),
        pytest.param(quote(base64.b64encode(ssl.PEM_cert_to_DER_cert(LEAF.decode())).decode()), id="escaped-base64"),
    ],
)
def test_certificate_is_read_and_verified_by_us(text: str) -> None:
    found = read(("X-Forwarded-For", "203.0.113.9"), ("X-SSL-Client-Cert", text), ("X-SSL-Client-Verify", "SUCCESS"))
    assert isinstance(found, Forwarded)
    assert isinstance(found.certificate, ClientCertificate)
    assert found.certificate.name == "CP1"


def test_certificate_of_another_authority_is_refused_whatever_the_proxy_says() -> None:
    foreign = quote(issue(trustme.CA(), "CP1").certificate.decode(), safe="")
    found = read(("X-Forwarded-For", "203.0.113.9"), ("X-SSL-Client-Cert", foreign), ("X-SSL-Client-Verify", "SUCCESS"))
    why = "the client certificate is from no authority of client_ca, or not for clients"
    assert found == Forwarded("203.0.113.9", Refuse(403, why))


def test_certificate_that_the_proxy_did_not_verify_is_refused() -> None:
    found = read(
        ("X-Forwarded-For", "203.0.113.9"),
        ("X-SSL-Client-Cert", ESCAPED),
        ("X-SSL-Client-Verify", "FAILED:certificate has expired"),
    )
    why = "the proxy did not verify the client certificate: FAILED:certificate has expired"
    assert found == Forwarded("203.0.113.9", Refuse(403, why))


def test_no_certificate_is_none_and_without_client_ca_nobody_looks_at_one() -> None:
    assert read(("X-Forwarded-For", "203.0.113.9"), ("X-SSL-Client-Verify", "NONE")) == Forwarded("203.0.113.9", None)
    found = read(("X-Forwarded-For", "203.0.113.9"), ("X-SSL-Client-Cert", ESCAPED), authorities=None)
    assert found == Forwarded("203.0.113.9", None)


@pytest.mark.parametrize("junk", ["%%%", "AAAA", "-----BEGIN CERTIFICATE-----"])
def test_a_certificate_that_is_none_is_400(junk: str) -> None:
    found = read(("X-Forwarded-For", "203.0.113.9"), ("X-SSL-Client-Cert", junk))
    why = "the client certificate cannot be read: X-SSL-Client-Cert should hold percent-encoded PEM"
    assert found == Forwarded("203.0.113.9", Refuse(400, why))
