"""Show the configuration that counts: every key with its value, and where that is from. Secrets are never shown.

Never decides which layer wins: that is `sources`. Before it: `sources` and `load`. After it: `ocpp-bridge config show`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import time, timedelta
from enum import Enum
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from bridge.settings.load import settle
from bridge.settings.sections import Section
from bridge.settings.sources import Key, Layers, read_layers

HIDDEN = "***"
DEFAULT = "default"
_PERSONAL = ("id_tag_list",)
"""What lets somebody charge is as good as a secret."""
_UNITS = (
    ("d", timedelta(days=1)),
    ("h", timedelta(hours=1)),
    ("min", timedelta(minutes=1)),
    ("s", timedelta(seconds=1)),
    ("ms", timedelta(milliseconds=1)),
)


@dataclass(frozen=True, slots=True)
class ShownValue:
    """One key as it counts."""

    key: str
    value: object
    """As the file would have it; None: not set; `***`: there is one, and it is not shown."""
    source: str
    """The file, the variable or the secret's file that it is from; or `default`."""


def effective_values(path: Path | None, environ: Mapping[str, str]) -> tuple[ShownValue, ...]:
    """Return every key of the configuration as it counts. Raises: ConfigurationErrors."""
    layers = read_layers(path, environ)
    return tuple(_values(settle(layers), (), layers))


def as_written(value: object) -> object:
    """Return a value as the file would have it: a duration as "15 min", a list as a list."""
    match value:
        case SecretStr():
            return HIDDEN
        case timedelta():
            return _duration(value)
        case time():
            return value.strftime("%H:%M")
        case Enum():
            return value.value
        case tuple():
            return [as_written(part) for part in value]
        case None | bool() | int() | float():
            return value
        case _:
            return str(value)


def _duration(value: timedelta) -> str:
    """Return it in the largest unit of which it is a whole number."""
    for name, unit in _UNITS:
        if value >= unit and value % unit == timedelta(0):
            return f"{value // unit} {name}"
    return f"{value.total_seconds():g} s"


def _values(table: Section, prefix: Key, layers: Layers) -> Iterator[ShownValue]:
    for name in type(table).model_fields:
        yield from _value((*prefix, name), getattr(table, name), layers)


def _value(key: Key, value: Any, layers: Layers) -> Iterator[ShownValue]:
    if isinstance(value, Section):
        yield from _values(value, key, layers)
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from _value((*key, name), inner, layers)
    else:
        shown = HIDDEN if value and key[-1] in _PERSONAL else as_written(value)
        yield ShownValue(".".join(key), shown, _source(key, layers))


def _source(key: Key, layers: Layers) -> str:
    if (source := layers.sources.get(key)) is not None:
        return source
    if (file := layers.files.get((*key[:-1], key[-1].removesuffix("_file")))) is not None:
        return f"secret file {file}"
    return layers.file if key[-1] in layers.table(key[:-1]) else DEFAULT
