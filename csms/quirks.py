"""Choose the quirk profiles of one station: by what the inventory names, else by vendor, model and firmware.

Pure. Before it: `quirk_profiles` and `quirk_settings`. After it: `session`, at connect and after each BootNotification;
`admission`, which may offer no compression.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase

from csms.options import ServerOptions
from csms.quirk_profiles import PROFILES, QuirkProfile
from csms.quirk_settings import QuirkSettings, merged
from csms.records import StationRecord

_NAMED = "the inventory names it"
_OLD = timedelta(minutes=10)
_BEFORE_ANY_CLOCK = datetime(2015, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class AppliedQuirk:
    """One profile that applies to a station, and why."""

    profile: QuirkProfile
    why: str


@dataclass(frozen=True, slots=True)
class Quirks:
    """The profiles that apply to a station, ordered by name, and what they come to together."""

    applied: tuple[AppliedQuirk, ...] = ()
    settings: QuirkSettings = field(default_factory=QuirkSettings)


def profile_names(profiles: Sequence[QuirkProfile] = PROFILES) -> frozenset[str]:
    """Return the names that an inventory may use."""
    return frozenset(profile.name for profile in profiles)


def quirks_of(
    named: Iterable[str] | None,
    *,
    vendor: str,
    model: str,
    firmware: str,
    profiles: Sequence[QuirkProfile] = PROFILES,
) -> Quirks:
    """Return what applies to a station; a name that this release does not know counts for nothing.

    Args:
        named: The inventory's choice; empty: no profile at all; None: by the other three.
        vendor: Of the last BootNotification, as are `model` and `firmware`; all empty where it never booted.
        model: See `vendor`.
        firmware: See `vendor`.
        profiles: To choose from.
    """
    if named is not None:
        wanted = frozenset(named)
        chosen = [AppliedQuirk(profile, _NAMED) for profile in profiles if profile.name in wanted]
    else:
        device = f"vendor {vendor!r}, model {model!r}, firmware {firmware!r}"
        chosen = [AppliedQuirk(each, device) for each in profiles if _matches(each, vendor, model, firmware)]
    chosen.sort(key=lambda applied: applied.profile.name)
    return Quirks(tuple(chosen), merged(applied.profile.settings for applied in chosen))


def _matches(profile: QuirkProfile, vendor: str, model: str, firmware: str) -> bool:
    pairs = ((profile.vendor, vendor), (profile.model, model), (profile.firmware, firmware))
    return profile.automatic and all(
        any(fnmatchcase(text.strip().casefold(), pattern.casefold()) for pattern in patterns)
        for patterns, text in pairs
    )


def quirks_of_record(record: StationRecord) -> Quirks:
    """Return what applies to a station before it speaks."""
    return quirks_of(record.quirks, vendor=record.vendor, model=record.model, firmware=record.firmware or "")


def at_handshake(record: StationRecord) -> StationRecord:
    """Return the record with what the profiles decide before the upgrade; what the inventory says itself stands."""
    if record.compression is None and quirks_of_record(record).settings.no_compression:
        return replace(record, compression=False)
    return record


def adjusted(options: ServerOptions, settings: QuirkSettings) -> ServerOptions:
    """Return the server's options with the waits that this station needs; none becomes shorter."""
    return replace(
        options,
        first_call_wait=max(options.first_call_wait, settings.first_call_wait),
        settle=max(options.settle, settings.settle),
        settle_after_boot=max(options.settle_after_boot, settings.settle),
        trigger_timeout=max(options.trigger_timeout, settings.trigger_timeout),
        answer_timeout=max(options.answer_timeout, settings.trigger_timeout),
    )


def replayed(reported_at: str, now: datetime) -> bool:
    """Tell whether a status was reported long before it came, by a clock that was set.

    For stations with `QuirkSettings.replays` only: clocks in the field show local time, and an old time need not mean
    an old state (docs/hardware.md #53).
    """
    try:
        moment = datetime.fromisoformat(reported_at)
    except ValueError:
        return False
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return _BEFORE_ANY_CLOCK <= moment < now - _OLD
