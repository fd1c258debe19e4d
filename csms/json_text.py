"""Read JSON as stations write it: tolerant of junk characters, never of what could hurt.

Does no I/O, and raises `Refused`, ValueError or RecursionError where there is nothing to read. Knows no OCPP-J: that is
`frames`, before and after it.
"""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn

from csms.faults import Fault

MAX_DEPTH = 32
"""Deepest nesting of arrays and objects that is read; the frame's own array counts as one."""

MAX_DIGITS = 20
"""Longest integer that is read, its sign included."""


class Refused(ValueError):
    """The JSON names something that we do not take; `kind` and `fault` say what to count and to answer."""

    def __init__(self, kind: str, fault: Fault) -> None:
        self.kind = kind
        self.fault = fault


def _integer(digits: str) -> int:
    if len(digits) > MAX_DIGITS:
        raise Refused("impossible_number", Fault.PROPERTY_CONSTRAINT)
    return int(digits)


def _real(digits: str) -> float:
    value = float(digits)
    if value - value != 0:
        raise Refused("impossible_number", Fault.SYNTACTIC)
    return value


def _constant(_: str) -> NoReturn:
    raise Refused("impossible_number", Fault.SYNTACTIC)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise Refused("duplicate_key", Fault.SYNTACTIC)
    return fields


# `strict` of the decoder is about raw control characters inside of strings, which careless stations send.
_lenient = json.JSONDecoder(parse_int=_integer, parse_float=_real, parse_constant=_constant, strict=False).raw_decode
_strict = json.JSONDecoder(
    parse_int=_integer, parse_float=_real, parse_constant=_constant, strict=True, object_pairs_hook=_unique
).raw_decode

_BLANK = " \t\n\r"
JUNK = "".join(chr(code) for code in range(0x21)) + "\x7f\ufeff"
# Possessive: an unclosed string must not make the match go back and try again.
_STRING = re.compile(r'"(?:[^"\\]|\\.)*+"?', re.DOTALL)
_ONE_KIND = bytes.maketrans(b"{}", b"[]")
_NO_BRACKET = bytes(code for code in range(256) if code not in b"[]{}")
_JUNK_CHARACTER = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufeff]")


def strict_json(text: str) -> Any:
    """Read what RFC 8259 allows, without repeated keys. Raises: Refused, ValueError, RecursionError."""
    text = text.lstrip(_BLANK)
    message, end = _strict(text)
    return _complete(message, end, text)


def lenient_json(text: str) -> Any:
    """Read what is JSON once junk characters are taken away. Raises: Refused, ValueError, RecursionError."""
    try:
        message, end = _lenient(text)
        if end == len(text):
            return message
    except Refused:
        raise
    except ValueError:
        pass
    cleaned = _JUNK_CHARACTER.sub("", text).strip(JUNK)
    message, end = _lenient(cleaned)
    return _complete(message, end, cleaned)


def _complete(message: Any, end: int, text: str) -> Any:
    if text[end:].strip(_BLANK):
        raise ValueError("text after the frame")
    return message


def too_deep(text: str) -> bool:
    """Tell whether brackets outside of strings nest deeper than `MAX_DEPTH`, without recursion.

    Each pass takes away the innermost pairs, so a text of depth n is empty after n passes. What never pairs up is not
    JSON, and deep where more than `MAX_DEPTH` brackets stay open.
    """
    bare = _STRING.sub("", text) if '"' in text else text
    brackets = bare.encode(errors="replace").translate(_ONE_KIND, _NO_BRACKET)
    for _ in range(MAX_DEPTH):
        brackets = brackets.replace(b"[]", b"")
        if not brackets:
            return False
    return b"[]" in brackets or brackets.count(b"[") > MAX_DEPTH
