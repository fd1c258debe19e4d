"""Give operators' ready orders the words of the station's OCPP version, and read their answers.

Pure; one table says which module speaks a version. Never sends. Before it: a host, for `CentralSystem.call`. After it:
the version's `requests` and `answers`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from csms.events import OcppVersion
from csms.orders import Request, ResetKind, Setting
from csms.v16 import answers as answers_16
from csms.v16 import requests as requests_16
from csms.v21 import answers as answers_21
from csms.v21 import requests as requests_21
from csms.v201 import answers as answers_201
from csms.v201 import requests as requests_201


class Requests(Protocol):
    """A version's `requests`. Each may raise `orders.Impossible`."""

    def trigger(self, message: str, evse: int | None, connector: int | None) -> Request:
        """Ask the station to send a message."""
        ...

    def availability(self, evse: int | None, connector: int | None, *, operative: bool) -> Request:
        """Take a connector, an EVSE or the station in or out of service."""
        ...

    def reset(self, kind: ResetKind, evse: int | None) -> Request:
        """Restart the station or, in 2.x, one EVSE."""
        ...

    def get_configuration(self, keys: Sequence[str]) -> Request:
        """Read configuration."""
        ...

    def set_configuration(self, key: str, value: str) -> Request:
        """Write one configuration value."""
        ...

    def unlock(self, evse: int | None, connector: int) -> Request:
        """Unlock a connector."""
        ...

    def set_key(self, key: str) -> Request:
        """Give the station another key."""
        ...


class Answers(Protocol):
    """A version's `answers`."""

    def settings(self, payload: Mapping[str, Any]) -> tuple[Setting, ...]:
        """Return the configuration that the station tells."""
        ...

    def set_status(self, payload: Mapping[str, Any]) -> str:
        """Return how the station took a value."""
        ...


_REQUESTS: dict[OcppVersion, Requests] = {
    OcppVersion.V16: requests_16,
    OcppVersion.V201: requests_201,
    OcppVersion.V21: requests_21,
}
_ANSWERS: dict[OcppVersion, Answers] = {
    OcppVersion.V16: answers_16,
    OcppVersion.V201: answers_201,
    OcppVersion.V21: answers_21,
}

_WRITES = frozenset({"ChangeConfiguration", "SetVariables"})
_READS = frozenset({"GetConfiguration", "GetVariables"})
_DONE = frozenset({"Accepted", "Scheduled", "RebootRequired", "Unlocked"})
"""Source: the status enumerations of OCPP 1.6 §7 and OCPP 2.0.1 Part 2 for the actions of `Requests`."""


def requests_of(version: OcppVersion) -> Requests:
    """Return who words requests for this version."""
    return _REQUESTS[version]


def status_of(version: OcppVersion, action: str, payload: Mapping[str, Any]) -> str:
    """Return the one word of an answer that says how the station took the order; empty where it has none."""
    if action in _WRITES:
        return _ANSWERS[version].set_status(payload)
    status = payload.get("status")
    return status if isinstance(status, str) else ""


def settings_of(version: OcppVersion, action: str, payload: Mapping[str, Any]) -> tuple[Setting, ...]:
    """Return the configuration in an answer; nothing where the action asked for none."""
    return _ANSWERS[version].settings(payload) if action in _READS else ()


def done(status: str) -> bool:
    """Tell whether the station does what it was told, now or later; an answer without a status counts as done."""
    return status in _DONE or not status
