"""Read Spirii's replies: what they mean for a document, what its list holds, and when it may be asked again.

Pure; `now` is wall time. Before it: `spirii`, which sends.
Source: Spirii API, Errors (`error: {type, code, message, param, request_id}`) and Rate limits (X-RateLimit-Remaining,
X-RateLimit-Reset in seconds since 1970, Retry-After); seed 003 for an entry's fields; its list is a bare array. Fields
and codes that the pages do not name are taken as they come.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from bridge.core.documents import canonical_json
from bridge.core.mirror import fields_of, read_fields, says_the_same
from bridge.core.model import Deferred, EvseId, Held, Outcome, Refused
from bridge.upstreams.http import cut, deferred, header, parse_object, without
from bridge.upstreams.port import Entry

LONGEST_PAUSE_S = 15 * 60.0
"""However far away a reset is said to be, or our clock is wrong."""
_WINDOW_S = 60.0
"""Source: Spirii API, Rate limits: they count by the minute."""


def classify(
    status: int, headers: Mapping[str, str], text: str, ids: Collection[str], now: datetime
) -> tuple[Outcome, str, str]:
    """Return what a reply that is no success means, its code and its request_id ("" where it has none)."""
    body = parse_object(text)
    code, reference = _error_field(body, "code")[:64], _error_field(body, "request_id")[:64]
    why = f"HTTP {status}{details(text, ids)}"
    return _outcome(status, headers, text, why, now), code, reference


def _outcome(status: int, headers: Mapping[str, str], text: str, why: str, now: datetime) -> Outcome:
    match status:
        case 401 | 403:
            return Held(cut(why), perhaps_row=status == 403)
        case 429:
            limited = deferred(why, status, headers, now)
            return replace(limited, retry_after_s=_retry_after_s(limited, headers, now))
        case 408:
            return deferred(why, status, headers, now)
        case 400 | 404 if text.strip() and parse_object(text) is None:
            return Held(cut(f"{why}: answered by something before the service; is the base URL right?"))
        case _ if 400 <= status < 500:
            return Refused(cut(why))
        case _:
            return deferred(why, status, headers, now)


def _retry_after_s(limited: Deferred, headers: Mapping[str, str], now: datetime) -> float | None:
    if limited.retry_after_s is not None:
        return limited.retry_after_s
    return _reset_s(headers, now)


def pause_s(headers: Mapping[str, str], now: datetime) -> float:
    """Return how long to send nothing (seconds): until the reset where the reply says that nothing remains, else 0."""
    if header(headers, "x-ratelimit-remaining").strip() != "0":
        return 0.0
    reset = _reset_s(headers, now)
    return min(_WINDOW_S if reset is None else reset, LONGEST_PAUSE_S)


def _reset_s(headers: Mapping[str, str], now: datetime) -> float | None:
    text = header(headers, "x-ratelimit-reset").strip()
    if not (text.isascii() and text.isdecimal()):
        return None
    return max(0.0, float(text[:15]) - now.timestamp())


def details(text: str, ids: Collection[str]) -> str:
    """Return the hub's own words of an error, with `ids` left out; empty where it has none."""
    body = parse_object(text)
    words = " ".join(part for name in ("code", "message") if (part := _error_field(body, name)))
    param = _error_field(body, "param")
    return without(f"{f': {words}' if words else ''}{f' ({param})' if param else ''}", ids)


def _error_field(body: dict[str, Any] | None, name: str) -> str:
    error = (body or {}).get("error")
    value = error.get(name) if isinstance(error, dict) else None
    return value if isinstance(value, str) else ""


def proves_success(text: str) -> bool:
    """Tell whether the body of a 2xx is Spirii's: empty, or an object that is no error. A gateway's page is not."""
    body = parse_object(text)
    return not text.strip() or (body is not None and "error" not in body)


def id_of(text: str) -> str:
    """Return the id of the entry that a reply shows; empty where it shows none."""
    body = parse_object(text)
    return "" if body is None or "error" in body else _id(body)


def entries_of(text: str) -> tuple[Entry, ...] | None:
    """Return the entries of a list; None where it is none. An item without an id cannot be named and is left out."""
    try:
        items = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(items, list):
        return None
    return tuple(_entry(item) for item in items if isinstance(item, dict) and _id(item))


def _id(item: Mapping[str, Any]) -> str:
    value = item.get("id")
    if isinstance(value, bool) or not isinstance(value, int | str):
        return ""
    return str(value)


def _entry(item: Mapping[str, Any]) -> Entry:
    """Return an item of the list; one whose fields cannot be read is shown as it is, and matches nothing."""
    read = read_fields(item)
    valid_to = item.get("validTo")
    content = (
        "" if read is None else canonical_json(fields_of(EvseId(read.evse), read.kind, read.valid_from, read.valid_to))
    )
    return Entry(
        remote_id=_id(item),
        evse_id=_text(item.get("evseId")),
        kind=_text(item.get("temporaryStatus")),
        valid_from=_text(item.get("validFrom")),
        valid_to=valid_to if isinstance(valid_to, str) else None,
        content=content,
    )


def _text(value: object) -> str:
    return cut(value) if isinstance(value, str) else ""


# --- what is ours -----------------------------------------------------------------------------------------------------


def matching(entries: Sequence[Entry], lost: Sequence[str], foreign: Collection[str]) -> tuple[str, ...]:
    """Return the ids of entries that lost creations made, the newest first.

    Each creation made at most one: where more entries say the same than were sent, the older ones are not ours.
    """
    left = Counter({content: sum(says_the_same(content, other) for other in lost) for content in lost})
    found = []
    for entry in sorted(entries, key=_age):
        said = [content for content in left if entry.content and says_the_same(entry.content, content)]
        if not said or entry.remote_id in foreign or left[said[0]] == 0:
            continue
        left.subtract(said)
        found.append(entry.remote_id)
    return tuple(found)


def _age(entry: Entry) -> tuple[int, str]:
    """Order by id, the newest first; Spirii's ids are numbers that grow."""
    return (-int(entry.remote_id[:18]) if entry.remote_id.isdecimal() else 0, entry.remote_id)
