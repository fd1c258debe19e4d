"""Read a station's client certificate, and check its chain where TLS did not: behind a proxy.

Bytes in, values out: no socket, no file, no clock. Before it: `admission`, with what TLS or a proxy's header showed.
After it: `profiles`, which compares the name with the station's.

    Exception
    └── NoCertificate       expired, from another authority, not for clients
        └── Unreadable      no certificate at all
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from cryptography.x509.verification import Criticality, ExtensionPolicy, Policy, PolicyBuilder, Store, VerificationError


class NoCertificate(Exception):
    """There is no certificate that proves anything; the text says why, and shows nothing of it."""


class Unreadable(NoCertificate):
    """The bytes hold no certificate at all."""


@dataclass(frozen=True, slots=True)
class ClientCertificate:
    """What a station's certificate says about it."""

    name: str
    """Subject CN; empty where there is none, or more than one."""
    not_before: datetime
    not_after: datetime


def read_der(der: bytes) -> ClientCertificate:
    """Return what the certificate says that TLS has verified. Raises: Unreadable."""
    try:
        return _read(x509.load_der_x509_certificate(der))
    except ValueError as error:
        raise Unreadable("the client certificate cannot be read") from error


def verify_pem(pem: bytes, authorities: bytes, now: datetime) -> ClientCertificate:
    """Return what the first certificate of a PEM text says, once its chain to one of the authorities is proved.

    Certificates after the first one are its intermediate ones. Source: RFC 5280 §6; OCPP 2.0.1 Part 2, A00.FR.403.

    Raises: NoCertificate: it cannot be read, is not valid now, or no authority of ours stands behind it.
    """
    try:
        leaf, *others = x509.load_pem_x509_certificates(pem)
    except ValueError as error:
        raise Unreadable("the client certificate cannot be read") from error
    found = _read(leaf)
    if (why := outdated(found, now)) is not None:
        raise NoCertificate(why)
    try:
        _verifier(authorities, now).verify(leaf, others)
    except VerificationError as error:
        raise NoCertificate("the client certificate is from no authority of client_ca, or not for clients") from error
    return found


def outdated(certificate: ClientCertificate, now: datetime) -> str | None:
    """Return why a certificate is not valid now; None where it is. A resumed TLS session does not check again."""
    if now > certificate.not_after:
        return f"the client certificate expired on {certificate.not_after:%Y-%m-%d}"
    if now < certificate.not_before:
        return f"the client certificate is valid only from {certificate.not_before:%Y-%m-%d}"
    return None


def _verifier(authorities: bytes, now: datetime) -> x509.verification.ClientVerifier:
    """The web's rules ask for a subjectAltName, which stations' certificates have not: OCPP names them by their CN."""
    authority = ExtensionPolicy.permit_all().require_present(x509.BasicConstraints, Criticality.AGNOSTIC, None)
    leaf = ExtensionPolicy.permit_all().may_be_present(
        x509.ExtendedKeyUsage, Criticality.AGNOSTIC, _must_be_for_clients
    )
    return (
        PolicyBuilder()
        .store(Store(x509.load_pem_x509_certificates(authorities)))
        .time(now)
        .extension_policies(ca_policy=authority, ee_policy=leaf)
        .build_client_verifier()
    )


def _must_be_for_clients(_policy: Policy, _found: x509.Certificate, usage: x509.ExtendedKeyUsage | None) -> None:
    allowed = (ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE)
    if usage is not None and not any(one in allowed for one in usage):
        raise ValueError("the certificate is not for clients")


def _read(certificate: x509.Certificate) -> ClientCertificate:
    names = _names(certificate.subject)
    return ClientCertificate(
        names[0] if len(names) == 1 else "", certificate.not_valid_before_utc, certificate.not_valid_after_utc
    )


def _names(subject: x509.Name) -> Sequence[str]:
    values = (attribute.value for attribute in subject.get_attributes_for_oid(NameOID.COMMON_NAME))
    return [value if isinstance(value, str) else "" for value in values]
