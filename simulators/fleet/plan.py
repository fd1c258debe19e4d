"""Plan a fleet: lay it out, and give its stations the security profiles and the quirks that were asked for.

Pure: the same plan always gives the same stations, so that the inventory and the fleet that runs agree. Before it:
`command`. After it: `layout`, which has the stations as they would be without anything wrong; `fleet`.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from simulators.fleet.layout import DEFAULT_VERSIONS, KEYED, ReportsBy, StationSpec, Version, layout
from simulators.fleet.quirks import Entry, Quirk

_HEX_KEYS = frozenset({Quirk.HEX_KEY, Quirk.RAW_KEY})
_NAMELESS = frozenset({Quirk.NO_SUBPROTOCOL, Quirk.EMPTY_SUBPROTOCOL})
_KEY_BYTES = 20
"""Source: OCPP 1.6 Security Whitepaper §7.2, AuthorizationKey of 16 to 20 bytes."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Which stations there are."""

    stations: int
    seed: int
    versions: tuple[Version, ...] = DEFAULT_VERSIONS
    security: tuple[int, ...] = (1,)
    """Security profiles, each station its next."""
    quirks: tuple[Entry, ...] = ()
    quirk_share: float = 1.0
    """Share of the stations that have a quirk, each quirk for itself; at least one station that can have it."""

    def specs(self) -> tuple[StationSpec, ...]:
        """Return the stations."""
        laid_out = layout(self.stations, self.seed, self.versions)
        secured = [
            replace(spec, security=self.security[index % len(self.security)]) for index, spec in enumerate(laid_out)
        ]
        given = self._given(secured)
        return tuple(
            _with_quirks(spec, frozenset(quirks), self.seed) for spec, quirks in zip(secured, given, strict=True)
        )

    def _given(self, specs: Sequence[StationSpec]) -> list[set[str]]:
        given: list[set[str]] = [set() for _ in specs]
        for rivals in _rivals(self.quirks):
            rng = random.Random(f"quirk:{self.seed}:{rivals[0].quirk}")
            free = [
                index
                for index in range(len(specs))
                if any(_fits(entry, specs[index], given[index]) for entry in rivals)
            ]
            lucky = [index for index in free if rng.random() < self.quirk_share]
            for turn, index in enumerate(lucky):
                able = [entry for entry in rivals if _fits(entry, specs[index], given[index])]
                given[index].add(able[turn % len(able)].quirk)
            _give_the_rest(rivals, [index for index in free if index not in lucky], specs, given)
        return given


def _rivals(entries: Sequence[Entry]) -> list[list[Entry]]:
    """Return the entries in groups of which a station can have one."""
    groups: dict[str, list[Entry]] = {}
    for entry in entries:
        groups.setdefault(entry.trait or entry.quirk, []).append(entry)
    return list(groups.values())


def _fits(entry: Entry, spec: StationSpec, has: Collection[str]) -> bool:
    keyed = entry.trait not in ("key", "new key") or spec.security in KEYED
    tells = not entry.in_status or spec.reports_by is ReportsBy.STATUS_NOTIFICATION
    return keyed and tells and spec.version in entry.versions and not _is_mute(entry, spec, has)


def _is_mute(entry: Entry, spec: StationSpec, has: Collection[str]) -> bool:
    """Say whether a station that neither boots nor answers could never be accepted: 1.6 goes on without a Boot."""
    return entry.quirk is Quirk.NO_BOOT and Quirk.HEARTBEAT_ONLY in has and spec.version is not Version.V16


def _give_the_rest(
    rivals: Sequence[Entry], left: Sequence[int], specs: Sequence[StationSpec], given: list[set[str]]
) -> None:
    """Give what nobody has by now to the first that can have it: who asks for a quirk wants to see it."""
    for entry in rivals:
        if any(entry.quirk in quirks for quirks in given):
            continue
        names = {rival.quirk for rival in rivals}
        able = (index for index in left if _fits(entry, specs[index], given[index]) and not given[index] & names)
        index = next(able, None)
        if index is not None:
            given[index].add(entry.quirk)


def _with_quirks(spec: StationSpec, quirks: frozenset[str], seed: int) -> StationSpec:
    """Return the station with these quirks; some show in its id or its key, and so in the inventory."""
    station = f"{spec.station} |*#{spec.version}" if Quirk.ODD_ID in quirks else spec.station
    key = _hex_key(seed, spec.station) if _HEX_KEYS & quirks else spec.key
    if Quirk.COLON_KEY in quirks:
        key = f"{key[:8]}:{key[8:16]}:{key[16:]}"
    return replace(spec, station=station, key=key, quirks=quirks, names_no_version=bool(_NAMELESS & quirks))


def _hex_key(seed: int, station: str) -> str:
    return hashlib.sha256(f"hex-key:{seed}:{station}".encode()).digest()[:_KEY_BYTES].hex()
