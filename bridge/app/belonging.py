"""Tell which EVSEs an account may show at all: the hub refuses those of other operators. Pure.

Before it: the inventory and the configuration. After it: what operators are warned of.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

from bridge.core.identifiers import belongs
from bridge.core.model import EvseId
from bridge.settings import Account, OicpAccount, Settings

_NAMED = 3
"""EVSEs that a warning names; the rest is counted."""


def owns(account: Account, evse_id: EvseId) -> bool:
    """Tell whether the account may show the EVSE. Source: OICP 2.3 CPO, CodeType 018."""
    return not isinstance(account, OicpAccount) or belongs(evse_id, account.operator_ids)


def foreign_warnings(settings: Settings, evses: Iterable[tuple[EvseId, str]]) -> list[str]:
    """Return a warning for each account that the inventory gives EVSEs of others; `evses` are (id, operator)."""
    listed = list(evses)
    found = []
    for name, account in settings.accounts.items():
        operators = {operator for operator, table in settings.operators.items() if name in table.accounts}
        foreign = [id_ for id_, operator in listed if operator in operators and not owns(account, id_)]
        if foreign and isinstance(account, OicpAccount):
            more = f" and {len(foreign) - _NAMED} more" if len(foreign) > _NAMED else ""
            found.append(
                f"accounts.{name} cannot send {', '.join(islice(foreign, _NAMED))}{more}: of neither "
                f"{account.operator_id} nor its sub_operator_ids"
            )
    return found
