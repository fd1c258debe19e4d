"""Check what no single key can tell: names that must exist, identities that must differ, keys that need each other.

Works on the merged tree before it is validated, so that these mistakes show beside all others; it skips whatever has
the wrong type, since that is a mistake of its own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from bridge.core.mapping import ImpossibleWord, mapping_for
from bridge.settings.fields import read_list
from bridge.settings.keys import ACCOUNT_MODELS
from bridge.settings.sources import Layers

_NAME = re.compile(r"[a-z0-9]+(_[a-z0-9]+)*", re.ASCII)
_SECRET_OF = {"chargeprice": "api_key", "oicp": "client_key_passphrase", "spirii": "api_key"}
"""The secret that an account of each kind has, directly or in the file of its key `…_file`."""

UNREADABLE = "unreadable"
"""Stands for a secret whose file cannot be read, so that no second mistake says that it is missing."""


def read_key_files(layers: Layers, *, must_be_readable: bool = True) -> None:
    """Put the content of each `…_file` in place as the secret itself, or note why it cannot be.

    A secret from the secrets directory gets its file's name instead: either may change while the bridge runs.
    `must_be_readable` False: a command needs no secret that only the running bridge uses.
    """
    for name, account in tables(layers, "accounts"):
        kind = account.get("kind")
        if isinstance(kind, str) and kind in _SECRET_OF:
            _read_key_file(layers, name, account, _SECRET_OF[kind], must_be_readable)


def _read_key_file(layers: Layers, name: str, account: dict[str, Any], secret: str, must_be_readable: bool) -> None:
    key = ("accounts", name, f"{secret}_file")
    file = account.get(key[-1])
    if file is None and (known := layers.files.get((*key[:2], secret))) is not None:
        account[key[-1]] = str(known)
    if not isinstance(file, str):
        return
    if secret in account:
        layers.complain(key, f"should not be given beside {secret}", f'"{file}"')
        return
    try:
        account[secret] = Path(file).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "no UTF-8 text"
        if must_be_readable:
            layers.complain(key, f"should be a readable file: {(reason or 'unknown').lower()}", f'"{file}"')
        account[secret] = UNREADABLE
    layers.sources[(*key[:2], secret)] = f"file {file}"


def check_references(layers: Layers) -> None:
    """Note every mistake that lies between keys."""
    for section in ("accounts", "operators"):
        for name, _ in tables(layers, section):
            if _NAME.fullmatch(name) is None:
                layers.complain((section, name), "names are made of a-z, 0-9 and single _ between them")
    _check_operators(layers)
    _check_twins(layers, "operator_id", "OperatorID", lambda value: value.replace("*", "").removeprefix("+").upper())
    _check_twins(layers, "api_key", "key", str)
    _check_certificates(layers)
    _check_maps(layers)


def _check_operators(layers: Layers) -> None:
    accounts = layers.table(("accounts",))
    for name, operator in tables(layers, "operators"):
        listed = read_list(operator.get("accounts"))
        for account in listed if isinstance(listed, list) else []:
            if isinstance(account, str) and account not in accounts:
                there = ", ".join(accounts) or "none"
                layers.complain(("operators", name, "accounts"), f"no such account; there are: {there}", f'"{account}"')


def _check_twins(layers: Layers, field: str, what: str, canonical: Callable[[str], str]) -> None:
    """Two accounts with one identity would overwrite each other at the hub, and push in parallel, which it forbids."""
    first: dict[str, str] = {}
    for name, account in tables(layers, "accounts"):
        value = account.get(field)
        if not isinstance(value, str) or value == UNREADABLE:
            continue
        other = first.setdefault(f"{account.get('kind')} {canonical(value)}", name)
        if other != name:
            shown = None if field == "api_key" else f'"{value}"'
            layers.complain(("accounts", name, field), f"accounts.{other} has the same {what}", shown)


def _check_certificates(layers: Layers) -> None:
    for name, account in tables(layers, "accounts"):
        key = ("accounts", name)
        if account.get("kind") != "oicp":
            continue
        if str(account.get("base_url", "")).startswith("https:") and "client_certificate" not in account:
            layers.complain((*key, "client_certificate"), "is needed: Hubject knows its partners by their certificate")
        if "client_key" in account and "client_certificate" not in account:
            layers.complain((*key, "client_key"), "needs client_certificate beside it", f'"{account["client_key"]}"')
        if "client_key_passphrase" in account and "client_certificate" not in account:
            layers.complain((*key, "client_key_passphrase"), "needs client_certificate beside it")


def _check_maps(layers: Layers) -> None:
    for name, account in tables(layers, "accounts"):
        kind = account.get("kind")
        if not isinstance(kind, str) or kind not in ACCOUNT_MODELS or "map" not in ACCOUNT_MODELS[kind].model_fields:
            continue
        hub = mapping_for(kind)
        for status, word in layers.table(("accounts", name, "map")).items():
            if not isinstance(word, str):
                continue
            try:
                hub.table_with({status: word})
            except ImpossibleWord as error:
                layers.complain(("accounts", name, "map", status), error.wanted, f'"{word}"')


def tables(layers: Layers, section: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each named table of a section; what is no table is a mistake of its own."""
    for name, table in layers.table((section,)).items():
        if isinstance(table, dict):
            yield name, table
