"""Say in plain words what somebody can do about a value that a hub does not have, and what happens by itself.

Pure, and never decides: what becomes of the row is `bridge.core.reconcile`'s. Before it: a row's state, or a push's
outcome, with the hub's answer. After it: the pages of an EVSE, of a hub and of a push.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

REFUSED = "Tried again by itself every few hours, when the value changes, and at once with Retry now."
_CORRECT = "Correct what the hub names, in the inventory or at the hub."
_BY_CODE: Mapping[str, str] = MappingProxyType(
    {
        "018": "Compare the EVSE's id and operator with what Hubject has: the id is there twice, or another "
        "operator's.",
        "022": "Read Hubject's answer: it finds a mistake in what was sent. Correct it in the inventory or listing.",
        "603": "Hubject does not know the EVSE: send its data first (evse_data), or have it entered at Hubject.",
        "604": "Hubject does not take an id of this form: correct it in the inventory, such as DE*ABC*E1.",
    }
)
"""Source: OICP 2.3 CPO, CodeType; the codes of `oicp_answers.DATA_ERRORS`."""
_NOT_FOUND = (
    "The hub does not know the station or point: compare its ids in the inventory (chargeprice_station, "
    "chargeprice_point) with the hub's."
)
_OTHERWISE: Mapping[str, str] = MappingProxyType(
    {
        "held": "Nothing about this EVSE: the hub refuses the whole account. Put right what the account's page names "
        "(key, certificate, contract or address); then it goes on by itself within a minute, or at once with Send what "
        "differs on that page.",
        "deferred": "Nothing, unless it lasts: the hub failed, and it is tried again by itself. Retry now does not "
        "wait for that.",
        "in_doubt": "Nothing: no answer came, so the value that is then true is sent once more by itself.",
        "wrong_action": "Nothing: the hub knew it otherwise, and it is sent again the other way by itself.",
    }
)


def what_to_do(state: str, code: str = "", http: int | None = None) -> str:
    """Return what to do about a row or push in this state; empty where there is nothing to be done.

    Args:
        state: A row's state or a push's outcome: refused, held, deferred, in_doubt, wrong_action, or any other.
        code: The hub's own code in its answer.
        http: The HTTP status of its answer; None: there was none.
    """
    if state != "refused":
        return _OTHERWISE.get(state, "")
    unknown = _NOT_FOUND if http == 404 else _CORRECT
    return f"{_BY_CODE.get(code, unknown)} {REFUSED}"
