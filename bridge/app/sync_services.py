"""Show how an account differs from its hub, and carry out orders about that: the part of `services` about it.

Never sends: an order makes rows due, and the account's lane does the rest. Before it: `web`, or the command line with
the bridge stopped. After it: `store.standings`, `edits.accounts`.
"""

from __future__ import annotations

import json
from collections.abc import Callable

from bridge.app.wakes import Wakes
from bridge.core.differences import Standing, field_changes, standing_of
from bridge.core.documents import DocumentKind
from bridge.core.model import AccountName, Moment
from bridge.core.modes import Mode, effective_mode
from bridge.edits import DeletionOrder, SyncOrder, delete_documents, sync_accounts
from bridge.edits.accounts import NotThere, StillListed
from bridge.settings import Account, Settings
from bridge.store.documents import DocumentRow
from bridge.store.engine import Store
from bridge.store.errors import StoreError
from bridge.store.standings import Standings, read_standings
from bridge.store.writer import Writer
from bridge.web.services import Conflict, NotFound, Unavailable
from bridge.web.sync_shapes import (
    DELETABLE,
    Deletion,
    DocumentDifference,
    FieldChangeItem,
    ForeignItem,
    RefusedItem,
    SyncReport,
)


class SyncServices:
    """What `StoreServices` does about differences; it brings the parts."""

    _settings: Settings
    _store: Store
    _writer: Writer
    _clock: Callable[[], Moment]
    _wakes: Wakes

    async def sync_preview(self, name: str) -> SyncReport:
        """Return how an account differs from its hub. Raises: NotFound, Unavailable."""
        account = self._known(name)
        try:
            async with self._store.read() as connection:
                found = await connection.run_sync(read_standings, AccountName(name))
        except StoreError as error:
            raise Unavailable(str(error)) from error
        stored = None if found.mode is None else Mode(found.mode)
        return sync_report(name, account.kind, effective_mode(account.mode, stored), found)

    async def sync(self, name: str, *, forget: bool) -> SyncReport:
        """Make what differs due at once, or everything, and return what that was. Raises: NotFound, Unavailable."""
        report = await self.sync_preview(name)
        try:
            await self._writer.submit(sync_accounts, SyncOrder(AccountName(name), forget, self._clock()))
        except StoreError as error:
            raise Unavailable(str(error)) from error
        self._wakes.account(AccountName(name))
        self._wakes.everything(f"{name} is synchronised anew")
        return report.model_copy(update={"ordered": True})

    async def delete_document(self, name: str, kind: str, key: str) -> Deletion:
        """Order a deletion at the hub. Raises: NotFound, Conflict where it is still wanted, Unavailable."""
        self._known(name)
        if kind not in DELETABLE:
            raise NotFound("kind of document that is deleted on request", kind)
        order = DeletionOrder(AccountName(name), (DocumentKind(kind), key.lower()), self._clock())
        try:
            await self._writer.submit(delete_documents, order)
        except NotThere as error:
            raise NotFound(f"{kind} of {name}", key) from error
        except StillListed as error:
            raise Conflict(str(error)) from error
        except StoreError as error:
            raise Unavailable(str(error)) from error
        self._wakes.account(AccountName(name))
        return Deletion.model_validate({"name": name, "kind": kind, "key": key.lower()})

    def _known(self, name: str) -> Account:
        if name not in self._settings.accounts:
            raise NotFound("account", name)
        return self._settings.accounts[name]


def sync_report(name: str, kind: str, mode: Mode, found: Standings) -> SyncReport:
    """Show how everything of an account stands; what agrees is counted."""
    differing = [row for row in found.documents if standing_of(row.delivery) is not Standing.AGREED]
    return SyncReport(
        name=name,
        kind=kind,
        mode=mode,
        documents=tuple(_difference(row) for row in differing),
        documents_agreed=len(found.documents) - len(differing),
        statuses=found.statuses,
        refused=tuple(RefusedItem(evse_id=row.evse_id, value=row.value, why=row.why) for row in found.refused),
        foreign=tuple(
            ForeignItem(
                remote_id=entry.remote_id,
                evse_id=entry.evse_id,
                kind=entry.kind,
                valid_from=entry.valid_from,
                valid_to=entry.valid_to,
            )
            for entry in found.foreign
        ),
        held=found.held,
        documents_held=found.documents_held,
    )


def _difference(row: DocumentRow) -> DocumentDifference:
    delivery, standing = row.delivery, standing_of(row.delivery)
    shown = standing in (Standing.CHANGED, Standing.REFUSED) and bool(delivery.desired)
    return DocumentDifference(
        kind=row.kind.value,
        key=row.key,
        name=_named(delivery.desired or delivery.acked),
        standing=standing,
        changes=tuple(
            FieldChangeItem(field=change.field, old=change.old, new=change.new)
            for change in (field_changes(delivery.acked, delivery.desired) if shown else ())
        ),
        why="" if standing is Standing.WITHDRAWN else delivery.refused or delivery.suspect or row.last_why,
    )


def _named(content: str | None) -> str:
    """Return what people call a document: a station's or company's name."""
    attributes = json.loads(content).get("attributes") if content else None
    name = attributes.get("name") if isinstance(attributes, dict) else None
    return name if isinstance(name, str) else ""
