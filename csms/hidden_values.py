"""Hide the values of keys and passwords in payloads. After it: `secret_names`, which knows their names.

Pure, and total for any JSON. Used wherever a payload leaves for an operator or a log.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from csms.secret_names import sets_secret

HIDDEN = "***"

_VALUES = frozenset({"value", "attributeValue"})


def hide(payload: Any) -> Any:
    """Return a copy in which every value that stands beside the name of a secret is replaced.

    The name is `key` (1.6), or `variable.name` (2.x); also a member that is itself named like a secret, wherever it is.
    """
    match payload:
        case dict():
            secret = _names_secret(payload)
            return {name: _shown(name, value, secret) for name, value in payload.items()}
        case list():
            return [hide(each) for each in payload]
        case _:
            return payload


def names_secret_write(action: str, payload: Mapping[str, Any]) -> bool:
    """Tell whether a request would change the key that the station logs in with."""
    match action:
        case "ChangeConfiguration":
            return _folded(payload.get("key")) == "authorizationkey"
        case "SetVariables":
            data = payload.get("setVariableData")
            entries = data if isinstance(data, list) else []
            return any(_folded(_variable(each)) == "basicauthpassword" for each in entries)
        case "SetNetworkProfile":
            # OCPP 2.1 Part 2, NetworkConnectionProfileType.basicAuthPassword.
            connection = payload.get("connectionData")
            return isinstance(connection, dict) and connection.get("basicAuthPassword") is not None
        case _:
            return False


def _shown(name: str, value: Any, secret: bool) -> Any:
    if name in _VALUES and secret and value is not None:
        return HIDDEN
    # `key` itself is the name of a 1.6 configuration key, and no value.
    if name != "key" and sets_secret(name) and isinstance(value, str | int | float):
        return HIDDEN
    return hide(value)


def _names_secret(entry: Mapping[str, Any]) -> bool:
    names = (entry.get("key"), _variable(entry))
    return any(isinstance(name, str) and sets_secret(name) for name in names)


def _variable(entry: object) -> object:
    variable = entry.get("variable") if isinstance(entry, dict) else None
    return variable.get("name") if isinstance(variable, dict) else None


def _folded(name: object) -> str:
    return name.strip().casefold() if isinstance(name, str) else ""
