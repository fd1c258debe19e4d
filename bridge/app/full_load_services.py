"""Show operators what a fullLoad would replace, and order one: the part of `services` that is about fullLoads.

Before it: `web`, or the command line with the bridge stopped. After it: `store.full_load_diffs`, `edits.accounts`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from bridge.app.belonging import owns
from bridge.app.wakes import Wakes
from bridge.core import full_load
from bridge.core.model import AccountName, Moment
from bridge.edits import FullLoadOrder, request_full_loads
from bridge.edits.accounts import NoSuchLane
from bridge.settings import Account, OicpAccount, Settings
from bridge.store.engine import Store
from bridge.store.errors import StoreError
from bridge.store.full_load_diffs import FullLoadDiff, read_diff
from bridge.store.writer import Writer
from bridge.web.full_load_shapes import FullLoadItem, FullLoadRequest, Scope
from bridge.web.services import Conflict, NotFound, Unavailable


class FullLoadServices:
    """What `StoreServices` does about fullLoads; it brings the parts."""

    _settings: Settings
    _store: Store
    _writer: Writer
    _clock: Callable[[], Moment]
    _wakes: Wakes

    async def full_load_preview(self, name: str, scope: Scope) -> FullLoadItem:
        """Return what a fullLoad would change at the hub. Raises: NotFound, Conflict, Unavailable."""
        account = allowed(self._settings.accounts, name, scope)
        steady = self._clock().steady
        try:
            async with self._store.read() as connection:
                diff = await connection.run_sync(
                    read_diff,
                    AccountName(name),
                    of_data=scope == "data",
                    after_data=account.evse_data,
                    owns=lambda evse_id: owns(account, evse_id),
                    steady=steady,
                )
        except StoreError as error:
            raise Unavailable(str(error)) from error
        return full_load_item(name, scope, diff)

    async def order_full_load(self, name: str, request: FullLoadRequest) -> FullLoadItem:
        """Ask for a fullLoad, and return what it will change. Raises: NotFound, Conflict, Unavailable."""
        item = await self.full_load_preview(name, request.scope)
        if item.held_back is not None and not request.confirm:
            raise Conflict(f"{item.held_back}: confirm that the fullLoad shall go out in spite of it")
        order = FullLoadOrder(AccountName(name), request.scope == "data", self._clock())
        try:
            await self._writer.submit(request_full_loads, order)
        except NoSuchLane as error:
            raise Conflict(str(error)) from error
        except StoreError as error:
            raise Unavailable(str(error)) from error
        self._wakes.account(AccountName(name))
        return item.model_copy(update={"ordered": True})


def allowed(accounts: Mapping[str, Account], name: str, scope: Scope) -> OicpAccount:
    """Return the account where it may have such a fullLoad. Raises: NotFound, Conflict."""
    if name not in accounts:
        raise NotFound("account", name)
    account = accounts[name]
    if not isinstance(account, OicpAccount):
        raise Conflict(f"{account.kind} has no fullLoad: {name} sends every EVSE by itself")
    if account.full_load == "never":
        raise Conflict(f'accounts.{name}.full_load is "never": nothing replaces what Hubject has')
    if scope == "data" and not account.evse_data:
        raise Conflict(f"accounts.{name}.evse_data is false: this account sends no data")
    return account


def full_load_item(name: str, scope: Scope, diff: FullLoadDiff) -> FullLoadItem:
    """Show what a fullLoad would change."""
    return FullLoadItem(
        name=name,
        scope=scope,
        new=diff.new,
        changed=diff.changed,
        same=diff.same,
        withdrawn=diff.withdrawn,
        refused=diff.refused,
        foreign=diff.foreign,
        waiting=diff.waiting,
        held_back=full_load.guarded(diff.state, diff.census),
    )
