"""Read a certificate of ours, its key and a CA bundle, and say what is wrong with them.

Bytes in, values out: never opens a file, never shows a key or a passphrase. Before it: whoever read the files. After
it: `tls`, which makes a connection's context of the same files.

    Exception
    └── CertificateUnusable     what is wrong with one file, and what would be right
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

CLOCK_SKEW = timedelta(days=1)
"""A certificate that begins later than this from now is not explained by a clock that is wrong by its time zone."""

_BLOCK = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----.*?-----END \1-----", re.DOTALL)
_BEGIN = re.compile(rb"-----BEGIN [A-Z0-9 ]+-----")
_CERTIFICATES = (b"CERTIFICATE", b"X509 CERTIFICATE")
_KEY = b"PRIVATE KEY"
_ENCRYPTED = b"ENCRYPTED"
"""In the label of PKCS #8 (RFC 7468 §11), or in the header Proc-Type of older keys (RFC 1421 §4.6.1.1)."""


class Part(StrEnum):
    """What a problem is about, by the name of its key in the configuration."""

    CERTIFICATE = "client_certificate"
    KEY = "client_key"
    PASSPHRASE = "client_key_passphrase"  # noqa: S105 - the name of a key, no secret
    CA_BUNDLE = "ca_bundle"


@dataclass
class CertificateUnusable(Exception):
    """What is wrong with one file, and what would be right."""

    part: Part
    problem: str

    def __str__(self) -> str:
        """Return the text for the operator."""
        return f"{self.part} {self.problem}"


@dataclass(frozen=True, slots=True)
class Wording:
    """What the keys of a certificate are called where it is configured, and who renews it."""

    key: str
    passphrase: str
    owner: str
    renewal: str


AT_HUBS = Wording(
    "client_key", "client_key_passphrase or client_key_passphrase_file", "the client key", "get a new one from the hub"
)


@dataclass(frozen=True, slots=True)
class Certificate:
    """Who we are to a hub or to stations, and for how long."""

    subject: str
    not_before: datetime
    not_after: datetime
    kind: str = ""
    """Of the key: RSA or EC."""


def read_pair(certificate: bytes, key: bytes | None, passphrase: str | None, wording: Wording = AT_HUBS) -> Certificate:
    """Return our certificate of a PEM file: the first in it; intermediate ones may follow.

    `key` is the content of its own file; None: the key is in the certificate's file.

    Raises: CertificateUnusable.
    """
    chain = _chain(certificate)
    part = Part.CERTIFICATE if key is None else Part.KEY
    private = _private_key(certificate if key is None else key, part, passphrase, wording)
    _check_match(chain, private, part)
    leaf = chain[0]
    kind = "RSA" if isinstance(private, RSAPrivateKey) else "EC"
    return Certificate(leaf.subject.rfc4514_string(), leaf.not_valid_before_utc, leaf.not_valid_after_utc, kind)


def read_ca_bundle(bundle: bytes) -> str:
    """Return the certificates of a PEM file as the text that OpenSSL takes. Raises: CertificateUnusable."""
    found = [block for label, block in _blocks(bundle, Part.CA_BUNDLE) if label in _CERTIFICATES]
    if not found:
        raise CertificateUnusable(
            Part.CA_BUNDLE, "should hold a CA certificate (-----BEGIN CERTIFICATE-----), and holds none"
        )
    text = b"\n".join(found).decode("ascii", errors="replace")
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=text)
    except (ssl.SSLError, ValueError) as error:
        raise CertificateUnusable(Part.CA_BUNDLE, "should hold whole certificates; one in it is damaged") from error
    return text


