"""Read EVSE and operator ids as OICP writes them, and tell which spellings mean the same one.

Never changes the configured separators: they go on the wire as they are. Before it: the inventory's rows and hubs'
answers. After it: the store's `evse.evse_id` and `evse.canonical`.

Source: OICP 2.3 CPO data types, EvseIDType and OperatorIDType; Hubject on hubject/oicp#114: it "will accept lower and
uppercase chars for EvseIDType, but will then update all to uppercase".
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, NewType

from bridge.core.model import EvseId

OperatorId = NewType("OperatorId", str)
"""An operator's id as it goes on the wire, upper case, for example DE*A36 (OICP 2.3 OperatorIDType)."""

# "^(([A-Z]{2}\*?[A-Z0-9]{3}\*?E[A-Z0-9\*]{1,30})|(\+?[0-9]{1,3}\*[0-9]{3}\*[0-9\*]{1,32}))$"
_EVSE_ID: Final = re.compile(
    r"(?P<iso>[A-Z]{2}\*?[A-Z0-9]{3})\*?E[A-Z0-9*]{1,30}|(?P<din>\+?[0-9]{1,3}\*[0-9]{3})\*[0-9*]{1,32}"
)
# "^(([A-Za-z]{2}\*?[A-Za-z0-9]{3})|(\+?[0-9]{1,3}\*[0-9]{3}))$"
_OPERATOR_ID: Final = re.compile(r"[A-Z]{2}\*?[A-Z0-9]{3}|\+?[0-9]{1,3}\*[0-9]{3}")

_EVSE_ID_WANTED: Final = (
    "two letters of the country, three letters or digits of the operator, E, then 1 to 30 letters, digits or *, "
    "for example DE*ABC*E123*1, or the DIN form +49*810*000*438; ASCII only"
)
_OPERATOR_ID_WANTED: Final = (
    "two letters of the country and three letters or digits, for example DE*ABC, or the DIN form +49*810; ASCII only"
)
_LONGEST_SHOWN: Final = 256
_OTHER_SEPARATORS: Final = str.maketrans(".-_ ", "****")


class InvalidId(ValueError):
    """An identifier that no hub would take."""

    def __init__(self, field: str, value: str, wanted: str) -> None:
        super().__init__(field, value, wanted)
        self.field = field
        """"evse_id" or "operator"."""
        self.value = value
        self.wanted = wanted
        """What would be right."""

    def __str__(self) -> str:
        return f"{self.field} {self.value[:_LONGEST_SHOWN]!r} is not valid: it must be {self.wanted}"


def parse_evse_id(text: str) -> EvseId:
    """Return the id in upper case, its separators untouched. Raises: InvalidId.

    The order matters: ASCII first (`ß` would become SS), then upper case, then a full match (`$` would let a line
    break pass).
    """
    upper = text.upper()
    if not text.isascii() or _EVSE_ID.fullmatch(upper) is None:
        raise InvalidId("evse_id", text, _EVSE_ID_WANTED)
    return EvseId(upper)


def parse_operator_id(text: str) -> OperatorId:
    """Return the id in upper case, its separator untouched. Raises: InvalidId."""
    upper = text.upper()
    if not text.isascii() or _OPERATOR_ID.fullmatch(upper) is None:
        raise InvalidId("operator", text, _OPERATOR_ID_WANTED)
    return OperatorId(upper)


def canonical(identifier: EvseId | OperatorId) -> str:
    """Return the key by which spellings of one id are equal: without `*`, and without DIN's leading `+`.

    Hubject names ids without separators. Two different EVSEs may share one key (DE*ABC*E1*11 and DE*ABC*E11*1).
    """
    return identifier.removeprefix("+").replace("*", "")


def belongs(evse_id: EvseId, operators: Iterable[str]) -> bool:
    """Tell whether an EVSE's id is one of these operators', in whatever spelling.

    Source: OICP 2.3 CPO, CodeType 018: the EvseID has to match the OperatorID or its sub-operators.
    """
    found = _EVSE_ID.fullmatch(evse_id)
    if found is None:
        return False
    own = canonical(OperatorId(found["iso"] or found["din"]))
    return any(canonical(OperatorId(operator.upper())) == own for operator in operators)


def spelled_with_stars(text: str) -> EvseId:
    """Return what somebody wrote as OICP would write it: upper case, and `*` for the separators of other habits.

    Source: Spirii's own pages, where `DK.SPI.Z203*2` and `DK*SPI*E123*1` stand side by side.
    """
    stripped = text.strip()
    return EvseId(stripped.upper().translate(_OTHER_SEPARATORS) if stripped.isascii() else stripped)


def canonical_spelling(text: str) -> str:
    """Return the `canonical` key of what somebody wrote, with whatever separators; empty where it is no id at all."""
    key = canonical(spelled_with_stars(text))
    return key if key.isascii() and key.isalnum() else ""
