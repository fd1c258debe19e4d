"""Load the configuration: layers, references, validation; every mistake at once.

Never starts anything. Before it: `sources`. After it: `bridge.cli` and `bridge.app`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from bridge.settings.errors import ConfigurationErrors, Mistake
from bridge.settings.fields import LOOK_INTO_FILES
from bridge.settings.keys import ACCOUNT_MODELS
from bridge.settings.listeners import check_listeners
from bridge.settings.model import Settings
from bridge.settings.own_address import check_own_address
from bridge.settings.references import check_references, read_key_files
from bridge.settings.sources import Layers, read_layers, unknown_key

_SECRETS = ("api_key", "client_key_passphrase", "database_url")
_LONGEST_SHOWN = 256
_ONE_OF_THE_KINDS = "should be 'oicp', 'chargeprice' or 'spirii'"
_CREDENTIALS = re.compile(r"//[^/@\s]*@")
"""User and password in an address, which is never right and must not be shown."""

_PROBLEMS = {
    "model_type": "should be a table",
    "model_attributes_type": "should be a table",
    "dict_type": "should be a table",
    "string_type": "should be text in quotes",
    "bool_type": "should be true or false",
    "bool_parsing": "should be true or false",
    "tuple_type": 'should be a list such as ["one", "two"]',
    "path_type": "should be a path in quotes",
    "uuid_type": "should be a UUID such as 11111111-2222-3333-4444-555555555555",
    "uuid_parsing": "should be a UUID such as 11111111-2222-3333-4444-555555555555",
}
"""Our own words for pydantic's kinds of errors; what is not here keeps pydantic's."""


def load_settings(
    path: Path | None, environ: Mapping[str, str], *, certificates_at: datetime | None = None
) -> Settings:
    """Return the settings of a file (None: no file) under the variables of an environment.

    `certificates_at`: look into certificates and keys, too, as of that moment. None, as a command does that only asks
    a running bridge: a certificate that has ended must not stop an operator from asking.

    Raises:
        ConfigurationErrors: with every mistake, not only the first.
    """
    return settle(read_layers(path, environ), certificates_at=certificates_at)


def settle(layers: Layers, *, certificates_at: datetime | None = None) -> Settings:
    """Return the settings of layers that were read. Raises: ConfigurationErrors."""
    looks = certificates_at is not None
    read_key_files(layers, must_be_readable=looks)
    check_references(layers)
    check_own_address(layers)
    check_listeners(layers)
    if certificates_at is not None:
        from bridge.settings.certificates import check_certificates  # takes its time, and few commands need it
        from bridge.settings.listener_certificates import check_listeners_certificates

        check_certificates(layers, certificates_at)
        check_listeners_certificates(layers, certificates_at)
    settings = _validate(layers, looks=looks)
    if layers.mistakes or settings is None:
        raise ConfigurationErrors(dict.fromkeys(layers.mistakes))
    return settings


def _validate(layers: Layers, *, looks: bool) -> Settings | None:
    try:
        return Settings.model_validate(layers.tree, context={LOOK_INTO_FILES: looks})
    except ValidationError as error:
        layers.mistakes += [_mistake(details, layers) for details in error.errors(include_url=False)]
        return None


def _mistake(details: ErrorDetails, layers: Layers) -> Mistake:
    key = _key(details["loc"])
    value = None if key[-1] in _SECRETS else _shown(details["input"])
    problem = _PROBLEMS.get(details["type"])
    match details["type"]:
        case "extra_forbidden":
            value, problem = None, _unknown(key)
        case "missing":
            value, problem = None, _needed(key)
        case "union_tag_not_found" | "union_tag_invalid":
            key = (*key, "kind")
            value = _shown(layers.table(key[:-1]).get("kind"))
            problem = "is needed: oicp, chargeprice or spirii" if value is None else _ONE_OF_THE_KINDS
        case "value_error":
            problem = str(details["ctx"]["error"]) if "ctx" in details else details["msg"]
        case _:
            problem = problem or details["msg"].replace("Input should be", "should be")
    return Mistake(layers.source_of(key), _dotted(key), problem, value)


def _key(location: tuple[int | str, ...]) -> tuple[str, ...]:
    """Return a location as a key: without the union's tag, which pydantic names after the account."""
    parts = [str(part) for part in location if part != "[key]"]
    if len(parts) > 2 and parts[0] == "accounts" and parts[2] in ACCOUNT_MODELS:
        del parts[2]
    return tuple(parts)


def _dotted(key: tuple[str, ...]) -> str:
    return "".join(f"[{part}]" if part.isdecimal() and index else f".{part}" for index, part in enumerate(key)).lstrip(
        "."
    )


def _shown(value: Any) -> str | None:
    """Return a value as the file would have it; None for a table or list, which may hold anything."""
    if isinstance(value, dict | list) or value is None:
        return None
    text = json.dumps(value, ensure_ascii=False) if isinstance(value, str | int | float | bool) else str(value)
    text = _CREDENTIALS.sub("//…@", text)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"


def _unknown(key: tuple[str, ...]) -> str:
    return unknown_key(key) or "unknown key for an account of this kind"


def _needed(key: tuple[str, ...]) -> str:
    return "is needed, or api_key_file" if key[-1] == "api_key" else "is needed"
