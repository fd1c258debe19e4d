"""Name what can be wrong with a request, and the error code that each OCPP version has for it.

Pure data. Before it: nobody. After it: `frames`, `schemas`, the versions' `translate`, `calls`.
"""

from __future__ import annotations

from enum import StrEnum

from csms.events import OcppVersion


class Fault(StrEnum):
    """What is wrong with a request, whatever a version calls it; `error_code` has each version's own spelling."""

    NOT_IMPLEMENTED = "not_implemented"
    """The action is unknown."""
    NOT_SUPPORTED = "not_supported"
    """The action is known and not offered."""
    INTERNAL = "internal"
    MISSING_FIELD = "missing_field"
    """The payload is incomplete."""
    MALFORMED_STRUCTURE = "malformed_structure"
    """The message does not have the structure of its kind."""
    NOT_RPC = "not_rpc"
    """Not a valid request at all, for example its id cannot be read."""
    UNKNOWN_TYPE = "unknown_type"
    SYNTACTIC = "syntactic"
    """The payload is syntactically wrong."""
    PROPERTY_CONSTRAINT = "property_constraint"
    """A field has the right type and an impossible value."""
    OCCURRENCE = "occurrence"
    """Too many or too few of something."""
    TYPE_CONSTRAINT = "type_constraint"
    SECURITY = "security"
    GENERIC = "generic"


# OCPP-J 1.6 §4.2.3; the errata (§5.1) keep the spelling "Occurence". 1.6 has no code for the two framing faults.
_CODES_16 = {
    Fault.NOT_IMPLEMENTED: "NotImplemented",
    Fault.NOT_SUPPORTED: "NotSupported",
    Fault.INTERNAL: "InternalError",
    Fault.MISSING_FIELD: "ProtocolError",
    Fault.MALFORMED_STRUCTURE: "FormationViolation",
    Fault.NOT_RPC: "GenericError",
    Fault.UNKNOWN_TYPE: "GenericError",
    Fault.SYNTACTIC: "FormationViolation",
    Fault.PROPERTY_CONSTRAINT: "PropertyConstraintViolation",
    Fault.OCCURRENCE: "OccurenceConstraintViolation",
    Fault.TYPE_CONSTRAINT: "TypeConstraintViolation",
    Fault.SECURITY: "SecurityError",
    Fault.GENERIC: "GenericError",
}

# OCPP 2.0.1 Part 4 §4.3 and OCPP 2.1 Part 4 §4.3, whose tables are the same.
_CODES_2 = {
    Fault.NOT_IMPLEMENTED: "NotImplemented",
    Fault.NOT_SUPPORTED: "NotSupported",
    Fault.INTERNAL: "InternalError",
    Fault.MISSING_FIELD: "OccurrenceConstraintViolation",
    Fault.MALFORMED_STRUCTURE: "ProtocolError",
    Fault.NOT_RPC: "RpcFrameworkError",
    Fault.UNKNOWN_TYPE: "MessageTypeNotSupported",
    Fault.SYNTACTIC: "FormatViolation",
    Fault.PROPERTY_CONSTRAINT: "PropertyConstraintViolation",
    Fault.OCCURRENCE: "OccurrenceConstraintViolation",
    Fault.TYPE_CONSTRAINT: "TypeConstraintViolation",
    Fault.SECURITY: "SecurityError",
    Fault.GENERIC: "GenericError",
}

_CODES = {OcppVersion.V16: _CODES_16, OcppVersion.V201: _CODES_2, OcppVersion.V21: _CODES_2}


def error_code(fault: Fault, version: OcppVersion) -> str:
    """Return the version's own error code for a fault. Source: OCPP-J 1.6 §4.2.3; OCPP 2.x Part 4 §4.3."""
    return _CODES[version][fault]
