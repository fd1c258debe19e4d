"""Say what each account tells its hub besides statuses. Pure: what a plan reads, it reads when it is carried out.

Before it: `bridge.settings`. After it: `bridge.documents`, at start and with every import.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from bridge.core.model import AccountName
from bridge.documents import CompanyOptions, DocumentPlan, chargeprice_plan, evse_data_plan, mirror_plan
from bridge.settings import ChargepriceAccount, OicpAccount, Settings, SpiriiAccount


def document_plans(settings: Settings) -> tuple[DocumentPlan, ...]:
    """Return a plan for each account and kind of document that it is set up to send."""
    return (*_listed_plans(settings), *mirror_plans(settings))


def mirror_plans(settings: Settings) -> tuple[DocumentPlan, ...]:
    """Return the plans that temporary statuses alone change: those of accounts at Spirii."""
    return tuple(
        mirror_plan(AccountName(name), _operators(settings, name))
        for name, account in settings.accounts.items()
        if isinstance(account, SpiriiAccount)
    )


def mirrors(settings: Settings) -> Mapping[str, tuple[str, ...]]:
    """Return operator → the accounts that its EVSEs' temporary statuses are mirrored to."""
    accounts = {name for name, account in settings.accounts.items() if isinstance(account, SpiriiAccount)}
    return {
        operator: tuple(name for name in table.accounts if name in accounts)
        for operator, table in settings.operators.items()
    }


def accounts_without_data(settings: Settings) -> tuple[AccountName, ...]:
    """Return the Hubject accounts that send no EVSEs' data; they may have before."""
    return tuple(
        AccountName(name)
        for name, account in settings.accounts.items()
        if isinstance(account, OicpAccount) and not account.evse_data
    )


def _listed_plans(settings: Settings) -> Iterator[DocumentPlan]:
    for name, account in settings.accounts.items():
        if isinstance(account, OicpAccount) and account.evse_data:
            yield evse_data_plan(AccountName(name), _operators(settings, name))
        if isinstance(account, ChargepriceAccount):
            operators, company_id = _operators(settings, name), str(account.company_id)
            yield chargeprice_plan(AccountName(name), operators, company_id, _company_of(account))


def _operators(settings: Settings, account: str) -> list[str]:
    return [operator for operator, table in settings.operators.items() if account in table.accounts]


def _company_of(account: ChargepriceAccount) -> CompanyOptions | None:
    company = account.company
    if company is None:
        return None
    groups = {"cpo_group": company.cpo_group, "emp_group": company.emp_group}
    return CompanyOptions(
        name=company.name,
        is_cpo=company.is_cpo,
        is_emp=company.is_emp,
        url=company.url or "",
        external_source_mapping=company.external_source_mapping.given,
        supported_emps=tuple(str(emp) for emp in company.supported_emps),
        groups={name: str(group) for name, group in groups.items() if group is not None},
    )
