"""Say what each account tells its hub besides statuses. Pure: what a plan reads, it reads when it is carried out.

Before it: `bridge.settings`. After it: `bridge.documents`, at start and with every import.
"""

from __future__ import annotations

from collections.abc import Iterator

from bridge.core.model import AccountName
from bridge.documents import DocumentPlan, evse_data_plan, mirror_plan
from bridge.settings import OicpAccount, Settings, SpiriiAccount


def document_plans(settings: Settings) -> tuple[DocumentPlan, ...]:
    """Return a plan for each account and kind of document that it is set up to send."""
    return (*_evse_data_plans(settings), *mirror_plans(settings))


def mirror_plans(settings: Settings) -> tuple[DocumentPlan, ...]:
    """Return the plans that temporary statuses alone change: those of accounts at Spirii."""
    return tuple(
        mirror_plan(AccountName(name), _operators(settings, name))
        for name, account in settings.accounts.items()
        if isinstance(account, SpiriiAccount)
    )


def _evse_data_plans(settings: Settings) -> Iterator[DocumentPlan]:
    for name, account in settings.accounts.items():
        if isinstance(account, OicpAccount) and account.evse_data:
            yield evse_data_plan(AccountName(name), _operators(settings, name))


def _operators(settings: Settings, account: str) -> list[str]:
    return [operator for operator, table in settings.operators.items() if account in table.accounts]
