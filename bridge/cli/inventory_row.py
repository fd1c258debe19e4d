"""Read what people write of one EVSE or station of the inventory, and tell what has become different. No shell.

Never prints, and never takes a key from the command line itself. Before it: `row_edits`. After it: the services.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from bridge.cli.printable import harmless
from bridge.core.etags import ANYTHING, Condition, etag_of
from bridge.web.inventory_services import EditDone, EditWay, InventoryEdits
from bridge.web.inventory_shapes import (
    InventoryEvse,
    InventoryEvseChange,
    InventoryStation,
    InventoryStationChange,
)

Shown = InventoryEvse | InventoryStation
Change = InventoryEvseChange | InventoryStationChange
_ETAG = "etag"
_TAG = re.compile(r"[\x21\x23-\x7e]{1,128}")
_SECRET = frozenset({"key", "generate_key", "weak_key"})
"""Members of a change that have options of their own: a key in an argument could be read by others."""


class NoEdit(Exception):
    """What was written is no edit; the text says what would be right."""


@dataclass(frozen=True, slots=True)
class Row:
    """One EVSE, or one station with its EVSEs."""

    id: str
    is_station: bool

    async def read(self, edits: InventoryEdits) -> Shown:
        """Return what the inventory says of it. Raises: NotFound."""
        return await (edits.get_station(self.id) if self.is_station else edits.get_evse(self.id))

    async def change(self, edits: InventoryEdits, change: Change, way: EditWay) -> EditDone:
        """Change it. Raises: as `InventoryEdits`."""
        if isinstance(change, InventoryStationChange):
            return await edits.change_station(self.id, change, way)
        return await edits.change_evse(self.id, change, way)

    async def remove(self, edits: InventoryEdits, way: EditWay) -> EditDone:
        """Take it out. Raises: as `InventoryEdits`."""
        return await (edits.remove_station(self.id, way) if self.is_station else edits.remove_evse(self.id, way))


def condition_of(tag: str) -> Condition:
    """Return the condition that it is still what had this etag, in quotes or without; "*": whatever it is.

    Raises: NoEdit.
    """
    if tag == "*":
        return ANYTHING
    bare = tag.removeprefix('"').removesuffix('"')
    if _TAG.fullmatch(bare) is None:
        raise NoEdit("--if-match: should be an etag as `ocpp-bridge inventory show` prints it, or *")
    return Condition(tags=frozenset({f'"{bare}"'}))


def document_of(shown: Shown) -> dict[str, Any]:
    """Return what is shown as a document, its name first and last the etag by which an edit says what it has seen."""
    content = shown.model_dump(mode="json")
    name = "evse_id" if isinstance(shown, InventoryEvse) else "station"
    return {name: content[name]} | content | {_ETAG: etag_of(content).strip('"')}


def row_of_file(text: str) -> tuple[Row, dict[str, Any], str | None]:
    """Return which row a document of `document_of` is about, what it says of it, and the etag. Raises: NoEdit."""
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise NoEdit("--from: should be the JSON that `ocpp-bridge inventory show --json` prints") from error
    name = "evse_id" if isinstance(content, dict) and "evse_id" in content else "station"
    if not isinstance(content, dict) or not isinstance(content.get(name), str):
        raise NoEdit("--from: should have evse_id, or station and evses, as `ocpp-bridge inventory show --json` prints")
    tag = content.pop(_ETAG, None)
    if not isinstance(tag, str | None):
        raise NoEdit("--from: etag should be text, as `ocpp-bridge inventory show --json` prints it")
    return Row(str(content.pop(name)), name == "station"), content, tag


def change_of(row: Row, settings: Iterable[str], given: Mapping[str, Any], **key: object) -> Change:
    """Return the change that NAME=VALUE `settings`, members of a file and options about a `key` ask for.

    Raises: NoEdit.
    """
    wanted = {name: value for name, value in given.items() if (name, value) != ("version", None)}
    model = InventoryStationChange if row.is_station else InventoryEvseChange
    if taken := _SECRET & {*wanted, *(text.partition("=")[0] for text in settings)}:
        raise NoEdit(f"{min(taken)}: a key is given by --key-file or --generate-key, so that nobody can read it here")
    for text in settings:
        name, equals, value = text.partition("=")
        if not equals or name not in model.model_fields:
            raise NoEdit(f"--set {name}: should be NAME=VALUE; names are {', '.join(_names(model))}")
        wanted[name] = _value(model, name, value)
    wanted |= {name: value for name, value in key.items() if value}
    if not wanted:
        raise NoEdit(f"nothing is to be different: give --set NAME=VALUE; names are {', '.join(_names(model))}")
    return _made(model, wanted)


def differences(before: Shown, now: Shown) -> list[str]:
    """Return a line for each member that is different now."""
    was, is_ = before.model_dump(mode="json"), now.model_dump(mode="json")
    return [f"{name}: was {written(was[name])}, is {written(is_[name])}" for name in is_ if was[name] != is_[name]]


def differs_from(change: Change, now: Shown) -> list[str]:
    """Return a line for each member that a change would make different from what is there now."""
    wanted, is_ = change.model_dump(mode="json", exclude_unset=True), now.model_dump(mode="json")
    return [
        f"{name}: is {written(is_[name])}, you want {written(value)}"
        for name, value in wanted.items()
        if name in is_ and is_[name] != value
    ]


def written(value: object) -> str:
    """Return a member's value as `--set` takes it."""
    return harmless(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


def _names(model: type[Change]) -> list[str]:
    return [name for name in model.model_fields if name not in _SECRET]


def _value(model: type[Change], name: str, text: str) -> Any:
    """Return a value that fits: the text itself, or what it says as JSON."""
    for candidate in (text, *_json(text)):
        try:
            model.model_validate({name: candidate})
        except ValidationError:
            continue
        return candidate
    return text


def _json(text: str) -> list[Any]:
    try:
        return [json.loads(text)]
    except (ValueError, RecursionError):
        return []


def _made(model: type[Change], wanted: Mapping[str, Any]) -> Change:
    try:
        return model.model_validate(wanted)
    except ValidationError as error:
        mistakes = [f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors(include_input=False)]
        raise NoEdit("; ".join(mistakes)) from error
