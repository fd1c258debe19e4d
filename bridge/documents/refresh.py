"""Make the stored documents of accounts those that are wanted now.

Never decides what a document says: each plan's `wishes` does. Before it: a plan. After it: `store.documents`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from bridge.core.documents import DocumentKind, Remote, ended, leave, want
from bridge.core.model import AccountName, Delivery, Moment
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
    """Reads the store and returns every document of `kinds` that the account should have at its hub.

    Those that time has ended may be among them: they count as not wanted.
    """


def refresh(conn: Transaction, plans: Iterable[DocumentPlan], at: Moment) -> set[AccountName]:
    """Bring the documents of these accounts to what is wanted, and return the accounts with something to send."""
    return {plan.account for plan in plans if _refresh(conn, plan, at)}


def _refresh(conn: Transaction, plan: DocumentPlan, at: Moment) -> bool:
    stored = {row.name: row for row in load_documents(conn, plan.account, plan.kinds)}
    wishes = {name: text for name, text in plan.wishes(conn).items() if not ended(name[0], text, at.now)}
    changed: list[tuple[DocumentName, Delivery | None, Remote]] = []
    for name, content in wishes.items():
        row = stored.get(name)
        delivery, remote = (None, Remote()) if row is None else (row.delivery, row.remote)
        wanted = want(name[0], delivery, remote, content)
        if wanted is not delivery:
            changed.append((name, wanted, remote))
    for name, row in stored.items():
        if name in wishes or _is_leaving(row):
            continue
        left = leave(row.kind, row.delivery, row.remote, at)
        if left is not row.delivery:
            changed.append((name, left, row.remote))
    save_documents(conn, plan.account, changed, at.steady)
    return bool(changed)


def _is_leaving(row: DocumentRow) -> bool:
    return row.delivery.tombstone
