"""Check what a temporary EVSE status may say, and tell what follows from the ones that there are.

Does no I/O and reads no clock. Before it: `spirii`, which judges requests. An entry is a mapping as the ledger keeps
it: `id, evseId, temporaryStatus, validFrom, validTo` (texts as on the wire, validTo None: until removed) and `made_by`,
the place of its maker's key in the list, or "others", which the wire never shows.
Source: Spirii API v2, temporary-evse-statuses. Which check is 400 and which 422 is not documented: here a body that
cannot be read (not JSON, a field unknown, missing or of another type) is 400, one that can be read but not be fulfilled
(no such status, no such moment, an end that is not after its start) is 422, and an exact duplicate 409.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

STATUSES = ("MAINTENANCE", "COMMISSIONING", "BLOCKED", "RESERVED")
OTHERS = "others"

_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z")


class Refused(Exception):
    """The request is answered with this error."""

    def __init__(self, status: int, code: str, message: str, param: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.param = param


def read_fields(
    raw: bytes, required: set[str], optional: set[str], nullable: frozenset[str] = frozenset()
) -> dict[str, Any]:
    """Return the fields of a body: strings, or null where that is allowed. Raises: Refused."""
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise Refused(400, "invalid_json", "The body is not JSON.") from error
    if not isinstance(body, dict):
        raise Refused(400, "invalid_json", "The body must be an object.")
    for name in sorted(required - set(body)):
        raise Refused(400, "missing_required_field", f"The field `{name}` is required.", name)
    for name, value in body.items():
        if name not in required | optional:
            raise Refused(400, "unknown_field", f"The field `{name[:50]}` is not one of this request.", name[:50])
        if not isinstance(value, str) and not (value is None and name in nullable):
            raise Refused(400, "invalid_type", f"The field `{name}` must be a string.", name)
    return body


def check_entry(entry: Mapping[str, Any]) -> None:
    """Check that the entry can be fulfilled. Raises: Refused."""
    if entry["temporaryStatus"] not in STATUSES:
        message = f"The field `temporaryStatus` must be one of {', '.join(STATUSES)}."
        raise Refused(422, "invalid_enum_value", message, "temporaryStatus")
    begin = read_moment(entry["validFrom"], "validFrom")
    if entry["validTo"] is not None and read_moment(entry["validTo"], "validTo") <= begin:
        raise Refused(422, "end_before_start", "The field `validTo` must be after `validFrom`.", "validTo")


def read_moment(text: str, param: str) -> datetime:
    """Return the moment of an ISO 8601 text in UTC with Z. Raises: Refused."""
    try:
        if _MOMENT.fullmatch(text) is None:
            raise ValueError
        return datetime.fromisoformat(text)
    except ValueError as error:
        message = f"The field `{param}` must be a moment such as 2025-04-23T10:00:00Z."
        raise Refused(422, "invalid_date", message, param) from error


def moment_text(moment: datetime) -> str:
    """Return a moment in UTC with Z, to the second, or to the millisecond where it has a fraction."""
    precision = "milliseconds" if moment.microsecond else "seconds"
    return moment.astimezone(UTC).isoformat(timespec=precision).replace("+00:00", "Z")


def is_active(entry: Mapping[str, Any], at: float) -> bool:
    """Tell whether the entry is in force at `at`, in seconds since 1970: its end no longer is."""
    moment = datetime.fromtimestamp(at, UTC)
    begun = datetime.fromisoformat(entry["validFrom"]) <= moment
    return begun and (entry["validTo"] is None or moment < datetime.fromisoformat(entry["validTo"]))


def is_same_wish(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Tell whether two entries say the same of the same EVSE."""
    return _wish(one) == _wish(other)


def canonical(evse_id: str) -> str:
    """Return the id without separators and case: Spirii's own pages write DK*SPI*E123*1 and DK.SPI.Z203*2."""
    return "".join(filter(str.isalnum, evse_id)).upper()


def on_the_wire(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return an entry as answers show it: who made it is hidden, and an end that is not set is left out."""
    names = ("id", "temporaryStatus", "evseId", "validFrom", "validTo")
    return {name: entry[name] for name in names if entry[name] is not None}


def _wish(entry: Mapping[str, Any]) -> tuple[str, str, datetime, datetime | None]:
    until = entry["validTo"]
    return (
        canonical(entry["evseId"]),
        entry["temporaryStatus"],
        datetime.fromisoformat(entry["validFrom"]),
        None if until is None else datetime.fromisoformat(until),
    )
