"""Write docs/configuration.md from the settings' own models and the comments of config/bridge.toml.

Type, default and variable come from the models, so they cannot be wrong; the meaning is the comment above the key.
Before it: `bridge.settings`. After it: docs/configuration.md.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import time, timedelta
from enum import StrEnum
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import SecretStr, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from bridge.settings.keys import ACCOUNT_MODELS, known_keys, shape_of
from bridge.settings.shown import as_written

REFERENCE = Path(__file__).parents[2] / "config" / "bridge.toml"
_KEY = re.compile(r"#?([a-z_]+) = (.*)")
_TABLE = re.compile(r"#?\[([a-z_.]+)\]")
_EXAMPLE = "  # example"

_INTRODUCTION = """\
# Configuration

Every key, written by `make docs` from the models that check it and from the comments of
[config/bridge.toml](../config/bridge.toml); a test compares them. `ocpp-bridge init` writes a small file to begin with.

| question | answer |
|---|---|
| Which file? | `--config FILE`, else `$BRIDGE_CONFIG`, else `bridge.toml` in the current folder; none is needed |
| Which value counts? | environment over secrets directory over file over default |
| What is the variable of a key? | `BRIDGE_`, then the key in capitals, `__` for each dot; commas separate a list. \
`NAME` is the name that you gave the table: it must be in the file |
| How do I give a secret? | a file in `secrets_dir` whose name is the variable's, in any case; or a key `…_file` where \
there is one. Never an argument |
| What is wrong, and what counts? | `ocpp-bridge check-config` lists every mistake at once; `ocpp-bridge config show` \
shows each value and where it is from, secrets hidden |
| When does a change count? | at the next start; but certificates, keys and passphrases in files are read again while \
the bridge runs ([operations.md](operations.md#certificates-and-keys)) |

Durations are texts with a unit: `"500 ms"`, `"90 s"`, `"15 min"`, `"24 h"`, `"7 d"`. An unknown key or variable is a
mistake.

Most installations set `state_dir`, `ocpp.id_tags`, a listener with TLS, one account for each hub and one table for each
operator, and leave everything else as it is.
"""


@dataclass(frozen=True, slots=True)
class Described:
    """What config/bridge.toml says about one key."""

    key: tuple[str, ...]
    """With `*` in place of a name that an operator chose."""
    kind: str
    """Of an account; else empty."""
    meaning: str
    value: str
    example: bool


def described() -> list[Described]:
    """Return every key of the reference, in its order."""
    table: tuple[str, ...] = ()
    kinds = _kinds()
    comment: list[str] = []
    after_key = False
    found = []
    for line in REFERENCE.read_text(encoding="utf-8").splitlines():
        if (header := _TABLE.fullmatch(line)) is not None:
            table, after_key = tuple(header[1].split(".")), False
        elif (key := _KEY.fullmatch(line)) is not None and not line.startswith("# "):
            kind = kinds.get(table[1], "") if table[:1] == ("accounts",) else ""
            value = key[2].removesuffix(_EXAMPLE)
            meaning = " ".join(comment)
            one = Described(shape_of((*table, key[1])), kind, meaning, value, key[2].endswith(_EXAMPLE))
            if not any((other.key, other.kind) == (one.key, one.kind) for other in found):  # a second listener
                found.append(one)
            after_key = True
        elif line.startswith("# ---") or not line.strip("# "):
            comment = []
        elif line.startswith("# "):
            comment = [*([] if after_key else comment), line[2:]]
            after_key = False
    return found


def _kinds() -> dict[str, str]:
    lines = [line.removeprefix("#") for line in REFERENCE.read_text(encoding="utf-8").splitlines()]
    tables = "\n".join(line for line in lines if _TABLE.fullmatch(line) or line.startswith("kind ="))
    return {name: table["kind"] for name, table in tomllib.loads(tables)["accounts"].items()}


def field_of(one: Described) -> FieldInfo | None:
    """Return the model's field of a key; None for a table whose keys an operator chooses."""
    if one.kind and len(one.key) == 3:
        return ACCOUNT_MODELS[one.kind].model_fields[one.key[2]]
    return known_keys().get(one.key)


def document() -> str:
    """Return docs/configuration.md."""
    sections: dict[str, list[Described]] = {}
    for one in described():
        sections.setdefault(_section(one), []).append(one)
    return "\n".join([_INTRODUCTION, *(_table(name, keys) for name, keys in sections.items())])


def _section(one: Described) -> str:
    named = ["NAME" if part == "*" else part for part in one.key[:-1]]
    kind = f" of kind {one.kind}" if one.kind else ""
    return f"`[{'.'.join(named)}]`{kind}" if named else "At the top"


def _table(name: str, keys: list[Described]) -> str:
    rows = "\n".join(_row(one) for one in keys)
    return f"## {name}\n\n| key | takes | default | meaning |\n|---|---|---|---|\n{rows}\n"


def _row(one: Described) -> str:
    field = field_of(one)
    if field is None:
        return f"| `{one.key[-1]}` | a word of the hub | its own table | {_cell(one.meaning)} Example: `{one.value}` |"
    variable = "BRIDGE_" + "__".join("NAME" if part == "*" else part.upper() for part in one.key)
    example = f" Example: `{_cell(one.value)}`." if one.example else ""
    return f"| `{one.key[-1]}`<br>`{variable}` | {takes(field)} | {default_of(field)} | {_cell(one.meaning)}{example} |"


def default_of(field: FieldInfo) -> str:
    """Return a key's default as the file would have it."""
    if field.is_required():
        return "needed"
    value = as_written(field.get_default(call_default_factory=True))
    return "not set" if value is None else f"`{_cell(json.dumps(value, ensure_ascii=False))}`"


def takes(field: FieldInfo) -> str:
    """Return what a key takes, in the words in which the model itself would complain."""
    kinds = set(_plain(field.annotation))
    words = [word for kind in kinds if get_origin(kind) is Literal for word in get_args(kind)]
    words += [word.value for kind in kinds if isinstance(kind, type) and issubclass(kind, StrEnum) for word in kind]
    words = [word.removeprefix("ocpp") for word in words]
    listed = "list of " if any(get_origin(kind) is tuple for kind in kinds) or tuple in kinds else ""
    if words:
        return listed + _either(words)
    for kind, text in _TAKES.items():
        if kind in kinds:
            return listed + (f"{text}, {limits}" if (limits := _limits(field, kind)) else text)
    return listed + (_wanted(field, "\n") or "text")


_TAKES = {
    bool: "true or false",
    timedelta: "duration",
    int: "whole number",
    SecretStr: "secret",
    Path: "path",
    UUID: "UUID",
    ZoneInfo: "time zone, such as Europe/Berlin",
    time: "time of day",
}
_TOO_MUCH = {timedelta: timedelta.max, int: 10**12}


def _limits(field: FieldInfo, kind: type) -> str:
    """Return between what a value must be."""
    if kind not in _TOO_MUCH:
        return ""
    found = re.search(r"from (\S+(?: \w+)?) to (\S+(?: \w+)?)$", _wanted(field, _TOO_MUCH[kind]))
    return f"{found[1]} to {found[2]}" if found else ""


def _wanted(field: FieldInfo, wrong: object) -> str:
    """Return what the model says would be right instead of a wrong value."""
    whole: Any = Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation
    for value in (wrong, (wrong,)):
        try:
            TypeAdapter(whole).validate_python(value)
        except ValidationError as error:
            texts = [str(one["ctx"]["error"]) for one in error.errors() if "error" in one.get("ctx", {})]
            if texts:
                return _cell(texts[0].removeprefix("should be ").partition(", not ")[0])
    return ""


def _plain(annotation: Any) -> Iterator[Any]:
    """Give every type within an annotation."""
    yield annotation
    origin = get_origin(annotation)
    if origin is Annotated:
        yield from _plain(get_args(annotation)[0])
    elif origin in (Union, UnionType, tuple):
        for inner in get_args(annotation):
            yield from _plain(inner)


def _either(words: list[str]) -> str:
    shown = [f"`{word}`" for word in words]
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} or {shown[-1]}"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
