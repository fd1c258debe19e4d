from datetime import UTC, datetime, timedelta

import pytest
import trustme
from cryptography.hazmat.primitives.serialization import PrivateFormat

from bridge.upstreams.certificates import Certificate, CertificateUnusable, Part, check_dates, read_ca_bundle, read_pair
from tests.certificates import issue

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)
AUTHORITY = trustme.CA()
LEAF = issue(AUTHORITY.create_child_ca())
OTHER = issue(AUTHORITY, "DE*XYZ")
LOCKED = LEAF.locked("open sesame")
CA = AUTHORITY.cert_pem.bytes()


def wrong(certificate: bytes, key: bytes | None = None, passphrase: str | None = None) -> str:
    with pytest.raises(CertificateUnusable) as caught:
        read_pair(certificate, key, passphrase)
    return str(caught.value)


@pytest.mark.parametrize(
    ("certificate", "key", "passphrase"),
    [
        pytest.param(LEAF.whole, None, None, id="one-file"),
        pytest.param(LEAF.key + LEAF.certificate + LEAF.chain, None, None, id="key-first"),
        pytest.param(b"Bag Attributes\n" + LEAF.whole, None, None, id="text-of-openssl-around"),
        pytest.param(LEAF.whole.replace(b"\n", b"\r\n"), None, None, id="line-ends-of-windows"),
        pytest.param(LEAF.certificate + LEAF.chain, LEAF.key, None, id="two-files"),
        pytest.param(LEAF.certificate, LOCKED, "open sesame", id="encrypted-pkcs8"),
        pytest.param(
            LEAF.certificate,
            LEAF.locked("open sesame", PrivateFormat.TraditionalOpenSSL),
            "open sesame",
            id="encrypted-traditional",
        ),
        pytest.param(LEAF.certificate, LEAF.key, "not needed", id="passphrase-of-a-plain-key"),
    ],
)
def test_certificate_with_its_key_is_read(certificate: bytes, key: bytes | None, passphrase: str | None) -> None:
    read = read_pair(certificate, key, passphrase)
    assert "CN=DE*ABC" in read.subject
    assert timedelta(days=89) < read.not_after - datetime.now(UTC) <= timedelta(days=90)


NO_KEY = (
    "client_certificate should hold the private key as well (-----BEGIN PRIVATE KEY-----), or client_key should name "
    "its file: a certificate alone does not prove who we are"
)
NO_PEM = "should be a PEM file (-----BEGIN …); DER and PKCS #12 (.p12, .pfx) can be converted with openssl"


@pytest.mark.parametrize(
    ("certificate", "key", "passphrase", "expected"),
    [
        pytest.param(LEAF.certificate, None, None, NO_KEY, id="no-key"),
        pytest.param(LEAF.certificate + LEAF.chain, None, None, NO_KEY, id="chain-and-no-key"),
        pytest.param(
            LEAF.key,
            None,
            None,
            "client_certificate should hold a certificate (-----BEGIN CERTIFICATE-----); it holds only EC PRIVATE KEY",
            id="key-and-no-certificate",
        ),
        pytest.param(
            LEAF.certificate,
            LEAF.certificate,
            None,
            "client_key should hold the private key (-----BEGIN PRIVATE KEY-----), and holds none",
            id="key-file-without-key",
        ),
        pytest.param(b"\x30\x82\x01\x0a\xff\x00", LEAF.key, None, f"client_certificate {NO_PEM}", id="der"),
        pytest.param(b"", LEAF.key, None, f"client_certificate {NO_PEM}", id="empty"),
        pytest.param(LEAF.certificate, b"secret", None, f"client_key {NO_PEM}", id="key-no-pem"),
        pytest.param(
            LEAF.whole[:-40],
            None,
            None,
            "client_certificate should be a whole PEM file; a -----BEGIN … in it has no -----END …",
            id="half-written",
        ),
        pytest.param(
            LEAF.certificate.replace(b"MII", b"AAA", 1) + LEAF.key,
            None,
            None,
            "client_certificate should hold whole certificates; number 1 in it is damaged",
            id="damaged-certificate",
        ),
        pytest.param(
            LEAF.certificate,
            LEAF.key.replace(b"MH", b"AA", 1),
            None,
            "client_key should hold a whole private key; the one in it is damaged",
            id="damaged-key",
        ),
        pytest.param(
            LEAF.certificate,
            LOCKED,
            None,
            "client_key holds an encrypted key, which needs client_key_passphrase or client_key_passphrase_file",
            id="no-passphrase",
        ),
        pytest.param(
            LEAF.certificate,
            LOCKED,
            "open barley",
            "client_key_passphrase should be the passphrase of the client key, and is not",
            id="wrong-passphrase",
        ),
        pytest.param(
            LEAF.chain + LEAF.certificate,
            LEAF.key,
            None,
            "client_certificate should begin with the certificate of the key, which is number 2 in it; "
            "its chain comes after",
            id="chain-first",
        ),
    ],
)
def test_what_is_wrong_is_one_clear_error(
    certificate: bytes, key: bytes | None, passphrase: str | None, expected: str
) -> None:
    said = wrong(certificate, key, passphrase)
    assert said == expected
    assert "open" not in said.replace("openssl", "")


