"""Make the stored documents of accounts those that are wanted now.

Never decides what a document says: each plan's `wishes` does. Before it: a plan. After it: `store.documents`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from bridge.core.documents import DocumentKind, Remote, leave
from bridge.core.model import AccountName, Delivery
from bridge.core.reconcile import want
from bridge.store.documents import DocumentName, DocumentRow, load_documents, save_documents
from bridge.store.transaction import Transaction

Wishes = Mapping[DocumentName, str]
"""Name → content (JSON, canonical)."""


@dataclass(frozen=True, slots=True)
class DocumentPlan:
    """What one account says besides statuses; filled from the configuration."""

    account: AccountName
    kinds: frozenset[DocumentKind]
    wishes: Callable[[Transaction], Wishes]
    """Reads the store and returns every document of `kinds` that the account should have at its hub."""


def refresh(conn: Transaction, plans: Iterable[DocumentPlan], steady: datetime) -> set[AccountName]:
    """Bring the documents of these accounts to what is wanted, and return the accounts with something to send."""
    return {plan.account for plan in plans if _refresh(conn, plan, steady)}


def _refresh(conn: Transaction, plan: DocumentPlan, steady: datetime) -> bool:
    stored = {row.name: row for row in load_documents(conn, plan.account, plan.kinds)}
    wishes = plan.wishes(conn)
    changed: list[tuple[DocumentName, Delivery | None, Remote]] = []
    for name, content in wishes.items():
        row = stored.get(name)
        wanted = want(None if row is None else row.delivery, content)
        if row is None or wanted is not row.delivery:
            changed.append((name, wanted, Remote() if row is None else row.remote))
    changed += [_left(row) for name, row in stored.items() if name not in wishes and not _is_leaving(row)]
    save_documents(conn, plan.account, changed, steady)
    return bool(changed)


def _left(row: DocumentRow) -> tuple[DocumentName, Delivery | None, Remote]:
    return row.name, leave(row.kind, row.delivery), row.remote


def _is_leaving(row: DocumentRow) -> bool:
    return row.delivery.tombstone
