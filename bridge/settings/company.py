"""Describe the company of a Chargeprice account, as Chargeprice is to show it.

Source: Chargeprice API, PUT /v1/companies/:company_id.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated
from uuid import UUID

from pydantic import BeforeValidator

from bridge.settings.fields import TextList, matching, read_list
from bridge.settings.sections import Section


class ExternalSources(Section):
    """Names or ids of the company in other data sources; only those that are known need to be given."""

    plugsurfing_ids: TextList = ()
    going_electric_names: TextList = ()
    going_electric_charge_card_ids: TextList = ()
    google_sheet_names: TextList = ()
    open_charge_map_operator_ids: TextList = ()

    @property
    def given(self) -> Mapping[str, list[str]]:
        """The sources that are known."""
        return {name: list(getattr(self, name)) for name in type(self).model_fields if getattr(self, name)}


class CompanyTable(Section):
    """The company; its id is the account's company_id."""

    name: Annotated[str, matching(r"\S(.{0,253}\S)?", "a name of 1 to 255 characters")]
    is_cpo: bool
    is_emp: bool
    url: Annotated[str, matching(r"https?://\S+", 'an address such as "https://example.com"')] | None = None
    external_source_mapping: ExternalSources = ExternalSources()
    supported_emps: Annotated[tuple[UUID, ...], BeforeValidator(read_list)] = ()
    """Companies whose customers can charge at this one's stations."""
    cpo_group: UUID | None = None
    """Not given: stays as it is at Chargeprice."""
    emp_group: UUID | None = None
