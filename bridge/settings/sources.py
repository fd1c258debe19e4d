"""Read the configuration's layers: environment over secrets directory over file, and where each value is from.

Never validates a value: that is `model`. Before it: the disk and the environment. After it: `load`.

Written by hand because a mistake must name its source, and because a variable that means nothing must be a mistake;
pydantic-settings merges the layers without a trace and ignores such variables.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from bridge.settings.errors import Mistake
from bridge.settings.keys import known_keys, named_table, shape_of
from bridge.settings.model import Settings

PREFIX = "BRIDGE_"
CONFIG_VARIABLE = "BRIDGE_CONFIG"
"""Names the file itself; read by the command line, no key."""

_SEPARATOR = "__"

Tree = dict[str, Any]
Key = tuple[str, ...]


@dataclass(slots=True)
class Layers:
    """The merged tree, where each of its keys is from, and what went wrong on the way."""

    file: str
    tree: Tree = field(default_factory=dict)
    sources: dict[Key, str] = field(default_factory=dict)
    files: dict[Key, Path] = field(default_factory=dict)
    """The file of each key whose value is from the secrets directory."""
    mistakes: list[Mistake] = field(default_factory=list)

    def source_of(self, key: Key) -> str:
        """Return where a key's value is from, or for a missing key where its table is from."""
        for length in range(len(key), 0, -1):
            if (found := self.sources.get(key[:length])) is not None:
                return found
        return self.file

    def complain(self, key: Key, problem: str, value: str | None = None) -> None:
        """Note a mistake about a key."""
        self.mistakes.append(Mistake(self.source_of(key), ".".join(key), problem, value))

    def table(self, key: Key) -> Tree:
        """Return the table at a key; empty where there is none, or something else in its place."""
        found: Any = self.tree
        for part in key:
            found = found.get(part) if isinstance(found, dict) else None
        return found if isinstance(found, dict) else {}


def read_layers(path: Path | None, environ: Mapping[str, str]) -> Layers:
    """Return what file, secrets directory and environment say; the latter wins. What is wrong is in `mistakes`."""
    layers = Layers(str(path) if path is not None else "configuration")
    _read_file(path, layers)
    ours = {name: text for name, text in environ.items() if name.startswith(PREFIX) and name != CONFIG_VARIABLE}
    if (secrets_dir := ours.get("BRIDGE_SECRETS_DIR", layers.tree.get("secrets_dir"))) is not None:
        _read_secrets(Path(str(secrets_dir)), layers, required=True)
    else:
        _read_secrets(Settings.model_fields["secrets_dir"].default, layers, required=False)
    for name, text in sorted(ours.items()):
        _place(layers, name, text, f"environment variable {name}")
    return layers


def _read_file(path: Path | None, layers: Layers) -> None:
    if path is None:
        return
    try:
        layers.tree = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        layers.mistakes.append(Mistake(str(path), "", f"cannot be read: {(error.strerror or 'unknown').lower()}"))
    except UnicodeDecodeError:
        layers.mistakes.append(Mistake(str(path), "", "should be UTF-8 text"))
    except tomllib.TOMLDecodeError as error:
        layers.mistakes.append(Mistake(str(path), "", f"should be TOML: {error}"))


def _read_secrets(directory: Path, layers: Layers, required: bool) -> None:
    """Place every file whose name begins with BRIDGE_ (in any case); others in there belong to other programs."""
    try:
        files = [file for file in sorted(directory.iterdir()) if file.name.upper().startswith(PREFIX)]
    except OSError as error:
        if required:
            problem = f"should be a readable directory: {(error.strerror or 'unknown').lower()}"
            layers.mistakes.append(
                Mistake(layers.source_of(("secrets_dir",)), "secrets_dir", problem, f'"{directory}"')
            )
        return
    for file in files:
        try:
            text = file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "no UTF-8 text"
            layers.mistakes.append(
                Mistake(f"secret file {file}", "", f"cannot be read: {(reason or 'unknown').lower()}")
            )
        else:
            _place(layers, file.name.upper(), text, f"secret file {file}", file)


def _place(layers: Layers, name: str, text: str, source: str, file: Path | None = None) -> None:
    """Put one variable's text into the tree, or note why it has no place there."""
    key = tuple(name.removeprefix(PREFIX).lower().split(_SEPARATOR))
    if (problem := _no_place(layers, key)) is not None:
        layers.mistakes.append(Mistake(source, ".".join(key), problem))
        return
    parent = layers.tree
    for part in key[:-1]:
        parent = parent.setdefault(part, {})
    parent[key[-1]] = text
    layers.sources[key] = source
    layers.files.pop(key, None)
    if file is not None:
        layers.files[key] = file


def _no_place(layers: Layers, key: Key) -> str | None:
    """Return why a variable means nothing; None where it names a key."""
    place = named_table(key)
    if place and key[place] not in (tables := layers.table(key[:place])):
        names = ", ".join(tables) or "none"
        return f"there is no table [{'.'.join(key[: place + 1])}] in the file; there are: {names}"
    if (unknown := unknown_key(key)) is not None:
        return unknown
    for length in range(1, len(key)):
        if not isinstance(layers.table(key[: length - 1]).get(key[length - 1], {}), dict):
            return f"{'.'.join(key[:length])} should be a table"
    return None


def unknown_key(key: Key) -> str | None:
    """Return that a key does not exist, with the one that was probably meant; None where it exists."""
    shape, place = shape_of(key), named_table(key)
    known = known_keys()
    if shape in known or shape[:-1] == ("accounts", "*", "map"):
        return None
    names = {".".join(one[:length]) for one in known for length in range(1, len(one) + 1)}
    if (name := ".".join(shape)) in names:
        return "is a table: name one of its keys"
    near = get_close_matches(name, sorted(names), n=1)
    meant = f"; did you mean {near[0].replace('*', key[place] if place else 'NAME')}?" if near else ""
    return f"unknown key{meant}"
