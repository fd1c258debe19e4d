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


def read_key_files(layers: Layers) -> None:
    """Put the content of each `api_key_file` in place as `api_key`, or note why it cannot be."""
    for name, account in _tables(layers, "accounts"):
        key = ("accounts", name, "api_key_file")
        file = account.get("api_key_file")
        if account.get("kind") != "chargeprice" or not isinstance(file, str):
            continue
        if "api_key" in account:
            layers.complain(key, "should not be given beside api_key", f'"{file}"')
            continue
        try:
            account["api_key"] = Path(file).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "no UTF-8 text"
            layers.complain(key, f"should be a readable file: {(reason or 'unknown').lower()}", f'"{file}"')
            account["api_key"] = "unreadable"
        layers.sources[(*key[:2], "api_key")] = f"file {file}"


def check_references(layers: Layers) -> None:
    """Note every mistake that lies between keys."""
    for section in ("accounts", "operators"):
        for name, _ in _tables(layers, section):
            if _NAME.fullmatch(name) is None:
                layers.complain((section, name), "names are made of a-z, 0-9 and single _ between them")
    _check_operators(layers)
    _check_twins(layers, "operator_id", "OperatorID", lambda value: value.replace("*", "").upper())
    _check_twins(layers, "api_key", "key", str)
    _check_certificates(layers)
    _check_maps(layers)


def _check_operators(layers: Layers) -> None:
    accounts = layers.table(("accounts",))
    for name, operator in _tables(layers, "operators"):
        listed = read_list(operator.get("accounts"))
        for account in listed if isinstance(listed, list) else []:
            if isinstance(account, str) and account not in accounts:
                there = ", ".join(accounts) or "none"
                layers.complain(("operators", name, "accounts"), f"no such account; there are: {there}", f'"{account}"')


def _check_twins(layers: Layers, field: str, what: str, canonical: Callable[[str], str]) -> None:
    """Two accounts with one identity would overwrite each other at the hub, and push in parallel, which it forbids."""
    first: dict[str, str] = {}
    for name, account in _tables(layers, "accounts"):
        value = account.get(field)
        if not isinstance(value, str) or value == "unreadable":
            continue
        other = first.setdefault(canonical(value), name)
        if other != name:
            shown = None if field == "api_key" else f'"{value}"'
            layers.complain(("accounts", name, field), f"accounts.{other} has the same {what}", shown)


def _check_certificates(layers: Layers) -> None:
    for name, account in _tables(layers, "accounts"):
        key = ("accounts", name)
        if account.get("kind") != "oicp":
            continue
        if str(account.get("base_url", "")).startswith("https:") and "client_certificate" not in account:
            layers.complain((*key, "client_certificate"), "is needed: Hubject knows its partners by their certificate")
        if "client_key" in account and "client_certificate" not in account:
            layers.complain((*key, "client_key"), "needs client_certificate beside it", f'"{account["client_key"]}"')


def _check_maps(layers: Layers) -> None:
    for name, account in _tables(layers, "accounts"):
        kind = account.get("kind")
        if not isinstance(kind, str) or kind not in ACCOUNT_MODELS:
            continue
        hub = mapping_for(kind)
        for status, word in layers.table(("accounts", name, "map")).items():
            if not isinstance(word, str):
                continue
            try:
                hub.table_with({status: word})
            except ImpossibleWord as error:
                layers.complain(("accounts", name, "map", status), error.wanted, f'"{word}"')


def _tables(layers: Layers, section: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, table in layers.table((section,)).items():
        if isinstance(table, dict):
            yield name, table
