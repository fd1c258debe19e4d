"""Say which temporary statuses an account at Spirii should have: those of the EVSEs that it manages too.

One document for each, by its number. Never decides when one has ended: `refresh` leaves those out. Before it:
`store.mirrored`. After it: the account's lane.
"""

from __future__ import annotations

from collections.abc import Collection

from bridge.core.documents import DocumentKind, canonical_json
from bridge.core.mirror import fields_of
from bridge.core.model import AccountName
from bridge.documents.refresh import DocumentPlan, Wishes
from bridge.store.mirrored import MirroredTemporary, mirrored_temporaries
from bridge.store.transaction import Transaction


def mirror_plan(account: AccountName, operators: Collection[str]) -> DocumentPlan:
    """Return the plan that mirrors the temporary statuses of these operators' EVSEs to an account."""
    return DocumentPlan(account, frozenset({DocumentKind.TEMPORARY}), lambda conn: _wishes(conn, operators))


def _wishes(conn: Transaction, operators: Collection[str]) -> Wishes:
    found = mirrored_temporaries(conn, operators)
    return {(DocumentKind.TEMPORARY, str(one.number)): _content(one) for one in found}


def _content(one: MirroredTemporary) -> str:
    return canonical_json(fields_of(one.evse_id, one.kind.value, one.valid_from, one.valid_to))
