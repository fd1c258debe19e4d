"""List every key that a configuration may have, from the models themselves.

Never reads a configuration. Used to check variables' names, to guess what was meant, and by the test that compares
the keys with config/bridge.toml.
"""

from __future__ import annotations

from functools import cache
from typing import get_args, get_origin

from pydantic.fields import FieldInfo

from bridge.settings.accounts import ChargepriceAccount, OicpAccount, SpiriiAccount
from bridge.settings.model import Settings
from bridge.settings.sections import OperatorTable, Section

ACCOUNT_MODELS: dict[str, type[Section]] = {
    "oicp": OicpAccount,
    "chargeprice": ChargepriceAccount,
    "spirii": SpiriiAccount,
}


NAMED: tuple[tuple[str, ...], ...] = (("accounts",), ("operators",), ("ocpp", "listeners"))
"""The tables whose own tables have names that an operator chose."""


def named_table(key: tuple[str, ...]) -> int:
    """Return where in a key such a name stands; 0: nowhere."""
    return next((len(table) for table in NAMED if key[: len(table)] == table and len(key) > len(table)), 0)


def shape_of(key: tuple[str, ...]) -> tuple[str, ...]:
    """Return a key with `*` in place of a chosen name."""
    place = named_table(key)
    return (*key[:place], "*", *key[place + 1 :]) if place else key


@cache
def known_keys() -> dict[tuple[str, ...], FieldInfo]:
    """Return every key with its field; `*` stands for the name of an account, an operator or a listener."""
    found: dict[tuple[str, ...], FieldInfo] = {}
    for name, field in Settings.model_fields.items():
        for prefix, model in _tables(name, field):
            found |= _keys_of(prefix, model)
        if not _tables(name, field):
            found[(name,)] = field
    return found


def _keys_of(prefix: tuple[str, ...], model: type[Section]) -> dict[tuple[str, ...], FieldInfo]:
    """Return the keys of a table, and of the tables in it."""
    found: dict[tuple[str, ...], FieldInfo] = {}
    for key, field in model.model_fields.items():
        inner = _section_of(field)
        name = (*prefix, key, "*") if get_origin(field.annotation) is dict else (*prefix, key)
        found |= {(*prefix, key): field} if inner is None else _keys_of(name, inner)
    return found


def _section_of(field: FieldInfo) -> type[Section] | None:
    """Return the model of the table that a key holds, optional or not; None for a plain value."""
    for kind in (field.annotation, *get_args(field.annotation)):
        if isinstance(kind, type) and issubclass(kind, Section):
            return kind
    return None


def _tables(name: str, field: FieldInfo) -> list[tuple[tuple[str, ...], type[Section]]]:
    """Return the models of the tables that a top-level key holds; none for a plain value."""
    if name == "accounts":
        return [(("accounts", "*"), model) for model in ACCOUNT_MODELS.values()]
    if name == "operators":
        return [(("operators", "*"), OperatorTable)]
    kind = _section_of(field)
    return [] if kind is None else [((name,), kind)]
