"""Say in plain words what explains an EVSE. Pure: moments in, sentences out.

Before it: `explanations`, which knows the facts. After it: people who read no manual.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from bridge.core.model import Charging, Fact
from bridge.core.next_steps import Next, NextStep

_MINUTE, _HOUR, _DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def moment(at: datetime, now: datetime) -> str:
    """Return a moment in UTC; with its date where that is not today's."""
    utc = at.astimezone(UTC)
    return f"{utc:%H:%M:%S} UTC" if utc.date() == now.astimezone(UTC).date() else f"{utc:%Y-%m-%d %H:%M:%S} UTC"


def ago(age: timedelta) -> str:
    """Return an age in the unit that fits."""
    if age < _MINUTE:
        return f"{max(age.total_seconds(), 0):.0f} s ago"
    if age < _HOUR:
        return f"{age // _MINUTE} min ago"
    if age < 2 * _DAY:
        return f"{age // _HOUR} h ago"
    return f"{age // _DAY} days ago"


def who(fact: Fact) -> str:
    """Name what a report is about."""
    if fact.connector:
        return f"connector {fact.connector} of EVSE {fact.evse}" if fact.evse else f"connector {fact.connector}"
    return f"EVSE {fact.evse} as a whole" if fact.evse else "the station as a whole"


def fact_doubt(fact: Fact, *, unreachable: bool) -> str:
    """Say why a report is in doubt; empty where it is not."""
    if unreachable:
        return "the station is declared unreachable since"
    if fact.boot_doubt:
        return "from before the station's boot, and not repeated yet"
    if fact.doubt:
        return "not confirmed since the station came back: it counts again once it reports, or was asked in vain"
    if fact.stale:
        return "last known, not confirmed since the reconnect; it counts as before"
    return ""


def charging_doubt(charging: Charging, *, unreachable: bool) -> str:
    """Say why a transaction is in doubt; empty where it is not."""
    if unreachable:
        return "the station is declared unreachable since"
    return "not confirmed since the station came back" if charging.doubt else ""


def next_text(step: NextStep, at: datetime | None, now: datetime) -> str:
    """Say what happens next with a delivery; `at` is the step's moment by the wall clock."""
    when = "" if at is None else moment(at, now)
    match step.what:
        case Next.OFF:
            return "The account is off: nothing is sent until it is enabled."
        case Next.DRY_RUN:
            return "The account is on a dry run: this would be sent, and is not."
        case Next.IN_FLIGHT:
            return f"A request is on its way since {when}; its answer is awaited."
        case Next.REFUSED:
            return f"The hub refuses it ({step.why}); it is tried again at {when}, or at once when its value changes."
        case Next.HELD:
            return f"The account is held ({step.why}); it is tried with one EVSE at a time, next at {when or 'once'}."
        case Next.PAUSED:
            return f"The hub failed lately: the account is paused until {when}."
        case Next.DEFERRED:
            return f"The last attempt failed: this EVSE is tried again at {when}."
        case Next.FULL_LOAD:
            return "It goes out with the fullLoad that the account is waiting for."
        case Next.DATA:
            return "It waits until the hub has taken the EVSE's data, which goes first."
        case Next.DUE:
            return "It is due now, and goes out as soon as those before it are sent."
        case Next.IN_DOUBT:
            return f"An answer was lost: the value is asserted once more at {when}, when that request can land no more."
        case Next.AGREED:
            return f"Nothing is to be sent; it is asserted again at {when}." if at else "Nothing is to be sent."
