"""Say what one temporary status is at a hub that keeps a list of them, and tell which two say the same.

Never decides when it is sent: `documents` does. Before it: `bridge.documents.temporary`, with our temporary statuses,
and the hub's own list. After it: a document's content, and `upstreams.spirii`, which looks for what was lost.

Source: Spirii API v2, temporary-evse-statuses: evseId, temporaryStatus, validFrom, validTo.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from bridge.core.identifiers import canonical_spelling
from bridge.core.model import EvseId
from bridge.core.temporary import to_wire


@dataclass(frozen=True, slots=True)
class Mirrored:
    """A temporary status as hubs compare it: equal where both say the same, however they write it."""

    evse: str
    """EVSE id without separators, upper case."""
    kind: str
    valid_from: datetime
    valid_to: datetime | None
    """None: until it is removed."""


def fields_of(evse_id: EvseId, kind: str, valid_from: datetime, valid_to: datetime | None) -> dict[str, Any]:
    """Return the four fields; the beginning is always explicit, since a hub's "now" is not ours."""
    return {
        "evseId": evse_id,
        "temporaryStatus": kind,
        "validFrom": to_wire(valid_from),
        "validTo": None if valid_to is None else to_wire(valid_to),
    }


def read_content(content: str) -> Mirrored | None:
    """Return what a document's content says; None where it says nothing of this kind (a deletion, for one)."""
    try:
        fields = json.loads(content)
    except ValueError:
        return None
    return read_fields(fields) if isinstance(fields, dict) else None


def read_fields(fields: Mapping[str, Any]) -> Mirrored | None:
    """Return what four fields say, those of a hub's list too; None where one is missing or cannot be read."""
    evse_id, kind = fields.get("evseId"), fields.get("temporaryStatus")
    valid_from, valid_to = _read_moment(fields.get("validFrom")), _read_moment(fields.get("validTo"))
    if not isinstance(evse_id, str) or not isinstance(kind, str) or valid_from is None:
        return None
    if valid_to is None and fields.get("validTo") is not None:
        return None
    return Mirrored(canonical_spelling(evse_id), kind, valid_from, valid_to)


def says_the_same(one: str, other: str) -> bool:
    """Tell whether two contents mean the same, whatever the spelling of the id and the form of the moments."""
    if one == other:
        return True
    read = read_content(one)
    return read is not None and read == read_content(other)


def is_over(content: str, now: datetime) -> bool:
    """Tell whether a temporary status has ended by itself (wall time); what cannot be read has not."""
    read = read_content(content)
    return read is not None and read.valid_to is not None and read.valid_to <= now


def _read_moment(text: object) -> datetime | None:
    """Return a moment to the millisecond, which is as exact as we send it."""
    if not isinstance(text, str):
        return None
    try:
        moment = datetime.fromisoformat(text)
        utc = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return utc.replace(microsecond=utc.microsecond // 1000 * 1000)
