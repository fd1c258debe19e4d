"""Read a recorded conversation: the log of a station as JSON lines or as text, a corpus of frames, or a plain list.

Pure. Where a list does not say who sent a frame, its action and the ids tell. After it: `script`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Any


class Unreadable(ValueError):
    """The file is no recording; the text says what would be right."""


class Source(Enum):
    """What a line is about."""

    STATION = "station"
    CSMS = "csms"
    OPENED = "opened"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Line:
    """One frame, or the beginning or end of a connection."""

    source: Source
    text: str
    at: float | None = None
    """Unix time in seconds; None where the file has no times."""
    station: str | None = None
    version: str | None = None
    """Subprotocol, such as "ocpp1.6", where the line says it."""
    cut: bool = False
    """The text is only the frame's beginning."""


CALL, CALL_RESULT, CALL_ERROR = 2, 3, 4
_SOURCES = {
    "from_station": Source.STATION,
    "to_station": Source.CSMS,
    "opened": Source.OPENED,
    "closed": Source.CLOSED,
    "cp->cs": Source.STATION,
    "cs->cp": Source.CSMS,
    "<": Source.STATION,
    ">": Source.CSMS,
}
_TEXT_LINE = re.compile(r"(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d(?:\.\d{1,6})?)Z? ([<>*]) (.*)", re.DOTALL)
_CUT = re.compile(r" … \(\d+ bytes\)$")
_PICTURE = re.compile("[␀-␟␡]")
_VERSION = re.compile(r"ocpp\d[.\d]*")

# OCPP 1.6 §4 and security whitepaper §5; OCPP 2.0.1 and 2.1 Part 2: what a CSMS sends, of what has no equal the other
# way. DataTransfer goes both ways and counts as the station's.
_OF_CSMS = re.compile(
    "(Set|Clear|Remote|Send|Unlock|Reset|Reserve|Cancel|Trigger|ExtendedTrigger|Update|Change|Customer|Delete|Install"
    "|RequestSt|Cost|Publish|Unpublish|Adjust|Get|AFRR|Certificate|SignedUpdate|ChangeTransaction|Use"
    "|NotifyAllowed|RequestBattery).*"
)
_OF_STATION = re.compile("Cleared.*|Get15118.*|GetCertificate.*|PublishFirmwareStatus.*|ReservationStatus.*")


def read(text: str) -> list[Line]:
    """Return the lines of a recording. Raises: Unreadable."""
    lines = list(_guessed(_read(text)))
    if not any(line.source is Source.STATION for line in lines):
        raise Unreadable("should have at least one frame of a station")
    return lines


def message_of(text: str) -> list[Any] | None:
    """Return a frame's array; None where it is none, or no JSON."""
    try:
        message = json.loads(text, strict=False)
    except (ValueError, RecursionError):
        return None
    return message if isinstance(message, list) and message else None


def _read(text: str) -> Iterator[Line | str]:
    """Yield lines, and texts of frames of which nobody says who sent them."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        for each in text.split("\n"):
            if each.strip():
                yield _line(each.rstrip("\r"))
        return
    yield from _document(document)


def _document(document: Any) -> Iterator[Line | str]:
    match document:
        case {"items": list(items)}:  # an answer of the product's REST interface
            yield from map(_record, items)
        case dict():
            yield _record(document)
        case [list() | dict() | str(), *_]:
            for each in document:
                yield each if isinstance(each, str) else _record(each) if isinstance(each, dict) else _compact(each)
        case [int(), *_]:
            yield _compact(document)
        case _:
            raise Unreadable("should be lines of a station's log, or a list of frames")


def _line(text: str) -> Line | str:
    found = _TEXT_LINE.fullmatch(text)
    if found is not None:
        return _text_line(*found.groups())
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return _record(document) if isinstance(document, dict) else text


def _text_line(day: str, clock: str, mark: str, rest: str) -> Line:
    at = datetime.fromisoformat(f"{day} {clock}").replace(tzinfo=UTC).timestamp()
    if mark == "*":
        verb, _, text = rest.partition(" ")
        return Line(_source(verb), text, at, version=_version(text) if verb == "opened" else None)
    text, cuts = _CUT.subn("", rest)
    text = _PICTURE.sub(lambda found: "\x7f" if found[0] == "␡" else chr(ord(found[0]) - 0x2400), text)
    return Line(_SOURCES[mark], text, at, cut=cuts > 0)


def _record(record: dict[str, Any]) -> Line:
    """Return a line of `station log --json`, or of a corpus: its frame is text, raw or frame."""
    source = _source(record.get("direction"))
    text = next((record[name] for name in ("text", "raw", "frame") if record.get(name) is not None), None)
    if text is None:
        raise Unreadable(f"should have text, raw or frame: {json.dumps(record)[:256]}")
    if not isinstance(text, str):
        text = _compact(text)
    version = record.get("version")
    named = f"ocpp{str(version).removeprefix('ocpp')}" if version else None
    return Line(
        source,
        text,
        _moment(record.get("at")),
        record.get("station"),
        named or (_version(text) if source is Source.OPENED else None),
        cut=bool(record.get("cut")),
    )


def _source(word: object) -> Source:
    found = _SOURCES.get(word) if isinstance(word, str) else None
    if found is None:
        raise Unreadable(f"direction should be of {', '.join(_SOURCES)}, not {str(word)[:64]!r}")
    return found


def _moment(text: object) -> float | None:
    try:
        return None if text is None else datetime.fromisoformat(str(text)).timestamp()
    except ValueError as error:
        raise Unreadable(f"at should be a time such as 2026-11-20T12:00:00.123Z, not {str(text)[:64]!r}") from error


def _version(text: str) -> str | None:
    found = _VERSION.match(text)
    return None if found is None else found[0]


def _compact(frame: Any) -> str:
    return json.dumps(frame, separators=(",", ":"), ensure_ascii=False)


def _guessed(lines: Iterable[Line | str]) -> Iterator[Line]:
    """Say who sent each frame of a plain list: CALLs by their action, answers by whose CALL they answer."""
    asked: dict[Any, Source] = {}
    for each in lines:
        if isinstance(each, Line):
            yield each
            continue
        match message_of(each):
            case [2, str(id), str(action), *_] if _OF_CSMS.fullmatch(action) and not _OF_STATION.fullmatch(action):
                source = asked[id] = Source.CSMS
            case [2, str(id), *_]:
                source = asked[id] = Source.STATION
            case [3 | 4, str(id), *_] if asked.get(id) is Source.STATION:
                source = Source.CSMS
            case _:
                source = Source.STATION
        yield Line(source, each)
