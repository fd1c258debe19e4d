"""Show operators the quirk profiles, and which of them apply to a station and why.

Pure; decides nothing. Before it: `csms.quirks`. After it: the command line, and whoever shows a station.
"""

from __future__ import annotations

from csms.events import StationRecord
from csms.quirk_profiles import PROFILES, QuirkProfile
from csms.quirk_settings import changes
from csms.quirks import Quirks, quirks_of_record


def profiles_shown() -> list[dict[str, object]]:
    """Return every profile, as one JSON object each, ordered by name."""
    return [_shown(profile) for profile in sorted(PROFILES, key=lambda profile: profile.name)]


def quirks_shown(quirks: Quirks) -> list[dict[str, object]]:
    """Return the profiles that apply to a station, each with `why`; see `csms.server.CentralSystem.quirks_of`."""
    return [{**_shown(applied.profile), "why": applied.why} for applied in quirks.applied]


def record_quirks_shown(record: StationRecord) -> list[dict[str, object]]:
    """Return the profiles that will apply to a station when it connects, each with `why`."""
    return quirks_shown(quirks_of_record(record))


def _shown(profile: QuirkProfile) -> dict[str, object]:
    return {
        "name": profile.name,
        "automatic": profile.automatic,
        "vendor": list(profile.vendor),
        "model": list(profile.model),
        "firmware": list(profile.firmware),
        "symptom": profile.symptom,
        "changes": [*changes(profile.settings)],
        "evidence": profile.evidence,
    }
