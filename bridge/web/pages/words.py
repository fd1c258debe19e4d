"""Say in plain words what the interface says in its own: ages, durations, moments.

Pure. Before it: templates, which use these as filters. Never rounds up: "2 min ago" is at least two minutes.
"""

from __future__ import annotations

from datetime import UTC, datetime

from bridge.core.reasons import beside
from bridge.web.shapes import DeliveryItem

_STEPS = ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"))


def duration(seconds: float | None) -> str:
    """Return a span of time in its two largest units: "3 d 4 h", "12 s"; "–" where there is none."""
    if seconds is None:
        return "–"
    left = max(0, int(seconds))
    for index, (size, unit) in enumerate(_STEPS):
        if left >= size:
            count, rest = divmod(left, size)
            said = f"{count} {unit}"
            if index < 2 and (smaller := rest // _STEPS[index + 1][0]):
                said += f" {smaller} {_STEPS[index + 1][1]}"
            return said
    return "0 s"


def age(moment: datetime, now: datetime) -> str:
    """Return how long ago a moment is, or in how long it will be: "12 s ago", "in 3 h 5 min"; "now" within a second."""
    seconds = (now - moment).total_seconds()
    if abs(seconds) < 1:
        return "now"
    return f"{duration(seconds)} ago" if seconds > 0 else f"in {duration(-seconds)}"


def rfc3339(moment: datetime) -> str:
    """Return a moment as machines read it, in UTC, to the second."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def spelled(moment: datetime) -> str:
    """Return a moment as people read it, in UTC: "2026-11-20 12:00:00 UTC"."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def number(value: float) -> str:
    """Return a count with its thousands apart: "12 345", by a narrow space that does not break."""
    return f"{value:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")


def hub_says(item: DeliveryItem) -> str:
    """Return what there is to know of an EVSE at one hub, in a sentence."""
    parts = [f"should have {item.desired}"]
    if item.acked is None:
        parts.append("nothing acknowledged")
    elif item.acked != item.desired or item.state != "agreed":
        parts.append(f"acknowledged {item.acked}")
    if why := beside(item.why, item.http, item.code):
        parts.append(why)
    if item.http is not None:
        parts.append(f"last answer HTTP {item.http}{f' {item.code}' if item.code else ''}")
    return "; ".join(parts)
