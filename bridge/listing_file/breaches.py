"""Say in the file's words what of an entry breaks the type that its hub gives it.

Never decides what is right: the type does, a pydantic model that converts nothing. Before it: `hubject`. After it:
the mistakes of the file.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from bridge.listing_file.entries import Entry
from bridge.listing_file.model import ListingError, shown

_LISTED = 6
"""Options of a field that an error lists whole; of more it names the nearest."""

_TYPES = {
    "string_type": "should be text in quotes",
    "bool_type": "should be true or false",
    "int_type": "should be a whole number",
    "float_type": "should be a number",
    "finite_number": "should be a number",
    "list_type": 'should be a list such as ["one", "two"]',
    "model_type": "should be a table",
}
_NAMES = {"string": "text in quotes", "boolean": "true or false", "integer": "a whole number", "number": "a number"}


def mistakes(entry: Entry, model: type[BaseModel], written_by_hub: Mapping[str, str]) -> list[ListingError]:
    """Return every breach of `model` by the entry's content.

    Args:
        entry: The entry, with the defaults under it.
        model: The hub's type; it must be strict.
        written_by_hub: Field that does not belong in the file → why.
    """
    try:
        model.model_validate(entry.content)
    except ValidationError as error:
        schema = model.model_json_schema()
        return [_mistake(entry, details, schema, written_by_hub) for details in error.errors(include_url=False)]
    return []


def _mistake(
    entry: Entry, details: ErrorDetails, schema: dict[str, Any], written_by_hub: Mapping[str, str]
) -> ListingError:
    path = details["loc"]
    value = "" if details["type"] == "missing" else shown(details["input"])
    return ListingError(entry.place(path), value, _wanted(details, schema, written_by_hub))


def _wanted(details: ErrorDetails, schema: dict[str, Any], written_by_hub: Mapping[str, str]) -> str:
    path, limits = details["loc"], details.get("ctx", {})
    match details["type"]:
        case "missing":
            return f"is missing: {_meant(_at(schema, path), schema)}"
        case "extra_forbidden":
            return _unknown(path, schema, written_by_hub)
        case "literal_error":
            return _one_of(details["input"], re.findall(r"'([^']*)'", limits["expected"]))
        case "value_error":
            return str(limits["error"])
        case "string_too_long":
            return f"should have at most {limits['max_length']} characters"
        case "string_too_short":
            return f"should have at least {_characters(limits['min_length'])}"
        case "too_short":
            return "should name at least one"
        case "greater_than_equal":
            return f"should be {limits['ge']} or more"
        case "less_than_equal":
            return f"should be at most {limits['le']}"
        case kind:
            return _TYPES.get(kind, details["msg"])


def _characters(number: int) -> str:
    return "1 character" if number == 1 else f"{number} characters"


def _one_of(value: object, options: list[str]) -> str:
    if not isinstance(value, str):
        return f"should be text in quotes, one of: {_quoted(options)}"
    near = get_close_matches(value, options, n=3, cutoff=0.5)
    if near and len(options) > _LISTED:
        return f"is unknown; nearest: {_quoted(near)}"
    return f"should be one of: {_quoted(options)}"


def _quoted(options: list[str]) -> str:
    return ", ".join(f'"{option}"' for option in options)


def _unknown(path: tuple[int | str, ...], schema: dict[str, Any], written_by_hub: Mapping[str, str]) -> str:
    name = str(path[-1])
    if name in written_by_hub:
        return written_by_hub[name]
    known = list(_at(schema, path[:-1]).get("properties", {}))
    near = get_close_matches(name, known, n=1, cutoff=0.7)
    return f"is no such field; did you mean {near[0]}?" if near else f"is no such field; there are: {', '.join(known)}"


def _at(schema: dict[str, Any], path: tuple[int | str, ...]) -> dict[str, Any]:
    """Return the JSON Schema of the value at `path`, references followed."""
    found = schema
    for part in path:
        found = found["items"] if isinstance(part, int) else found["properties"].get(part, {})
        found = _plain(found, schema)
    return found


def _plain(found: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    for option in found.get("anyOf", []):
        if option.get("type") != "null":
            found = option
    if "$ref" in found:
        return {**schema["$defs"][found["$ref"].rpartition("/")[2]], **{k: v for k, v in found.items() if k != "$ref"}}
    return found


def _meant(found: dict[str, Any], schema: dict[str, Any]) -> str:
    """Return what would be right where nothing stands."""
    match found:
        case {"enum": options}:
            return f"one of {_quoted(options)}"
        case {"type": "array", "items": items}:
            return f"a list of at least {_meant(_plain(items, schema), schema)}"
        case {"type": "object", "required": names}:
            return f"a table with {', '.join(names)}"
        case {"type": "object", "properties": names}:
            return f"a table with one of {', '.join(names)}"
        case {"examples": [example, *_]}:
            return f'text such as "{example}"'
        case _:
            return _NAMES.get(found.get("type", ""), "a value")