def check_dates(certificate: Certificate, now: datetime, wording: Wording = AT_HUBS) -> None:
    """Refuse a certificate that has ended, or begins later than a wrong clock explains. Raises: CertificateUnusable."""
    if now > certificate.not_after:
        raise CertificateUnusable(
            Part.CERTIFICATE,
            f"should be a certificate that is valid; this one ({certificate.subject}) expired on "
            f"{certificate.not_after:%Y-%m-%d}: {wording.renewal}",
        )
    if certificate.not_before - now > CLOCK_SKEW:
        raise CertificateUnusable(
            Part.CERTIFICATE,
            f"should be a certificate that is valid; this one ({certificate.subject}) is valid only from "
            f"{certificate.not_before:%Y-%m-%d}: is this machine's clock right?",
        )


def _chain(content: bytes) -> list[x509.Certificate]:
    blocks = _blocks(content, Part.CERTIFICATE)
    found = [block for label, block in blocks if label in _CERTIFICATES]
    if not found:
        labels = ", ".join(sorted({label.decode("ascii") for label, _ in blocks}))
        raise CertificateUnusable(
            Part.CERTIFICATE, f"should hold a certificate (-----BEGIN CERTIFICATE-----); it holds only {labels}"
        )
    return [_certificate(block, number) for number, block in enumerate(found, start=1)]


def _certificate(block: bytes, number: int) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(block)
    except ValueError as error:
        raise CertificateUnusable(
            Part.CERTIFICATE, f"should hold whole certificates; number {number} in it is damaged"
        ) from error


def _private_key(content: bytes, part: Part, passphrase: str | None, wording: Wording) -> PrivateKeyTypes:
    block = next((block for label, block in _blocks(content, part) if label.endswith(_KEY)), None)
    if block is None:
        raise CertificateUnusable(part, _no_key(part, wording))
    encrypted = _ENCRYPTED in block
    if encrypted and not passphrase:
        raise CertificateUnusable(part, f"holds an encrypted key, which needs {wording.passphrase}")
    try:
        return load_pem_private_key(block, passphrase.encode() if encrypted and passphrase else None)
    except (UnsupportedAlgorithm, TypeError) as error:
        raise CertificateUnusable(part, "should hold a key of a supported kind, RSA or EC") from error
    except ValueError as error:
        if encrypted:
            wrong = f"should be the passphrase of {wording.owner}, and is not"
            raise CertificateUnusable(Part.PASSPHRASE, wrong) from error
        raise CertificateUnusable(part, "should hold a whole private key; the one in it is damaged") from error


def _no_key(part: Part, wording: Wording) -> str:
    if part is Part.KEY:
        return "should hold the private key (-----BEGIN PRIVATE KEY-----), and holds none"
    return (
        f"should hold the private key as well (-----BEGIN PRIVATE KEY-----), or {wording.key} should name its file: "
        "a certificate alone does not prove who we are"
    )


def _check_match(chain: Sequence[x509.Certificate], private: PrivateKeyTypes, part: Part) -> None:
    """The key must be the first certificate's: OpenSSL sends that one as ours."""
    ours = private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    numbers = [number for number, found in enumerate(chain, start=1) if _public(found) == ours]
    if not numbers:
        subject = chain[0].subject.rfc4514_string()
        raise CertificateUnusable(part, f"should hold the key of the certificate {subject}; its key is another one's")
    if numbers[0] != 1:
        raise CertificateUnusable(
            Part.CERTIFICATE,
            f"should begin with the certificate of the key, which is number {numbers[0]} in it; its chain comes after",
        )


def _public(certificate: x509.Certificate) -> bytes:
    return certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _blocks(content: bytes, part: Part) -> list[tuple[bytes, bytes]]:
    """Return (label, block) of a PEM file. Raises: CertificateUnusable: none, or one is cut off."""
    found = [(match[1], match[0]) for match in _BLOCK.finditer(content)]
    begun = len(_BEGIN.findall(content))
    if not begun:
        raise CertificateUnusable(
            part, "should be a PEM file (-----BEGIN …); DER and PKCS #12 (.p12, .pfx) can be converted with openssl"
        )
    if begun != len(found):
        raise CertificateUnusable(part, "should be a whole PEM file; a -----BEGIN … in it has no -----END …")
    return found
