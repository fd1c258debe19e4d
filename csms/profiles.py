"""Decide which security profile a handshake claims, and whether its station and its listener take that.

Pure: compares what was presented with what is known; no socket, no key is checked here. Before it: `admission`, with
the headers and what TLS or a proxy proved. After it: `admission` again, which has the key of a `Login` checked.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from csms.auth import CHALLENGE, Refuse, basic_credentials
from csms.client_certificates import ClientCertificate
from csms.events import OcppVersion, SecurityProfile
from csms.records import StationRecord


@dataclass(frozen=True, slots=True)
class Presented:
    """What one handshake shows of itself, and where."""

    identity: str
    """Of the path, as the station spells it."""
    authorization: Sequence[str] = field(default=(), repr=False)
    """All its Authorization headers."""
    secure: bool = False
    """It came over TLS, ours or a trusted proxy's."""
    certificate: ClientCertificate | None = None
    """Verified against the listener's client_ca, and valid now."""


@dataclass(frozen=True, slots=True)
class Login:
    """The profile fits; where `password` is there, it must still be the station's."""

    record: StationRecord
    profile: SecurityProfile
    password: bytes | None = field(default=None, repr=False)


def weigh(
    presented: Presented,
    record: StationRecord | None,
    allowed: Collection[SecurityProfile],
    *,
    exact: bool = False,
) -> Login | Refuse:
    """Decide about one handshake on a listener that takes the `allowed` profiles.

    A profile is what the station shows: its certificate within TLS 3, a key within TLS 2, a key 1, nothing 0. Less
    than the inventory demands, or than the station once proved, is refused. `exact`: the user name counts by its case.

    Source: OCPP-J 1.6 §3.2 and OCPP 2.0.1 Part 4 §3.2 (unknown: 404); OCPP 1.6 Security Whitepaper §2.3 (401 before
    the upgrade); OCPP 2.0.1 Part 2, A00.FR.002 (another profile than the station's), A00.FR.204 (user name equals
    identity), A00.FR.403 and A00.FR.405 (certificate), A05.FR.07 (never back to a lower one).
    """
    if record is None:
        return Refuse(404, "unknown charging station")
    demanded = max(record.security, record.reached)
    claimed = _claimed(presented, record, demanded)
    if claimed < demanded:
        return _too_little(presented, record, demanded, claimed, allowed)
    if claimed not in allowed:
        return Refuse(403, f"this listener takes security profile {_listed(allowed)}; this is profile {int(claimed)}")
    if claimed in (SecurityProfile.NONE, SecurityProfile.TLS_CERTIFICATE):
        return Login(record, claimed)
    return _with_password(presented, record, claimed, exact=exact)


def names(certificate: ClientCertificate, record: StationRecord) -> bool:
    """Tell whether a certificate's common name is the station's; case never counts, as for identities."""
    return certificate.name.casefold() == (record.certificate_name or record.station).casefold()


def conflicting_serial(
    certificate: ClientCertificate | None, record: StationRecord, version: OcppVersion, serial: object
) -> bool:
    """Tell whether a BootNotification's serial number is another than the one that the certificate names.

    A certificate whose common name is the identity names no serial number: the two need not be the same.

    Source: OCPP 2.0.1 Part 2, B01.FR.11 and B01.FR.12; 1.6 has no such rule.
    """
    if certificate is None or version is OcppVersion.V16 or not isinstance(serial, str) or not serial:
        return False
    name = certificate.name.casefold()
    return name != record.station.casefold() and name != serial.casefold()


def _claimed(presented: Presented, record: StationRecord, demanded: SecurityProfile) -> SecurityProfile:
    if presented.certificate is not None and names(presented.certificate, record):
        return SecurityProfile.TLS_CERTIFICATE
    if not presented.authorization or (demanded is SecurityProfile.NONE and record.credential is None):
        return SecurityProfile.NONE
    return SecurityProfile.TLS_BASIC if presented.secure else SecurityProfile.BASIC


def _too_little(
    presented: Presented,
    record: StationRecord,
    demanded: SecurityProfile,
    claimed: SecurityProfile,
    allowed: Collection[SecurityProfile],
) -> Refuse:
    must = f"this station must use security profile {int(demanded)}"
    if demanded is SecurityProfile.TLS_CERTIFICATE and presented.secure:
        if presented.certificate is None:
            return Refuse(403, f"it showed no client certificate; {must}")
        wanted = record.certificate_name or record.station
        return Refuse(403, f"its certificate is for {presented.certificate.name[:64]!r}, not for {wanted!r}; {must}")
    attainable = SecurityProfile.TLS_BASIC if presented.secure else SecurityProfile.BASIC
    if claimed is SecurityProfile.NONE and demanded <= attainable and attainable in allowed:
        return Refuse(401, "credentials missing", CHALLENGE)
    return Refuse(403, f"{must}; this is profile {int(claimed)}")


def _with_password(
    presented: Presented, record: StationRecord, claimed: SecurityProfile, *, exact: bool
) -> Login | Refuse:
    if len(presented.authorization) != 1:
        return Refuse(401, "credentials repeated", CHALLENGE)
    found = basic_credentials(presented.authorization[0])
    if found is None:
        return Refuse(401, "credentials are not HTTP Basic", CHALLENGE)
    user, password = found
    if not _is(user, presented.identity, exact=exact):
        return Refuse(401, "credentials wrong", CHALLENGE)
    return Login(record, claimed, password)


def _is(user: bytes, identity: str, *, exact: bool) -> bool:
    try:
        name = user.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return name == identity if exact else name.casefold() == identity.casefold()


def _listed(allowed: Collection[SecurityProfile]) -> str:
    return " or ".join(str(int(profile)) for profile in sorted(allowed))
