"""Say what each account tells its hub besides statuses. Pure: what a plan reads, it reads when it is carried out.

Before it: `bridge.settings`. After it: `bridge.documents`, at start and with every import.
"""

from __future__ import annotations

from bridge.core.model import AccountName
from bridge.documents import DocumentPlan, evse_data_plan
from bridge.settings import OicpAccount, Settings


def document_plans(settings: Settings) -> tuple[DocumentPlan, ...]:
    """Return a plan for each account and kind of document that it is set up to send."""
    plans: list[DocumentPlan] = []
    for name, account in settings.accounts.items():
        operators = [operator for operator, table in settings.operators.items() if name in table.accounts]
        if isinstance(account, OicpAccount) and account.evse_data:
            plans.append(evse_data_plan(AccountName(name), operators))
    return tuple(plans)
