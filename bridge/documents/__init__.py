"""Carry what is said besides statuses through to documents: inventory, listings, configuration → what each hub is told.

The counterpart of `derive` for what is not a status: run inside the caller's transaction, at start and after every
order that can change it. Never sends. Before it: `store.listings`, the inventory, temporary statuses. After it: `lane`.
"""

from bridge.documents.chargeprice import CompanyOptions, chargeprice_plan
from bridge.documents.evse_data import evse_data_plan
from bridge.documents.refresh import DocumentPlan, Wishes, refresh
from bridge.documents.temporary import mirror_plan

__all__ = [
    "CompanyOptions",
    "DocumentPlan",
    "Wishes",
    "chargeprice_plan",
    "evse_data_plan",
    "mirror_plan",
    "refresh",
]
