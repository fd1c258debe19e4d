"""Say which stations and which company Chargeprice should have of an account.

Never sends and knows no lock version: that is `bridge.upstreams.chargeprice_resources`. Before it: `store.listings`,
the inventory and the configuration. After it: `refresh`.

Source: Chargeprice API, PUT /v2/charging_stations/:id and PUT /v1/companies/:id.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from bridge.core.documents import DocumentKind, canonical_json
from bridge.core.model import AccountName
from bridge.documents.refresh import DocumentPlan
from bridge.store.documents import DocumentName
from bridge.store.listed_stations import evse_ids, operators_of
from bridge.store.listings import ListingRow, load_listings
from bridge.store.transaction import Transaction


@dataclass(frozen=True, slots=True)
class CompanyOptions:
    """How the account's company is to be described."""

    name: str
    is_cpo: bool
    is_emp: bool
    url: str = ""
    external_source_mapping: Mapping[str, Any] = field(default_factory=dict)
    """Documented key → names or ids; only those that are known."""
    supported_emps: tuple[str, ...] = ()
    """UUIDs of companies."""
    groups: Mapping[str, str] = field(default_factory=dict)
    """cpo_group, emp_group → UUID; what is not given stays as it is at the hub."""


def chargeprice_plan(
    account: AccountName, operators: Collection[str], company_id: str, company: CompanyOptions | None
) -> DocumentPlan:
    """Return what a Chargeprice account should have: the stations with EVSEs of these operators, and its company.

    Without `company` nothing is said about it.
    """
    kinds = frozenset({DocumentKind.STATION, DocumentKind.COMPANY})
    return DocumentPlan(account, kinds, partial(_wishes, frozenset(operators), company_id, company))


def _wishes(
    operators: frozenset[str], company_id: str, company: CompanyOptions | None, conn: Transaction
) -> Mapping[DocumentName, str]:
    wishes: dict[DocumentName, str] = {}
    if company is not None:
        wishes[DocumentKind.COMPANY, company_id] = canonical_json(company_content(company_id, company))
    owners = operators_of(conn)
    for row in load_listings(conn, DocumentKind.STATION):
        content = json.loads(row.content)
        if any(owners.get(evse_id) in operators for evse_id in evse_ids(content)):
            station = station_content(row, content, company_id)
            wishes[DocumentKind.STATION, row.reference] = canonical_json(station)
    return wishes


def station_content(row: ListingRow, content: Mapping[str, Any], company_id: str) -> dict[str, Any]:
    """Return a station as it is put, but for its version."""
    data = {
        "id": row.reference,
        "type": "charging_station",
        "attributes": {name: value for name, value in content.items() if name != "replaces"},
        "relationships": {"operator": {"data": _company(company_id)}},
    }
    if "replaces" in content:
        data["meta"] = {"replaces_charging_staton_id": content["replaces"]}
    return data


def company_content(company_id: str, company: CompanyOptions) -> dict[str, Any]:
    """Return a company as it is put, but for its version."""
    attributes = {
        "name": company.name,
        "is_cpo": company.is_cpo,
        "is_emp": company.is_emp,
        "external_source_mapping": dict(company.external_source_mapping),
    }
    if company.url:
        attributes["url"] = company.url
    groups = {name: {"data": {"type": name, "id": group}} for name, group in company.groups.items()}
    emps = {"data": [_company(emp) for emp in company.supported_emps]}
    return {
        "id": company_id,
        "type": "company",
        "attributes": attributes,
        "relationships": {"supported_emps": emps, **groups},
    }


def _company(id_: str) -> dict[str, str]:
    return {"type": "company", "id": id_}
