"""Read a listing file as a whole: which sections there are, and nothing twice.

Never looks into an entry: `hubject` and `chargeprice` do. After it: `store.listings`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from typing import Any

from bridge.listing_file import chargeprice, hubject
from bridge.listing_file.model import Listing, ListingError, ListingInvalid

_SECTIONS = ("hubject", "chargeprice")


def parse_listing(content: bytes | str) -> Listing:
    """Return what the file says.

    Args:
        content: The file, TOML in UTF-8, with or without a byte order mark.

    Raises: ListingInvalid, which lists every mistake.
    """
    tree = _tree(content)
    errors = [
        ListingError(name, "", f"is no section; there are: {', '.join(_SECTIONS)}")
        for name in tree
        if name not in _SECTIONS
    ]
    warnings: list[str] = []
    evse_data = hubject.read_evses(_section(tree, "hubject", errors), errors, warnings)
    stations = chargeprice.read_stations(_section(tree, "chargeprice", errors), errors)
    if errors:
        raise ListingInvalid([*dict.fromkeys(errors)])
    return Listing(tuple(evse_data), tuple(stations), tuple(warnings))


def _tree(content: bytes | str) -> dict[str, Any]:
    try:
        text = content.decode("utf-8-sig") if isinstance(content, bytes) else content.removeprefix("\ufeff")
        return tomllib.loads(text)
    except UnicodeDecodeError as error:
        wanted = f"is not UTF-8 (byte {error.start}); save it as UTF-8"
        raise ListingInvalid([ListingError("", "", wanted)]) from error
    except tomllib.TOMLDecodeError as error:
        raise ListingInvalid([ListingError("", "", f"cannot be read as TOML: {error}")]) from error
    except RecursionError as error:
        raise ListingInvalid([ListingError("", "", "is nested too deeply")]) from error


def _section(tree: Mapping[str, Any], name: str, errors: list[ListingError]) -> dict[str, Any]:
    section = tree.get(name, {})
    if isinstance(section, dict):
        return section
    errors.append(ListingError(name, "", f"should be a table, for example [{name}.defaults]"))
    return {}
