"""Mask one frame's text: secrets become ***, what identifies a driver becomes a pseudonym that is always the same.

Pure but for a memory of the idTags seen lately, by which they are found in free text. Works by the names of members,
the names of settings and by the action, for every version and direction alike: an answer does not say what it answers.
What has none of the words that could be delicate stays as it came. Before it: `log`. Beside it: `pairs`, for what is no
JSON. After it: `file`.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections import OrderedDict
from typing import Any

from bridge.wire_log.pairs import MASK, mask_pairs, names_secret, names_token, sets_secret, sets_token

_KNOWN_TOKENS = 1000
_SHORTEST_FOUND = 4
"""Shorter idTags are not looked for in free text: they would be found everywhere."""

_MOST_TEXTS = 500
"""Texts of one frame that are searched one by one; a frame with more of them was made to keep us busy."""

# What any delicate name or text has in it, in lower case. `\\u`: a name may be written in escapes. `data`, `variable`,
# `key`: what holds free text or settings. A search for plain words takes a tenth of what one expression takes.
_DELICATE = (
    *(
        "idtag",
        "id_tag",
        "id-tag",
        "id tag",
        "token",
        "emaid",
        "customer",
        "evcc",
        "rfid",
        "card",
        "uid",
        "pass",
        "pwd",
        "secret",
        "private",
    ),
    *("authoriz", "credential", 'pin"', "psk", "shared", "vpn", "exire", "exi_re", "signed", "ocmf", '"data"', '"key"'),
    *("api", "variable", ":/", ":\\", "\\u", "master"),
)
# Most frames are a status, a heartbeat or the answer to one. With these members, and such values, there is nothing to
# hide, and one expression that says so takes a quarter of the search. Possessive: it never tries anything twice. Only a
# time has a colon: elsewhere it may stand between a name and a secret.
_PLAIN = re.compile(
    r"""\[[23],"[A-Za-z0-9_-]{1,36}+",(?:"[A-Za-z]{1,40}+",)?+\{(?:"(?:(?:timestamp|currentTime)":"[0-9TZ:.+-]{0,64}+"""
    r""""|(?:connectorId|errorCode|status|evseId|connectorStatus|interval)":(?:"[A-Za-z0-9_.+-]{0,64}+"|[0-9]{1,9}+))"""
    r"""[,}])*+\}?+\]"""
)
_BROKEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufeff]")
_VALUES = frozenset({"value", "values", "valueslist", "attributevalue", "actualvalue", "data"})
_BY_ACTION = {"NotifyCustomerInformation": frozenset({"data"}), "Authorize": frozenset({"certificate"})}
"""What a CALL of this action holds about a driver besides idTags; a contract certificate names its holder."""
_CALLS = (2, 6)
"""CALL, and SEND of OCPP 2.1."""

_encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode


class Masking:
    """Masks the frames of one installation; for one thread at a time."""

    def __init__(self, key: bytes) -> None:
        """Make pseudonyms with `key`, a secret of the installation: nobody can tell an idTag by trying them all."""
        self._key = key
        self._known: OrderedDict[str, str] = OrderedDict()
        self._texts = 0
        self._vendors = False

    def masked(self, text: str) -> str:
        """Return the text of a frame without secrets and idTags; never raises."""
        if is_plain(text):
            return text
        clean = (
            text if text.isprintable() else _BROKEN.sub("", text)
        )  # what reads stations' frames ignores these, also within a name
        if not _delicate(clean.lower()):
            return text
        self._texts, self._vendors = 0, False
        try:
            message = json.loads(clean, strict=False, object_pairs_hook=_unrepeated)
            shown = _encode(self._message(message))
            return self._without_known(shown) if self._vendors else shown
        except (ValueError, RecursionError):
            return self._without_known(mask_pairs(clean, self.pseudonym))

    def pseudonym(self, token: str) -> str:
        """Return what stands for an idTag: equal for equal ones, whatever their case (OCPP 1.6: CiString)."""
        folded = token.strip().casefold()
        if not folded:
            return token
        known = self._known.get(folded)
        if known is None:
            digest = hmac.digest(self._key, folded.encode("utf-8", "backslashreplace"), hashlib.sha256)
            known = f"idTag#{digest.hex()[:6]}"
        self._known[folded] = known
        self._known.move_to_end(folded)
        if len(self._known) > _KNOWN_TOKENS:
            self._known.popitem(last=False)
        return known

    def _message(self, message: Any) -> Any:
        match message:
            case [kind, id, str(action), dict(payload), *rest] if kind in _CALLS and action in _BY_ACTION:
                hidden = _BY_ACTION[action]
                payload = {name: MASK if name in hidden else value for name, value in payload.items()}
                return [kind, id, action, self._any(payload), *(self._any(each) for each in rest)]
            case _:
                return self._any(message)

    def _any(self, value: Any) -> Any:
        match value:
            case dict():
                return self._object(value)
            case list():
                return [self._any(each) for each in value]
            case str() if _delicate(value.lower()):
                return self._free_text(value)
            case _:
                return value

    def _object(self, fields: dict[str, Any]) -> dict[str, Any]:
        setting = _setting(fields)
        if setting is not None and sets_token(setting):
            fields = {name: self._setting_value(name, value, self._token) for name, value in fields.items()}
        elif setting is not None and sets_secret(setting):
            fields = {name: self._setting_value(name, value, _secret) for name, value in fields.items()}
        elif fields.get("format") == "SignedData":  # OCPP 1.6, SampledValue: signed data name the driver (OCMF's ID)
            fields = {**fields, "value": _secret(fields.get("value"))}
        return {name: self._member(name, value) for name, value in fields.items()}

    def _member(self, name: str, value: Any) -> Any:
        if names_secret(name):
            return _secret(value)
        if names_token(name):
            return self._token(value)
        if name.casefold() == "data":
            if isinstance(value, str):
                return self._free_text(value)
            self._vendors = True
        if name.casefold() == "vpn" and isinstance(value, dict):  # OCPP 2.0.1, VPNType: its key is a shared secret
            value = {inner: _secret(each) if inner.casefold() == "key" else each for inner, each in value.items()}
        return self._any(value)

    def _setting_value(self, name: str, value: Any, mask: Any) -> Any:
        """Mask the value of a setting, wherever its object keeps it: also in variableAttribute, in a list."""
        if name.strip().casefold() in _VALUES:
            return mask(value)
        if isinstance(value, list):
            return [self._setting_value("", each, mask) for each in value]
        if isinstance(value, dict) and name not in ("variable", "component"):
            return {inner: self._setting_value(inner, each, mask) for inner, each in value.items()}
        return value

    def _token(self, value: Any) -> Any:
        """Mask what identifies a driver: a text or a number, or the texts of an IdTokenType but for its types."""
        match value:
            case dict():
                return {name: each if name == "type" else self._token(each) for name, each in value.items()}
            case list():
                return [self._token(each) for each in value]
            case None | bool():
                return value
            case _:
                return self.pseudonym(str(value))

    def _free_text(self, text: str) -> str:
        """Mask what can be recognised in a text: JSON, pairs of name and value, idTags seen lately.

        Raises: ValueError, where the frame has too many of them.
        """
        self._texts += 1
        if self._texts > _MOST_TEXTS:
            raise ValueError("too many texts to search each")
        try:
            inner = json.loads(text, strict=False)
        except ValueError:
            inner = None
        if isinstance(inner, dict | list):
            return self._without_known(_encode(self._any(inner)))
        return self._without_known(mask_pairs(text, self.pseudonym))

    def _without_known(self, text: str) -> str:
        """Mask the idTags seen lately, wherever they are."""
        folded = text.casefold()
        for known in [known for known in self._known if len(known) >= _SHORTEST_FOUND and known in folded]:
            text = re.sub(re.escape(known), self._known[known], text, flags=re.IGNORECASE)
        return text


def is_plain(text: str) -> bool:
    """Tell whether a frame is of those that have nothing to hide, all of it in ASCII; most are."""
    return _PLAIN.fullmatch(text) is not None


def _delicate(lowered: str) -> bool:
    for word in _DELICATE:  # noqa: SIM110 - `any` takes three times as long, and most frames go no further than here
        if word in lowered:
            return True
    return False


def _unrepeated(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Take an object; of a member that comes twice one would go unseen. Raises: ValueError."""
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise ValueError("a repeated member")
    return fields


def _setting(fields: dict[str, Any]) -> str | None:
    """Return the name of the setting that an object is about. Source: OCPP 1.6 KeyValue; 2.0.1 VariableType."""
    named = {name.strip().casefold(): value for name, value in fields.items()}
    match named.get("variable", named.get("key")):
        case {"name": str(name)} | str(name):
            return name
        case _:
            return None


def _secret(value: Any) -> Any:
    """Mask every text and number; what is no value stays, so that its shape can be seen."""
    match value:
        case dict():
            return {name: _secret(each) for name, each in value.items()}
        case list():
            return [_secret(each) for each in value]
        case None | bool() | "":
            return value
        case _:
            return MASK
