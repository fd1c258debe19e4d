"""Turn the text of one cell of the inventory file into its value, or say what its column wants.

Never looks at a second cell: that is for the `parser`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from bridge.core.identifiers import InvalidId, parse_evse_id
from bridge.core.model import EvseId, Layer0
from csms.events import OcppVersion, SecurityProfile, StationId

SHORTEST_KEY = 16
"""Bytes. A shorter one could be guessed from the store's fast hash, and from the network: see `weak_key`."""
_LONGEST_PING_S = 3600
_LONGEST_STATION_ID = 255


class Wrong(Exception):
    """A cell's text is not what its column wants; the argument says what is."""


def cell_parsers(
    operators: Collection[str], read_key_file: Callable[[str], bytes], quirks: Collection[str]
) -> dict[str, Callable[[str], Any]]:
    """Return for each column what turns a cell's text, stripped and not empty, into its value, or raises Wrong."""

    def operator(text: str) -> str:
        if text not in operators:
            raise Wrong(f"is no configured operator; configured: {', '.join(sorted(operators)) or 'none'}")
        return text

    def key_file(text: str) -> bytes:
        try:
            content = read_key_file(text)
        except OSError as error:
            raise Wrong(f"the file cannot be read ({error.strerror or type(error).__name__})") from error
        return _key(content.rstrip(b"\r\n"))

    return {
        "station": _station_id,
        "version": _version,
        "default_version": _version,
        "key": lambda text: _key(text.encode()),
        "key_file": key_file,
        "security": _security,
        "evse": _positive,
        "connector": _positive,
        "evse_id": _evse_id,
        "operator": operator,
        "weak_key": _boolean,
        "certificate_name": _certificate_name,
        "compression": _on_or_off,
        "ping_seconds": _ping_seconds,
        "quirks": lambda text: _quirks(text, quirks),
        "layer0": _layer0,
        "strict": _boolean,
        "chargeprice_station": str,
        "chargeprice_point": str,
        "spirii": _boolean,
    }


def _station_id(text: str) -> StationId:
    if len(text) > _LONGEST_STATION_ID or "/" in text or not text.isprintable():
        raise Wrong(f"must be at most {_LONGEST_STATION_ID} printable characters without /")
    return StationId(text)


def _version(text: str) -> OcppVersion:
    for version in OcppVersion:
        if text.casefold().removeprefix("ocpp") == version.value.removeprefix("ocpp"):
            return version
    raise Wrong("must be 1.6, 2.0.1 or 2.1")


def _key(key: bytes) -> bytes:
    if not key:
        raise Wrong("is empty")
    return key


def _security(text: str) -> SecurityProfile:
    match text:
        case "1" | "2" | "3":
            return SecurityProfile(int(text))
        case "0" | "insecure":
            return SecurityProfile.NONE
        case _:
            raise Wrong(
                "must be 1 (a key over HTTP Basic, the default), 2 (the same within TLS), 3 (a client certificate) "
                "or insecure (no proof at all)"
            )


def _certificate_name(text: str) -> str:
    if len(text) > _LONGEST_STATION_ID or not text.isprintable():
        raise Wrong(f"must be the common name of the client certificate, at most {_LONGEST_STATION_ID} characters")
    return text


def _on_or_off(text: str) -> bool:
    if text not in ("on", "off"):
        raise Wrong("must be on or off")
    return text == "on"


def _ping_seconds(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text[:5]) <= _LONGEST_PING_S):
        raise Wrong(f"must be a whole number of seconds, at most {_LONGEST_PING_S}; 0: no pings")
    return int(text)


def _quirks(text: str, known: Collection[str]) -> str:
    """Return the names in order, separated by blanks; empty where the automatic ones are switched off."""
    if text == "none":
        return ""
    names = set(text.split())
    if unknown := sorted(names - set(known)):
        raise Wrong(
            f"names no quirk profile: {' '.join(unknown)}; must be none, or names separated by blanks; known: "
            f"{', '.join(sorted(known)) or 'none'}"
        )
    return " ".join(sorted(names))


def _positive(text: str) -> int:
    # A database's INTEGER has 31 bits.
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:11]) < 2**31):
        raise Wrong("must be a whole number, 1 or more")
    return int(text)


def _evse_id(text: str) -> EvseId:
    try:
        return parse_evse_id(text)
    except InvalidId as error:
        raise Wrong(f"must be {error.wanted}") from error


def _layer0(text: str) -> Layer0:
    if text not in list(Layer0):
        raise Wrong(f"must be one of {', '.join(Layer0)}")
    return Layer0(text)


def _boolean(text: str) -> bool:
    if text not in ("true", "false"):
        raise Wrong("must be true or false")
    return text == "true"
