"""Hold what every version's `translate` shares: the two results, and a reader that is lenient and counts it.

Knows no action and no version. Before it: `frames`. Beside it: `v16.translate`, `v201.translate` and `v21.translate`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from msgspec import Struct

from csms.events import ReportedStatus, StationEvent
from csms.faults import Fault

MAX_ADDRESS: Final = 64
"""Highest EVSE or connector number taken: a station must not be able to make rows without bound."""

MAX_WORD: Final = 64
"""Longest timestamp and error code that is kept."""

MAX_TEXT: Final = 256
"""Longest other text that is kept."""

MAX_INTEGER: Final = 2**31 - 1
"""OCPP 2.0.1 Part 2, primitive data types: integers are 32 bit."""

Notes = dict[str, None]
"""Leniencies of one message in the order of their first use; a dict, since the same one counts once."""


class Translated(Struct, frozen=True):
    """The call was understood; `events` in the order in which they happened, perhaps none."""

    events: tuple[StationEvent, ...]
    notes: tuple[str, ...] = ()
    """Leniencies that were needed, for counting: a bounded set of labels like "status_lenient_type"."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """The call's meaning is unclear: answer it with this fault; the description shows nothing of the payload."""

    fault: Fault
    description: str


class Unclear(Exception):
    """A field without which the message means nothing is missing or makes no sense."""

    def __init__(self, fault: Fault, description: str) -> None:
        super().__init__(description)
        self.fault = fault
        self.description = description


_STATUSES = {status.value: status for status in ReportedStatus}
_FOLDED_STATUSES = {status.value.casefold(): status for status in ReportedStatus}


class PayloadReader:
    """Reads the fields of one JSON object, however carelessly written, and notes each leniency.

    `subject` begins every note, `known` are the fields of the schema: other keys that differ from them in nothing but
    case are read as them, the rest is dropped.
    """

    __slots__ = ("_fields", "_subject", "notes")

    def __init__(self, subject: str, payload: Mapping[str, Any], known: frozenset[str], notes: Notes) -> None:
        self._subject = subject
        self.notes = notes
        self._fields = payload if payload.keys() <= known else self._renamed(payload, known)

    def _renamed(self, payload: Mapping[str, Any], known: frozenset[str]) -> Mapping[str, Any]:
        fields = {name: value for name, value in payload.items() if name in known}
        folded = {name.casefold(): name for name in known - fields.keys()}
        for key, value in payload.items():
            if key in fields:
                continue
            name = folded.get(key.strip().casefold())
            if name is None:
                self.note("extra")
            else:
                fields[name] = value
                self.note("key")
        return fields

    def note(self, what: str) -> None:
        """Count one leniency; the same one counts once per message."""
        self.notes[f"{self._subject}_lenient_{what}"] = None

    def value(self, name: str) -> Any:
        """Return the field as sent, or None where it is absent."""
        return self._fields.get(name)

    def object(self, name: str, known: frozenset[str]) -> PayloadReader:
        """Return a reader of a field that is an object; of an empty one where it is absent or something else."""
        value = self._fields.get(name)
        if type(value) is not dict:
            self.note("missing" if value is None else "type")
            value = {}
        return PayloadReader(self._subject, value, known, self.notes)

    def text(self, name: str, limit: int = MAX_TEXT, *, required: bool = False) -> str:
        """Return a text without control characters, cut at `limit`; empty where it is absent."""
        value = self._fields.get(name)
        if type(value) is str:
            if len(value) <= limit and value.isprintable():
                return value
            self.note("text")
            return clean(value, limit)
        if value is None:
            if required:
                self.note("missing")
            return ""
        self.note("type")
        return clean(str(value), limit) if isinstance(value, int | float) else ""

    def number(self, name: str, most: int) -> int:
        """Return an integer of 0 to `most`; digits in a string and whole fractions are taken.

        Raises: Unclear.
        """
        value = self._fields.get(name)
        if type(value) is not int:
            if value is None:
                raise Unclear(Fault.MISSING_FIELD, f"{name} is missing")
            value = _integer(value)
            if value is None:
                raise Unclear(Fault.TYPE_CONSTRAINT, f"{name} is not an integer")
            self.note("type")
        if not 0 <= value <= most:
            raise Unclear(Fault.PROPERTY_CONSTRAINT, f"{name} is not within 0 to {most}")
        return value

    def status(self, name: str, allowed: frozenset[ReportedStatus]) -> ReportedStatus:
        """Return a status word; another version's word and another case are taken.

        Raises: Unclear.
        """
        value = self._fields.get(name)
        if type(value) is not str:
            if value is None:
                raise Unclear(Fault.MISSING_FIELD, f"{name} is missing")
            raise Unclear(Fault.TYPE_CONSTRAINT, f"{name} is not a string")
        status = _STATUSES.get(value)
        if status is None:
            status = _FOLDED_STATUSES.get(value.strip().casefold())
            if status is None:
                raise Unclear(Fault.PROPERTY_CONSTRAINT, f"{name} is not a status")
            self.note("case")
        if status not in allowed:
            self.note("word")
        return status


def _integer(value: object) -> int | None:
    """Read what a careless sender makes of an integer: "1", " 1 ", "-1" or 1.0; never a boolean."""
    if type(value) is float:
        return int(value) if value.is_integer() else None
    if type(value) is not str:
        return None
    text = value.strip()
    digits = text.removeprefix("-")
    return int(text) if digits.isascii() and digits.isdigit() and len(digits) <= 20 else None


def clean(text: str, limit: int) -> str:
    """Return the text in one printable line, cut at `limit`.

    Control characters, unpaired surrogates and the marks that turn the direction of writing become a blank: PostgreSQL
    takes no NUL, UTF-8 no surrogate, and a log no second line.
    """
    return "".join(character if character.isprintable() else " " for character in text[:limit]).strip()
