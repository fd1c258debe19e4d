"""Decide which stations are lost, which have returned, and which silent ones must be asked first.

Never reads a clock, never stores the declaration and never sends the question: the ticker does. Before it: what the
sessions noted as heard. After it: `facts.after_loss`, committed together with `station.unreachable_at`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from csms.events import StationId


@dataclass(frozen=True, slots=True)
class ReachabilityOptions:
    """What an operator may set."""

    offline_after: timedelta = timedelta(minutes=15)
    """Silence (no frame, no pong) after which a station is declared unreachable."""
    restart_grace: timedelta = timedelta(minutes=3)
    """What is at least left of `offline_after` when we start."""
    mass_offline_hold: timedelta = timedelta(minutes=30)
    """Silence after which a station is declared unreachable although the cause is likely ours."""
    mass_window: timedelta = timedelta(seconds=60)
    mass_minimum: int = 10
    """The mass guard needs at least so many stations."""
    ask_timeout: timedelta = timedelta(seconds=60)
    """How long a silent station with an open socket has to answer our question."""


@dataclass(frozen=True, slots=True)
class Presence:
    """What is known of one station's being there. All times are steady."""

    station: StationId
    heard_at: datetime
    """Last frame or pong; after a restart of ours, `resumed_heard_at`."""
    connected: bool
    """Its socket is open."""
    unreachable_at: datetime | None = None
    """When it was declared unreachable, and the declaration stands."""
    asked_at: datetime | None = None
    """When it was last asked because of its silence; counts only where it is not before `heard_at`."""
    held: bool = False
    """The last verdict named it in `held`."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What follows for the stations, in the order in which they were given."""

    lost: tuple[StationId, ...]
    """Declare these unreachable."""
    returned: tuple[StationId, ...]
    """These were heard after their declaration: withdraw it."""
    ask: tuple[StationId, ...]
    """Ask each of these once, and note `asked_at`."""
    mass: bool
    """Alarm: so many stations are silent at once that the cause is likely ours."""
    next_at: datetime | None
    """Steady time at which the passing of time alone changes the verdict; None: never."""
    held: tuple[StationId, ...] = ()
    """Lost but for the mass guard: give `Presence.held` with these next time."""

    @property
    def quiet(self) -> bool:
        """Nothing follows, and before `next_at` nothing will.

        Unless a station is new, one that is unreachable or was asked is heard, or the socket of one that was asked
        closes. Any other frame only puts off what would follow.
        """
        return not (self.lost or self.returned or self.ask or self.mass or self.held)


def resumed_heard_at(
    *,
    started: datetime,
    alive_at: datetime,
    heard_at: datetime,
    options: ReachabilityOptions,
    unreachable_at: datetime | None = None,
) -> datetime:
    """Return the `heard_at` with which a station's countdown resumes after our restart.

    Silence counts only while we listened: from `heard_at` to `alive_at`, our last sign of life before the restart.
    At least `restart_grace` remains. Store the result as the station's `heard_at`, so that a second restart does not
    count the time between the two processes. The grace is no sign of life: of a station that is declared unreachable
    (`unreachable_at`) and was not heard since, the result is not after the declaration. All times are steady.
    """
    silence = max(alive_at - heard_at, timedelta(0))
    most = max(options.offline_after - options.restart_grace, timedelta(0))
    resumed = started - min(silence, most)
    return resumed if unreachable_at is None or heard_at > unreachable_at else min(resumed, unreachable_at)


def judge(
    presences: Iterable[Presence], recent_losses: Sequence[datetime], steady: datetime, options: ReachabilityOptions
) -> Verdict:
    """Decide for all stations at once.

    Args:
        presences: Every station that was ever heard.
        recent_losses: Steady times of the declarations of the last `mass_window` or longer.
        steady: The monotonic clock.
        options: The limits.
    """
    known = list(presences)
    reachable = [presence for presence in known if presence.unreachable_at is None]
    overdue = [presence for presence in reachable if _due_at(presence, steady, options) <= steady]
    mass = bool(overdue) and _is_mass(reachable, recent_losses, steady, options)
    held = [presence for presence in overdue if _is_held(presence, mass, steady, options)]
    lost = [presence for presence in overdue if not _is_held(presence, mass, steady, options)]
    ask = [presence for presence in reachable if _must_ask(presence, steady, options)]
    return Verdict(
        lost=_names(lost),
        returned=_names(presence for presence in known if _has_returned(presence)),
        ask=_names(ask),
        mass=mass or bool(held),
        next_at=_next_at(reachable, held, steady, options),
        held=_names(held),
    )


def _names(presences: Iterable[Presence]) -> tuple[StationId, ...]:
    return tuple(presence.station for presence in presences)


def _has_returned(presence: Presence) -> bool:
    return presence.unreachable_at is not None and presence.heard_at > presence.unreachable_at


def _was_asked(presence: Presence) -> bool:
    return presence.asked_at is not None and presence.asked_at >= presence.heard_at


def _must_ask(presence: Presence, steady: datetime, options: ReachabilityOptions) -> bool:
    return presence.connected and not _was_asked(presence) and presence.heard_at + options.offline_after <= steady


def _due_at(presence: Presence, steady: datetime, options: ReachabilityOptions) -> datetime:
    """Return when the station will be lost if it stays silent, the question to an open socket included."""
    silent_at = presence.heard_at + options.offline_after
    if not presence.connected:
        return silent_at
    if presence.asked_at is not None and _was_asked(presence):
        return max(silent_at, presence.asked_at + options.ask_timeout)
    return max(silent_at, steady) + options.ask_timeout


def _is_mass(
    reachable: Sequence[Presence], recent_losses: Sequence[datetime], steady: datetime, options: ReachabilityOptions
) -> bool:
    """Tell whether more than half of the stations go within one window that holds this moment.

    A window counts those declared in it, those silent for too long by now (held or being asked included) and those
    that will be before it ends, so that the first of many is held, too. A quarter of `offline_after` bounds the look
    ahead: where it is set to seconds, a station that spoke just now is not about to be lost.
    """
    recent = [at for at in recent_losses if steady - options.mass_window < at <= steady]
    total = len(reachable) + len(recent)
    if total < options.mass_minimum:
        return False
    silent_at = [presence.heard_at + options.offline_after for presence in reachable]
    silent = sum(1 for at in silent_at if at <= steady)
    ahead = min(options.mass_window, options.offline_after / 4)
    soon = [at for at in silent_at if steady < at <= steady + ahead]
    most = max(
        sum(1 for at in recent if at >= start) + silent + sum(1 for at in soon if at <= start + options.mass_window)
        for start in {*recent, steady}
    )
    return 2 * most > total


def _is_held(presence: Presence, mass: bool, steady: datetime, options: ReachabilityOptions) -> bool:
    """Tell whether the guard holds an overdue station; one held stays so when others have already come back."""
    return (mass or presence.held) and steady - presence.heard_at < options.mass_offline_hold


def _next_at(
    reachable: Sequence[Presence], held: Sequence[Presence], steady: datetime, options: ReachabilityOptions
) -> datetime | None:
    times = [presence.heard_at + options.mass_offline_hold for presence in held]
    for presence in reachable:
        times += (presence.heard_at + options.offline_after, _due_at(presence, steady, options))
    return min((at for at in times if at > steady), default=None)
