from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from csms.client_certificates import ClientCertificate, NoCertificate, Unreadable, outdated, read_der, verify_pem
from tests.certificates import issue

AUTHORITY = trustme.CA()
TRUSTED = AUTHORITY.cert_pem.bytes()
NOW = datetime.now(UTC)


def test_certificate_of_an_authority_is_read() -> None:
    assert verify_pem(issue(AUTHORITY, "CP1").certificate, TRUSTED, NOW).name == "CP1"


def test_intermediate_certificates_are_followed_and_needed() -> None:
    leaf = issue(AUTHORITY.create_child_ca(), "CP1")
    assert verify_pem(leaf.certificate + leaf.chain, TRUSTED, NOW).name == "CP1"
    with pytest.raises(NoCertificate, match="from no authority of client_ca"):
        verify_pem(leaf.certificate, TRUSTED, NOW)


def test_another_authoritys_certificate_proves_nothing() -> None:
    with pytest.raises(NoCertificate, match="from no authority of client_ca"):
        verify_pem(issue(trustme.CA(), "CP1").certificate, TRUSTED, NOW)


def test_a_station_is_no_authority_for_another_one() -> None:
    station = issue(AUTHORITY, "CP1")
    forged = issue(trustme.CA.from_pem(station.certificate, station.key), "CP2")
    with pytest.raises(NoCertificate, match="from no authority of client_ca"):
        verify_pem(forged.certificate + station.certificate, TRUSTED, NOW)


def test_a_servers_certificate_proves_no_station() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    authority = ec.generate_private_key(ec.SECP256R1())
    ours = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "authority")])

    def signed(name: x509.Name, public: ec.EllipticCurvePublicKey, *extensions: x509.ExtensionType) -> bytes:
        builder = x509.CertificateBuilder(
            ours, name, public, x509.random_serial_number(), NOW - timedelta(days=1), NOW + timedelta(days=1)
        )
        for extension in extensions:
            builder = builder.add_extension(extension, critical=False)
        return builder.sign(authority, hashes.SHA256()).public_bytes(Encoding.PEM)

    root = signed(ours, authority.public_key(), x509.BasicConstraints(ca=True, path_length=None))
    station = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "CP1")])
    for usage, proves in ((ExtendedKeyUsageOID.CLIENT_AUTH, True), (ExtendedKeyUsageOID.SERVER_AUTH, False)):
        leaf = signed(station, key.public_key(), x509.ExtendedKeyUsage([usage]))
        if proves:
            # As stations have them: no subjectAltName at all.
            assert verify_pem(leaf, root, NOW).name == "CP1"
        else:
            with pytest.raises(NoCertificate, match="or not for clients"):
                verify_pem(leaf, root, NOW)


@pytest.mark.parametrize(
    ("begins", "ends", "why"),
    [
        pytest.param(-10, -1, "the client certificate expired on", id="expired"),
        pytest.param(1, 10, "the client certificate is valid only from", id="not-yet"),
    ],
)
def test_certificate_outside_of_its_dates_proves_nothing(begins: float, ends: float, why: str) -> None:
    with pytest.raises(NoCertificate, match=why):
        verify_pem(issue(AUTHORITY, "CP1", begins=begins, ends=ends).certificate, TRUSTED, NOW)


def test_dates_are_checked_again_for_a_session_that_was_resumed() -> None:
    certificate = ClientCertificate("CP1", NOW - timedelta(days=2), NOW - timedelta(days=1))
    assert outdated(certificate, NOW - timedelta(days=1, seconds=1)) is None
    assert outdated(certificate, NOW) == f"the client certificate expired on {NOW - timedelta(days=1):%Y-%m-%d}"


@pytest.mark.parametrize("junk", [b"", b"junk", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"])
def test_what_is_no_certificate_is_unreadable(junk: bytes) -> None:
    with pytest.raises(Unreadable, match="cannot be read"):
        verify_pem(junk, TRUSTED, NOW)
    with pytest.raises(Unreadable, match="cannot be read"):
        read_der(junk)
