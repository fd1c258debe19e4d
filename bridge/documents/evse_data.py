"""Say which EVSEs' data an account should have at Hubject: what is listed of its operators' EVSEs.

Never checks the data: `listing_file` did. Before it: `store.listings`. After it: `refresh`.
"""

from __future__ import annotations

from collections.abc import Collection

from bridge.core.documents import DocumentKind
from bridge.core.model import AccountName
from bridge.documents.refresh import DocumentPlan, Wishes
from bridge.store.listings import listed_evse_data
from bridge.store.transaction import Transaction


def evse_data_plan(account: AccountName, operators: Collection[str]) -> DocumentPlan:
    """Return the plan of an account that shows the EVSEs of these operators of the configuration."""

    def wishes(conn: Transaction) -> Wishes:
        listed = listed_evse_data(conn, operators)
        return {(DocumentKind.EVSE_DATA, evse_id): content for evse_id, content in listed}

    return DocumentPlan(account, frozenset({DocumentKind.EVSE_DATA}), wishes)
