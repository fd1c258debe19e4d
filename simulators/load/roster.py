"""Say which stations there are: a pattern of names with one key, or a CSV of names and keys.

Pure. Before it: `command`. After it: `crowd`. The bridge's own inventory CSV will do: one row per connector, of which
each station reports the first.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator

from simulators.load.options import Member, Version

_NAMES = ("station", "name", "id")
_SHOWN = 3


class RosterError(Exception):
    """The stations cannot be told from what was given."""


def from_pattern(pattern: str, count: int, key: str | None) -> list[Member]:
    """Return `count` stations, numbered from 0. Raises: RosterError where the pattern does not tell them apart."""
    try:
        names = [pattern.format(number) for number in range(count)]
    except (IndexError, KeyError, ValueError):
        raise RosterError(f"{pattern!r} is no pattern of one number, such as 'load-{{:05d}}'") from None
    if len(set(names)) < count:
        raise RosterError(f"{pattern!r} gives {count} stations the same name; write {{:05d}} where the number goes")
    return [Member(name, key) for name in names]


def from_csv(text: str, version: Version, count: int | None, key: str | None = None) -> list[Member]:
    """Return the first `count` stations of the file, or all; of those with a version, the ones of this version.

    Columns: station (or name), key; if there are any: version, evse, connector. `key` is of those without one.
    Raises: RosterError.
    """
    rows = csv.DictReader(text.splitlines())
    name_column = next((name for name in _NAMES if name in (rows.fieldnames or ())), None)
    if name_column is None:
        raise RosterError("the first line must name the columns: station and key, and perhaps evse and connector")
    members: dict[str, Member] = {}
    for member in _of_version(rows, name_column, version, key):
        members.setdefault(member.name, member)
    found = list(members.values())
    if not found:
        raise RosterError(f"the file has no station of OCPP {version}; choose with --ocpp")
    if count is not None and count > len(found):
        raise RosterError(f"the file has {len(found)} stations of OCPP {version}, not {count}")
    chosen = found[:count]
    if keyless := [member.name for member in chosen if not member.key]:
        listed = ", ".join(keyless[:_SHOWN])
        raise RosterError(f"{len(keyless)} stations have no key in the file, for example {listed}; or say --key")
    return chosen


def _of_version(rows: csv.DictReader[str], name_column: str, version: Version, key: str | None) -> Iterator[Member]:
    for row in rows:
        if row.get(name_column) and (row.get("version") or version) == version:
            yield Member(
                row[name_column].strip(), row.get("key") or key, _number(row, "evse"), _number(row, "connector")
            )


def _number(row: dict[str, str], column: str) -> int:
    """Return a number of the row; 1 where there is none, since a load needs one connector of each station."""
    text = row.get(column) or ""
    return int(text) if text.isascii() and text.isdigit() and int(text) > 0 else 1


def shares(members: list[Member], processes: int) -> list[list[Member]]:
    """Deal the stations out to processes."""
    return [members[first::processes] for first in range(processes)]