@pytest.mark.parametrize(("key", "part"), [(None, "client_certificate"), (OTHER.key, "client_key")])
def test_key_of_another_certificate_names_whose_it_should_be(key: bytes | None, part: str) -> None:
    said = wrong(LEAF.certificate + OTHER.key, key)
    assert said.startswith(f"{part} should hold the key of the certificate ")
    assert "CN=DE*ABC" in said
    assert said.endswith("its key is another one's")


@pytest.mark.parametrize(
    ("begins", "ends", "expected"),
    [
        pytest.param(-DAY, DAY, None, id="valid"),
        pytest.param(DAY, 9 * DAY, None, id="begins-in-a-day"),
        pytest.param(DAY + timedelta(seconds=1), 9 * DAY, "is valid only from 2026-11-26", id="begins-later"),
        pytest.param(-9 * DAY, -timedelta(seconds=1), "expired on 2026-11-25", id="expired"),
        pytest.param(-9 * DAY, timedelta(0), None, id="its-last-second"),
    ],
)
def test_dates_are_checked_with_room_for_a_wrong_clock_at_the_beginning(
    begins: timedelta, ends: timedelta, expected: str | None
) -> None:
    certificate = Certificate("CN=DE*ABC", NOW + begins, NOW + ends)
    if expected is None:
        check_dates(certificate, NOW)
        return
    with pytest.raises(CertificateUnusable, match=expected) as caught:
        check_dates(certificate, NOW)
    assert caught.value.part is Part.CERTIFICATE


def test_ca_bundle_may_hold_several_and_text_between_them() -> None:
    text = read_ca_bundle("# Zertifizierungsstelle für Tests\n".encode() + CA + b"\n# and\n" + LEAF.chain)
    assert text.count("-----BEGIN CERTIFICATE-----") == 2
    assert text.isascii()


@pytest.mark.parametrize(
    ("bundle", "expected"),
    [
        pytest.param(LEAF.key, "should hold a CA certificate (-----BEGIN CERTIFICATE-----), and holds none", id="key"),
        pytest.param(b"", NO_PEM, id="empty"),
        pytest.param(CA[:-30], "should be a whole PEM file; a -----BEGIN … in it has no -----END …", id="half-written"),
        pytest.param(
            CA.replace(b"MII", b"AAA", 1), "should hold whole certificates; one in it is damaged", id="damaged"
        ),
    ],
)
def test_ca_bundle_without_a_whole_certificate_is_refused(bundle: bytes, expected: str) -> None:
    with pytest.raises(CertificateUnusable) as caught:
        read_ca_bundle(bundle)
    assert str(caught.value) == f"ca_bundle {expected}"
