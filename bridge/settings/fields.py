"""Read the values that a configuration is made of: durations, whole numbers, addresses, times of day.

Each reader raises ValueError with a text that says what would be right; it never names the key or the file.
"""

from __future__ import annotations

import ipaddress
import re
from datetime import time, timedelta
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BeforeValidator, ValidationInfo

from csms import events

_UNITS = {
    "ms": timedelta(milliseconds=1),
    "s": timedelta(seconds=1),
    "min": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
}
_DURATION = re.compile(r"\s*(\d{1,9}(?:\.\d{1,6})?)\s*(ms|s|min|h|d)?\s*", re.ASCII)
_TIME_OF_DAY = re.compile(r"([01]\d|2[0-3]):([0-5]\d)", re.ASCII)
_NOT_A_DURATION = (
    'should be a duration such as "90 s", "15 min" or "24 h" (units ms, s, min, h, d; a number is seconds)'
)


def read_duration(value: object) -> timedelta:
    """Return `value` ("15 min", "90 s", 90) as a duration. Raises: ValueError."""
    if isinstance(value, timedelta):
        return value
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError(_NOT_A_DURATION)
    found = _DURATION.fullmatch(str(value))
    if found is None:
        raise ValueError(_NOT_A_DURATION)
    return float(found[1]) * _UNITS[found[2] or "s"]


def between(minimum: str, maximum: str) -> AfterValidator:
    """Return a check that a duration lies between two, both included."""
    least, most = read_duration(minimum), read_duration(maximum)

    def check(duration: timedelta) -> timedelta:
        if not least <= duration <= most:
            raise ValueError(f"should be from {minimum} to {maximum}")
        return duration

    return AfterValidator(check)


def whole(minimum: int, maximum: int) -> BeforeValidator:
    """Return a reader of whole numbers between two, both included; digits in a text count (environment)."""

    def read(value: object) -> int:
        number = int(value) if isinstance(value, str) and re.fullmatch(r"-?\d{1,18}", value, re.ASCII) else value
        if isinstance(number, bool) or not isinstance(number, int) or not minimum <= number <= maximum:
            raise ValueError(f"should be a whole number from {minimum} to {maximum}")
        return number

    return BeforeValidator(read)


def matching(pattern: str, meaning: str) -> AfterValidator:
    """Return a check that a text matches a pattern as a whole; `meaning` says what would be right."""
    compiled = re.compile(pattern, re.ASCII)

    def check(text: str) -> str:
        if compiled.fullmatch(text) is None:
            raise ValueError(f"should be {meaning}")
        return text

    return AfterValidator(check)


def read_time_of_day(value: object) -> time:
    """Return "03:30" or TOML's own 03:30:00 as a time of day. Raises: ValueError."""
    if isinstance(value, time):
        return value
    found = _TIME_OF_DAY.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError('should be a time of day such as "03:30"')
    return time(int(found[1]), int(found[2]))


def read_time_zone(value: object) -> ZoneInfo:
    """Return a time zone by its IANA name. Raises: ValueError."""
    if isinstance(value, ZoneInfo):
        return value
    try:
        return ZoneInfo(value if isinstance(value, str) else "")
    except (ValueError, OSError, ZoneInfoNotFoundError) as error:
        raise ValueError('should be a time zone such as "Europe/Berlin"') from error


def read_list(value: object) -> object:
    """Split a text at its commas, as an environment variable gives a list; leave everything else."""
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return value


def is_loopback(host: str) -> bool:
    """Return whether an address can be reached from this machine alone."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def check_networks(networks: tuple[str, ...]) -> tuple[str, ...]:
    """Return networks as they are written. Raises: ValueError, which names the first that is none."""
    for network in networks:
        try:
            ipaddress.ip_network(network)
        except ValueError as error:
            raise ValueError(f"should be networks such as 10.0.0.0/8 or ::1, not {network[:64]!r}") from error
    return networks


def is_loopback_network(network: str) -> bool:
    """Return whether a network has no address that another machine could have."""
    return ipaddress.ip_network(network).is_loopback


def check_hub_url(url: str) -> str:
    """Return a hub's base address without its last slash. Raises: ValueError: neither https nor loopback."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        secure = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host))
        _ = parts.port
    except ValueError:
        host, secure = "", False
    if not host or not secure or re.search(r"\s", url):
        raise ValueError("should be an https:// address (http:// only for a loopback address)")
    if parts.username is not None or parts.query or parts.fragment:
        raise ValueError("should be an address without user, query or fragment")
    return url.rstrip("/")


def check_key(key: str) -> str:
    """Return a key that a header can carry. Raises: ValueError, without the key."""
    if not key or not key.isascii() or not key.isprintable() or " " in key:
        raise ValueError("should be the key alone: printable ASCII, no spaces")
    return key


def check_network(text: str) -> str:
    """Return an address or network of peers who are believed. Raises: ValueError, also where it names everybody."""
    wanted = 'an address or a network such as "10.0.0.1" or "192.168.0.0/24"'
    try:
        network = ipaddress.ip_network(text)
    except ValueError as error:
        raise ValueError(f"should be {wanted}") from error
    if network.prefixlen == 0:
        raise ValueError(f"would let anybody say who he is; should be {wanted}")
    return text


def read_ocpp_version(value: object) -> events.OcppVersion:
    """Return "1.6" as a version. Raises: ValueError."""
    for version in events.OcppVersion:
        if isinstance(value, str) and value.casefold().removeprefix("ocpp") == version.value.removeprefix("ocpp"):
            return version
    known = ", ".join(f'"{version.value.removeprefix("ocpp")}"' for version in events.OcppVersion)
    raise ValueError(f"should be one of {known}")


LOOK_INTO_FILES = "look into files"
"""Key of the validation's context: False for commands that only ask or order, and need none of the files."""


def check_readable(path: Path, info: ValidationInfo) -> Path:
    """Return the path of a file that can be opened, where files are looked into. Raises: ValueError."""
    if info.context is not None and not info.context[LOOK_INTO_FILES]:
        return path
    try:
        with path.open("rb"):
            return path
    except OSError as error:
        raise ValueError(f"should be a readable file: {(error.strerror or 'cannot be opened').lower()}") from error


Duration = Annotated[timedelta, BeforeValidator(read_duration)]
Port = Annotated[int, whole(0, 65535)]
TimeOfDay = Annotated[time, BeforeValidator(read_time_of_day)]
TextList = Annotated[tuple[str, ...], BeforeValidator(read_list)]
NetworkList = Annotated[tuple[str, ...], BeforeValidator(read_list), AfterValidator(check_networks)]
HubUrl = Annotated[str, AfterValidator(check_hub_url)]
OcppVersion = Annotated[events.OcppVersion, BeforeValidator(read_ocpp_version)]
HeaderName = Annotated[str, matching(r"[0-9A-Za-z!#$%&'*+.^_`|~-]{1,64}", "the name of an HTTP header")]
ReadableFile = Annotated[Path, AfterValidator(check_readable)]
FileList = Annotated[tuple[ReadableFile, ...], BeforeValidator(read_list)]
Host = Annotated[str, matching(r"[0-9A-Za-z.:_-]{1,253}", 'a host name or address such as "127.0.0.1"')]
