"""Turn what stations say about their own security into events: the same in every OCPP version.

Does no I/O, signs nothing and trusts nothing. Before it: the versions' `translate`, by their tables. Beside it:
`calls`, which warns of what is critical and drops requests for certificates where they are not held.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding

from csms.events import CertificateRequested, Epoch, OcppVersion, SecurityEventReported, StationEvent, StationId
from csms.faults import Fault
from csms.translation import MAX_WORD, Notes, PayloadReader, Unclear

MAX_KIND: Final = 50
"""Longest event type. Source: OCPP 1.6 security whitepaper §5.15; OCPP 2.0.1 Part 2, SecurityEventNotification."""

MAX_CSR: Final = 5_500
"""Longest request in characters. Source: OCPP 1.6 security whitepaper §5.17; OCPP 2.0.1 Part 2, SignCertificate."""

_EVENT_FIELDS = frozenset({"customData", "techInfo", "timestamp", "type"})
_KINDS_OF_CERTIFICATE = frozenset({"", "ChargingStationCertificate", "V2GCertificate"})

# OCPP 1.6 security whitepaper §8: the rows whose column "critical" says Yes.
_CRITICAL_16 = frozenset(
    {
        "FirmwareUpdated",
        "SettingSystemTime",
        "StartupOfTheDevice",
        "ResetOrReboot",
        "SecurityLogWasCleared",
        "MemoryExhaustion",
        "TamperDetectionActivated",
    }
)

# OCPP 2.0.1 Part 2, Appendix 1; DiscardedRenewedClientCertificate: OCPP 2.1.
_CRITICAL_2 = _CRITICAL_16 | {
    "DiscardedRenewedClientCertificate",
    "InvalidFirmwareSignature",
    "InvalidFirmwareSigningCertificate",
    "InvalidCsmsCertificate",
    "InvalidChargingStationCertificate",
    "InvalidTLSVersion",
    "InvalidTLSCipherSuite",
    "MaintenanceLoginAccepted",
    "MaintenanceLoginFailed",
}


def is_critical(version: OcppVersion, kind: str) -> bool:
    """Tell whether the version's list of security events calls this one critical."""
    return kind in (_CRITICAL_16 if version is OcppVersion.V16 else _CRITICAL_2)


def security_event(
    subject: str, payload: Mapping[str, Any], station: StationId, epoch: Epoch, notes: Notes
) -> tuple[StationEvent, ...]:
    """Read a SecurityEventNotification, of whatever type. Raises: Unclear, where it has none."""
    read = PayloadReader(subject, payload, _EVENT_FIELDS, notes)
    kind = read.text("type", MAX_KIND)
    if not kind:
        raise Unclear(Fault.MISSING_FIELD, "type is missing")
    reported_at = read.text("timestamp", MAX_WORD, required=True)
    return (SecurityEventReported(station, epoch, kind, read.text("techInfo"), reported_at),)


def certificate_request(
    subject: str, payload: Mapping[str, Any], station: StationId, epoch: Epoch, notes: Notes
) -> tuple[StationEvent, ...]:
    """Read a SignCertificate; no event where what it asks for is none: it is then answered with Rejected."""
    kind, csr = payload.get("certificateType") or "", readable(payload.get("csr"))
    if csr is None or type(kind) is not str or kind not in _KINDS_OF_CERTIFICATE:
        notes[f"{subject}_unreadable"] = None
        return ()
    return (CertificateRequested(station, epoch, kind, csr),)


def readable(text: object) -> str | None:
    """Return a certificate signing request as PEM and nothing else; None where it is none, or not signed by its key.

    Source: RFC 2986; OCPP 1.6 security whitepaper §5.17.
    """
    if type(text) is not str or len(text) > MAX_CSR:
        return None
    try:
        request = x509.load_pem_x509_csr(text.encode())
        if not request.is_signature_valid:
            return None
        return request.public_bytes(Encoding.PEM).decode()
    except (ValueError, UnsupportedAlgorithm):
        return None
