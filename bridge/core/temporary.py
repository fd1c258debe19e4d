"""Read what somebody wants of a temporary status, check it, and tell which ones are in force.

Never reads a clock and never stores. Before it: `web` and `cli`, with texts. After it: `bridge.temporaries`, which
stores, and `effective`, which lets the ones in force replace the live status.

    TemporaryRefused
    ├── Impossible        a value that no temporary status can have; names its field
    │   └── NoMoment      of the right form, but the calendar does not have it
    ├── EvseUnknown       the inventory has no EVSE of this id, in any spelling
    ├── EvseAmbiguous     a spelling without separators that two EVSEs of the inventory share
    ├── Duplicate         the EVSE has exactly this temporary status already
    ├── TemporaryChanged  it is not as whoever orders the change has seen it
    └── TemporaryUnknown  no temporary status has this number

Source: docs/temporary.md; Spirii temporary-evse-statuses v2; RFC 3339 section 5.6 (date-time).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum
from typing import Final, TypeVar

from bridge.core.etags import etag_of
from bridge.core.identifiers import spelled_with_stars
from bridge.core.model import EvseId, Temporary, TemporaryKind

ENFORCEABLE: Final = (TemporaryKind.MAINTENANCE, TemporaryKind.COMMISSIONING, TemporaryKind.BLOCKED)
"""Kinds that may also make the EVSE inoperative at its station."""

WHY_RESERVED_IS_NOT: Final = "an EVSE that is unavailable at its station is not shown as reserved"

_KEPT_WHEN_OVER: Final = timedelta(days=1)
"""How long an ended one stays among those that are looked at: a clock that is set back revives it."""

_DATE_TIME: Final = re.compile(
    r"(\d{4})-(\d{2})-(\d{2})[Tt ](\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,12}))?(?:([Zz])|([+-])(\d{2}):([0-5]\d))?", re.ASCII
)
_LONGEST_SHOWN: Final = 256
_Key = TypeVar("_Key")


class Phase(StrEnum):
    """Where a temporary status is in its life."""

    SCHEDULED = "scheduled"
    ACTIVE = "active"
    OVER = "over"


# --- what may be wrong ----------------------------------------------------------------------------------------------


class TemporaryRefused(Exception):
    """An order about temporary statuses that cannot be carried out; its text is for whoever gave it."""


@dataclass
class Impossible(TemporaryRefused):
    """A value that no temporary status can have."""

    field: str
    """Name of the field as in `Temporary`: kind, valid_from, valid_to or enforce."""
    wanted: str
    """What would be right."""

    def __str__(self) -> str:
        """Return the text for whoever gave it."""
        return self.wanted


class NoMoment(Impossible):
    """A date and time of the right form that the calendar does not have, or not in UTC."""


@dataclass
class EvseUnknown(TemporaryRefused):
    """The inventory has no such EVSE."""

    spelling: str

    def __str__(self) -> str:
        """Return the text for whoever named it."""
        return f"there is no EVSE {self.spelling[:_LONGEST_SHOWN]!r} in the inventory"


@dataclass
class EvseAmbiguous(TemporaryRefused):
    """Two EVSEs of the inventory are equal without separators."""

    spelling: str
    ids: tuple[EvseId, ...]

    def __str__(self) -> str:
        """Return the text for whoever named it."""
        named = " and ".join(self.ids)
        return f"{self.spelling[:_LONGEST_SHOWN]!r} may be {named}: write it with its separators"


@dataclass
class Duplicate(TemporaryRefused):
    """The EVSE has exactly this temporary status already."""

    number: int

    def __str__(self) -> str:
        """Return the text for whoever asked for it."""
        return f"temporary status {self.number} is exactly this one: same EVSE, status, beginning and end"


class TemporaryChanged(TemporaryRefused):
    """It is not as whoever orders the change has seen it."""


@dataclass
class TemporaryUnknown(TemporaryRefused):
    """No temporary status has this number, or it was deleted."""

    number: int

    def __str__(self) -> str:
        """Return the text for whoever named it."""
        return f"there is no temporary status {self.number}"


# --- reading --------------------------------------------------------------------------------------------------------


def parse_kind(text: str) -> TemporaryKind:
    """Return the kind of this name, which is in capitals. Raises: Impossible."""
    try:
        return TemporaryKind(text)
    except ValueError as error:
        raise Impossible("kind", f"should be one of {', '.join(TemporaryKind)}") from error


def parse_moment(text: str, field: str) -> datetime:
    """Return an RFC 3339 date-time in UTC, cut to milliseconds. Raises: Impossible, which names `field`.

    A time without an offset is refused: nobody could tell whose noon it is.
    """
    found = _DATE_TIME.fullmatch(text.strip())
    if found is None:
        raise Impossible(field, "should be a date and time such as 2026-12-01T08:00:00Z or 2026-12-01T09:00:00+01:00")
    year, month, day, hour, minute, second, fraction, zulu, sign, hours, minutes = found.groups()
    if zulu is None and sign is None:
        raise Impossible(field, f"has no offset from UTC: write {text.strip()[:40]}Z, or +01:00 instead of Z")
    try:
        offset = timedelta(hours=int(hours or 0), minutes=int(minutes or 0)) * (-1 if sign == "-" else 1)
        moment = datetime(int(year), int(month), int(day), int(hour), int(minute), int(second), tzinfo=timezone(offset))
    except ValueError as error:
        raise _no_moment(field, text.strip()[:40]) from error
    return in_utc(moment + timedelta(milliseconds=int((fraction or "0")[:3].ljust(3, "0"))), field)


def in_utc(moment: datetime, field: str) -> datetime:
    """Return an aware moment in UTC, cut to milliseconds. Raises: Impossible, where UTC has no such year."""
    try:
        return in_milliseconds(moment.astimezone(UTC))
    except OverflowError as error:
        raise _no_moment(field, moment.isoformat()) from error


def _no_moment(field: str, text: str) -> NoMoment:
    return NoMoment(field, f"is no moment of the calendar up to the year 9999: {text}")


def to_wire(moment: datetime) -> str:
    """Return a moment in UTC with Z, with milliseconds only where there are any. Source: RFC 3339 section 5.6."""
    utc = moment.astimezone(UTC)
    return utc.isoformat(timespec="milliseconds" if utc.microsecond else "seconds").replace("+00:00", "Z")


def in_milliseconds(moment: datetime) -> datetime:
    """Return the moment cut to milliseconds, which is what the wire can say."""
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def check_new(wish: Temporary, now: datetime) -> None:
    """Check a temporary status that is to be created. Raises: Impossible."""
    check_changed(wish)
    if wish.valid_to is not None and wish.valid_to <= now:
        raise Impossible("valid_to", f"is over already: it is {to_wire(in_milliseconds(now))}")


def check_changed(wish: Temporary) -> None:
    """Check a temporary status after a change; its end may have passed, which ends it at once. Raises: Impossible."""
    if wish.valid_to is not None and wish.valid_to <= wish.valid_from:
        raise Impossible("valid_to", f"should be after the beginning, {to_wire(wish.valid_from)}")
    if wish.enforce and wish.kind not in ENFORCEABLE:
        raise Impossible("enforce", f"{wish.kind} cannot be enforced: {WHY_RESERVED_IS_NOT}")


def find_evse(spelling: str, candidates: Mapping[EvseId, _Key]) -> _Key:
    """Return the one of the EVSEs with this canonical id that is meant. Raises: EvseUnknown, EvseAmbiguous.

    Args:
        spelling: As somebody wrote it: `de*abc*e1`, `DEABCE1`, `DE.ABC.E1` or `DE-ABC-E1`.
        candidates: The inventory's EVSEs whose canonical id is `canonical_spelling(spelling)`.
    """
    exact = candidates.get(spelled_with_stars(spelling))
    if exact is not None:
        return exact
    if len(candidates) > 1:
        raise EvseAmbiguous(spelling, tuple(sorted(candidates)))
    for key in candidates.values():
        return key
    raise EvseUnknown(spelling)


# --- time -----------------------------------------------------------------------------------------------------------


def tag_of(temporary: Temporary) -> str:
    """Return the ETag of what an operator can change of it."""
    return etag_of(
        {"kind": temporary.kind, "from": temporary.valid_from, "to": temporary.valid_to, "enforce": temporary.enforce}
    )


def in_force(temporary: Temporary, now: datetime) -> bool:
    """Tell whether it replaces the live status now: from its beginning on, and no more at its end."""
    return temporary.valid_from <= now and (temporary.valid_to is None or now < temporary.valid_to)


def next_boundary(temporaries: Iterable[Temporary], now: datetime) -> datetime | None:
    """Return when one of them begins or ends next; None: never."""
    boundaries = (
        moment
        for temporary in temporaries
        if temporary.valid_to is None or temporary.valid_from < temporary.valid_to
        for moment in (temporary.valid_from, temporary.valid_to)
    )
    return min((moment for moment in boundaries if moment is not None and moment > now), default=None)


def phase(temporary: Temporary, now: datetime) -> Phase:
    """Return whether it is still to come, in force, or over."""
    if in_force(temporary, now):
        return Phase.ACTIVE
    return Phase.SCHEDULED if now < temporary.valid_from else Phase.OVER


def over_before(now: datetime) -> datetime:
    """Return the moment before which one must have ended to be looked at no more."""
    return now - _KEPT_WHEN_OVER


def same(one: Temporary, other: Temporary) -> bool:
    """Tell whether two of one EVSE are the same wish, whoever enforces it."""
    return (one.kind, one.valid_from, one.valid_to) == (other.kind, other.valid_from, other.valid_to)


def duplicate_of(wish: Temporary, others: Iterable[tuple[int, Temporary]], now: datetime) -> int | None:
    """Return the number of one that is this very wish and not over; None where there is none."""
    return next((n for n, other in others if same(wish, other) and phase(other, now) is not Phase.OVER), None)
