"""config/bridge.toml shows every key that exists, no other, and each default as it is."""

from __future__ import annotations

import re
import tomllib
from datetime import time, timedelta
from enum import Enum
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from bridge.settings import load_settings
from bridge.settings.fields import read_duration
from bridge.settings.keys import ACCOUNT_MODELS, known_keys

REFERENCE = Path(__file__).parents[2] / "config" / "bridge.toml"
_KEY = re.compile(r"^#(?=[a-z_]+ = |\[)")
_EXAMPLE = "  # example"


def _lines() -> list[str]:
    return [_KEY.sub("", line) for line in REFERENCE.read_text(encoding="utf-8").splitlines()]


def _flat(tree: dict[str, Any], prefix: tuple[str, ...] = ()) -> dict[tuple[str, ...], Any]:
    found: dict[tuple[str, ...], Any] = {}
    for name, value in tree.items():
        if isinstance(value, dict):
            found |= _flat(value, (*prefix, name))
        else:
            found[(*prefix, name)] = value
    return found


def _shown() -> dict[tuple[str, ...], Any]:
    return _flat(tomllib.loads("\n".join(_lines())))


def _examples() -> set[tuple[str, ...]]:
    return set(_flat(tomllib.loads("\n".join(line for line in _lines() if _EXAMPLE in line or line.startswith("[")))))


def _shape(key: tuple[str, ...]) -> tuple[str, ...]:
    if key[:2] == ("ocpp", "listeners"):
        return ("ocpp", "listeners", "*", *key[3:])
    return (key[0], "*", *key[2:]) if key[0] in ("accounts", "operators") else key


def _as_written(value: Any) -> Any:
    match value:
        case time():
            return value.strftime("%H:%M")
        case Enum():
            return value.value
        case Path() | ZoneInfo():
            return str(value)
        case tuple():
            return list(value)
        case _:
            return value


def test_every_key_is_in_the_reference() -> None:
    shown = {_shape(key) for key in _shown()}
    missing = {key for key in known_keys() if key not in shown and (*key[:3],) != ("accounts", "*", "map")}
    assert missing == set()


def test_every_key_of_each_kind_of_account_is_in_the_reference() -> None:
    tree = tomllib.loads("\n".join(_lines()))
    shown = {account["kind"]: set(account) for account in tree["accounts"].values()}
    assert shown == {kind: set(model.model_fields) for kind, model in ACCOUNT_MODELS.items()}


def test_every_key_of_the_reference_exists() -> None:
    shown = {_shape(key) for key in _shown() if _shape(key)[:3] != ("accounts", "*", "map")}
    assert shown - set(known_keys()) == set()


def test_every_default_in_the_reference_is_the_real_one() -> None:
    shown, examples = _shown(), _examples()
    kinds = {name: table["kind"] for name, table in tomllib.loads("\n".join(_lines()))["accounts"].items()}
    for key, value in shown.items():
        if key in examples:
            continue
        field = (
            ACCOUNT_MODELS[kinds[key[1]]].model_fields[key[2]] if key[0] == "accounts" else known_keys()[_shape(key)]
        )
        real = field.get_default(call_default_factory=True)
        expected = read_duration(value) if isinstance(real, timedelta) else value
        assert _as_written(real) == expected, ".".join(key)


def test_only_keys_without_a_default_are_examples() -> None:
    for key in _examples():
        field = known_keys().get(_shape(key))
        if field is not None and not field.is_required():
            assert field.get_default(call_default_factory=True) in (None, ()), ".".join(key)


def test_the_reference_can_be_used_as_it_is() -> None:
    assert load_settings(REFERENCE, {}) == load_settings(None, {})


def test_the_reference_with_every_line_in_use_has_only_missing_files_as_mistakes(tmp_path: Path) -> None:
    text = "\n".join(line for line in _lines() if "_file =" not in line)
    # One listener without a name and several with names exclude each other.
    text = text.replace('\nhost = "0.0.0.0"\nport = 9000\n', "\n", 1)
    for name in ("hubject.pem", "hubject.key", "hubject-ca.pem"):
        (tmp_path / name).write_text("", encoding="utf-8")
        text = text.replace(f"/etc/ocpp-bridge/{name}", str(tmp_path / name))
    text = text.replace('"/run/secrets"', f'"{tmp_path}"')
    file = tmp_path / "bridge.toml"
    file.write_text(text, encoding="utf-8")
    settings = load_settings(file, {})
    assert set(settings.accounts) == {"hubject", "chargeprice", "spirii"}
