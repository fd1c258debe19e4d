"""List every key that a configuration may have, from the models themselves.

Never reads a configuration. Used to check variables' names, to guess what was meant, and by the test that compares
the keys with config/bridge.toml.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from pydantic.fields import FieldInfo

from bridge.settings.accounts import ChargepriceAccount, OicpAccount, SpiriiAccount
from bridge.settings.model import Settings
from bridge.settings.sections import OperatorTable, Section

ACCOUNT_MODELS: dict[str, type[Section]] = {
    "oicp": OicpAccount,
    "chargeprice": ChargepriceAccount,
    "spirii": SpiriiAccount,
}


@cache
def known_keys() -> dict[tuple[str, ...], FieldInfo]:
    """Return every key with its field; `*` stands for the name of an account or operator."""
    found: dict[tuple[str, ...], FieldInfo] = {}
    for name, field in Settings.model_fields.items():
        for prefix, model in _tables(name, field):
            found |= {(*prefix, key): value for key, value in model.model_fields.items()}
        if not _tables(name, field):
            found[(name,)] = field
    return found


def _tables(name: str, field: FieldInfo) -> list[tuple[tuple[str, ...], type[Section]]]:
    """Return the models of the tables that a top-level key holds; none for a plain value."""
    kind: Any = field.annotation
    if name == "accounts":
        return [(("accounts", "*"), model) for model in ACCOUNT_MODELS.values()]
    if name == "operators":
        return [(("operators", "*"), OperatorTable)]
    return [((name,), kind)] if isinstance(kind, type) and issubclass(kind, Section) else []
