"""Take a section of a listing file apart: the defaults, and the entries with the defaults under them.

Shared by `hubject` and `chargeprice`; knows no field of either.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bridge.listing_file.model import ListingError, merged, shown


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry, and where its values stand."""

    section: str
    """For example `hubject.evse`."""
    number: int
    """Counted from 1."""
    name: str
    """What names it; empty where it has no name."""
    own: Mapping[str, Any]
    content: dict[str, Any]
    """`own` over the section's defaults."""

    def place(self, path: tuple[str | int, ...] = ()) -> str:
        """Return where a value stands: in the defaults where the entry does not say it itself."""
        field = dotted(path)
        if path and _inside(self.content, path) and not _inside(self.own, path):
            return f"{self.section.partition('.')[0]}.defaults {field}"
        entry = f'{self.section} "{self.name}"' if self.name else f"{self.section} {self.number}"
        return f"{entry} {field}".rstrip()


def read_entries(
    section: str, noun: str, name_field: str, table: Mapping[str, Any], errors: list[ListingError]
) -> Iterator[Entry]:
    """Yield each `[[section.noun]]` over `[section.defaults]`; what is no such table is appended to `errors`."""
    errors += [
        ListingError(f"{section}.{name}", "", f"is unknown; there are: defaults, {noun}")
        for name in table
        if name not in ("defaults", noun)
    ]
    defaults, entries = table.get("defaults", {}), table.get(noun, [])
    if not isinstance(defaults, dict):
        errors.append(ListingError(f"{section}.defaults", shown(defaults), "should be a table"))
        defaults = {}
    if name_field in defaults:
        wanted = f"belongs to each [[{section}.{noun}]], not to the defaults"
        errors.append(ListingError(f"{section}.defaults {name_field}", shown(defaults[name_field]), wanted))
        defaults = {name: value for name, value in defaults.items() if name != name_field}
    if not isinstance(entries, list):
        errors.append(ListingError(f"{section}.{noun}", shown(entries), f"should be written [[{section}.{noun}]]"))
        entries = []
    for number, own in enumerate(entries, start=1):
        if not isinstance(own, dict):
            errors.append(ListingError(f"{section}.{noun} {number}", shown(own), "should be a table"))
            continue
        name = own.get(name_field, "")
        yield Entry(f"{section}.{noun}", number, name if isinstance(name, str) else "", own, merged(defaults, own))


def dotted(path: tuple[str | int, ...]) -> str:
    """Return a path as a file's reader writes it: `Address.City`, `Plugs[0]`."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).lstrip(".")


def _inside(content: object, path: tuple[str | int, ...]) -> bool:
    for part in path:
        match content:
            case dict() if part in content:
                content = content[part]
            case list() if isinstance(part, int) and part < len(content):
                content = content[part]
            case _:
                return False
    return True
