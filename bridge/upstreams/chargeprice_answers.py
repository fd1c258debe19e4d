"""Judge Chargeprice's answers: one table for statuses, stations and companies.

Never decides what follows for a row: that is `bridge.core.reconcile`. Before it: `http`. After it: `chargeprice` and
`chargeprice_resources`. Source: Chargeprice API; the status endpoint's errors have no code, the others' have one.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from bridge.core.model import Accepted, Held, Outcome, Refused
from bridge.upstreams.http import cut, deferred, parse_object, without

VERSION_CONFLICT = "VERSION_CONFLICT"
"""A 409 with any other code is no matter of lock versions (users/settings answer ID_CONFLICT)."""

_NO_ROUTE = "NO_ROUTE_FOUND"


def judge(
    status: int, headers: Mapping[str, str], text: str, *, ids: Collection[str], now: datetime
) -> tuple[Outcome, str]:
    """Return what a reply means, and its error code ("" where it has none).

    Args:
        status: The HTTP status.
        headers: The reply's.
        text: The reply's body.
        ids: What names the one thing that was sent: left out of reasons, which are compared between rows.
        now: Wall time, for a Retry-After that is a date.
    """
    body = parse_object(text)
    code = _error_field(body, "code")[:64]
    why = f"HTTP {status}{_details(body, ids)}"
    if 200 <= status < 300:
        if text.strip() and (body is None or "errors" in body):
            return deferred(f"{why}: not proven to be accepted", status, headers, now, unclear=True), code
        return Accepted(), code
    match status:
        case 401 | 403:
            return Held(cut(why), perhaps_row=status == 403), code
        case 408 | 429:
            return deferred(why, status, headers, now), code
        case 404 if code == _NO_ROUTE:
            return Held(cut(f"{why} (base URL or API version is wrong)")), code
        case 400 | 404 if text.strip() and body is None:
            return Held(cut(f"{why}: answered by something before the service; is the base URL right?")), code
        case _ if 400 <= status < 500:
            return Refused(cut(why)), code
        case _:
            return deferred(why, status, headers, now), code


def _error_field(body: dict[str, Any] | None, name: str) -> str:
    errors = (body or {}).get("errors")
    first = errors[0] if isinstance(errors, list) and errors else None
    value = first.get(name) if isinstance(first, dict) else None
    return value if isinstance(value, str) else ""


def _details(body: dict[str, Any] | None, ids: Collection[str]) -> str:
    words = " ".join(part for part in (_error_field(body, "code"), _error_field(body, "title")) if part)
    words = without(words, ids)
    return f": {words}" if words else ""
