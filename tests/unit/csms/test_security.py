from __future__ import annotations

from functools import cache
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from csms.events import CertificateRequested, Epoch, OcppVersion, SecurityEventReported, StationId
from csms.faults import Fault
from csms.security import is_critical, readable
from csms.translation import Rejected, Translated
from csms.v16.translate import translate as translate_16
from csms.v201.translate import translate as translate_201

TRANSLATE = {OcppVersion.V16: translate_16, OcppVersion.V201: translate_201}
EVENT = {"type": "TamperDetectionActivated", "timestamp": "2026-11-21T10:00:00Z", "techInfo": "door"}

versions = pytest.mark.parametrize("version", list(TRANSLATE), ids=str)


@cache
def csr() -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "CP1")])
    request = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
    return request.public_bytes(Encoding.PEM).decode()


def forged() -> str:
    """A request whose signature is another key's."""
    whole = x509.load_pem_x509_csr(csr().encode()).public_bytes(Encoding.DER)
    broken = whole[:-1] + bytes([whole[-1] ^ 1])
    return x509.load_der_x509_csr(broken).public_bytes(Encoding.PEM).decode()


def translated(version: OcppVersion, action: str, payload: dict[str, Any], strict: bool = False) -> Any:
    return TRANSLATE[version](action, payload, station=StationId("CP1"), epoch=Epoch(7), strict=strict)


@versions
def test_security_event_is_reported_with_what_the_station_says(version: OcppVersion) -> None:
    event = SecurityEventReported(
        StationId("CP1"), Epoch(7), "TamperDetectionActivated", "door", "2026-11-21T10:00:00Z"
    )
    assert translated(version, "SecurityEventNotification", EVENT, strict=True) == Translated((event,))


@versions
def test_event_of_an_unknown_type_is_an_event(version: OcppVersion) -> None:
    [event] = translated(version, "SecurityEventNotification", {**EVENT, "type": "VendorDoorOpen"}).events
    assert event.kind == "VendorDoorOpen"


@versions
def test_event_without_a_type_means_nothing(version: OcppVersion) -> None:
    rejected = translated(version, "SecurityEventNotification", {"timestamp": "2026-11-21T10:00:00Z"})
    assert rejected == Rejected(Fault.MISSING_FIELD, "type is missing")


@versions
def test_texts_of_an_event_are_cut_and_clean(version: OcppVersion) -> None:
    payload = {"type": "x" * 500, "techInfo": "a\nb\u202e" + "y" * 500, "timestamp": "z" * 500}
    [event] = translated(version, "SecurityEventNotification", payload).events
    assert (len(event.kind), len(event.reported_at)) == (50, 64)
    assert len(event.info) <= 256
    assert event.info.isprintable()


# OCPP 1.6 security whitepaper §8; OCPP 2.0.1 Part 2, Appendix 1.
@pytest.mark.parametrize(
    ("kind", "in_16", "in_201"),
    [
        ("FirmwareUpdated", True, True),
        ("FailedToAuthenticateAtCsms", False, False),
        ("CsmsFailedToAuthenticate", False, False),
        ("SettingSystemTime", True, True),
        ("StartupOfTheDevice", True, True),
        ("ResetOrReboot", True, True),
        ("SecurityLogWasCleared", True, True),
        ("ReconfigurationOfSecurityParameters", False, False),
        ("MemoryExhaustion", True, True),
        ("InvalidMessages", False, False),
        ("AttemptedReplayAttacks", False, False),
        ("TamperDetectionActivated", True, True),
        ("InvalidFirmwareSignature", False, True),
        ("InvalidFirmwareSigningCertificate", False, True),
        ("InvalidCsmsCertificate", False, True),
        ("InvalidChargingStationCertificate", False, True),
        ("InvalidTLSVersion", False, True),
        ("InvalidTLSCipherSuite", False, True),
        ("MaintenanceLoginAccepted", False, True),
        ("MaintenanceLoginFailed", False, True),
        ("VendorDoorOpen", False, False),
    ],
)
def test_each_version_says_itself_what_is_critical(kind: str, in_16: bool, in_201: bool) -> None:
    assert is_critical(OcppVersion.V16, kind) is in_16
    assert is_critical(OcppVersion.V201, kind) is in_201


@versions
def test_request_for_a_certificate_is_reported(version: OcppVersion) -> None:
    event = CertificateRequested(StationId("CP1"), Epoch(7), "", csr())
    assert translated(version, "SignCertificate", {"csr": csr()}, strict=True) == Translated((event,))


def test_request_of_2_x_says_what_for() -> None:
    payload = {"csr": csr(), "certificateType": "V2GCertificate"}
    [event] = translated(OcppVersion.V201, "SignCertificate", payload, strict=True).events
    assert event.kind == "V2GCertificate"


@versions
@pytest.mark.parametrize(
    "payload",
    [
        pytest.param({}, id="nothing"),
        pytest.param({"csr": None}, id="null"),
        pytest.param({"csr": 1}, id="number"),
        pytest.param({"csr": ""}, id="empty"),
        pytest.param({"csr": "x" * 100}, id="no-pem"),
        pytest.param({"csr": "\ud800"}, id="half-a-character"),
        pytest.param(
            {"csr": "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n"}, id="junk"
        ),
    ],
)
def test_what_is_no_request_is_no_event(version: OcppVersion, payload: dict[str, Any]) -> None:
    assert translated(version, "SignCertificate", payload) == Translated((), ("certificate_unreadable",))


@pytest.mark.parametrize("kind", ["Other", ["V2GCertificate"], {"a": 1}, 7])
def test_request_for_an_unknown_kind_of_certificate_is_no_event(kind: object) -> None:
    payload = {"csr": csr(), "certificateType": kind}
    assert translated(OcppVersion.V201, "SignCertificate", payload).events == ()


def test_request_that_its_key_did_not_sign_is_none() -> None:
    assert readable(forged()) is None


def test_request_is_cut_out_of_what_is_around_it_and_bounded() -> None:
    assert readable("hello\n" + csr() + "bye\n") == csr()
    assert readable(csr() + "x" * 5_500) is None
