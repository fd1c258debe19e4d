"""Look every few seconds whether an account's files hold a new credential, and warn of certificates that end.

A task of its own, since an account that is held sends nothing and so would ask for nothing. Never decides what can be
used: that is `bridge.upstreams.credentials`. Before it: `bridge.app.upstreams`, which says what to watch. After it: the
accounts' upstreams, which ask for the current value, and a held account's lane, which is probed at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar

import structlog

from bridge.core.expiry import Urgency, days_left, expiry_warning, urgency
from bridge.core.model import AccountName, Moment
from bridge.upstreams.certificates import Certificate
from bridge.upstreams.credentials import FileCredential, NotReloaded, Reloaded

log = structlog.get_logger(__name__)

LOOK_EVERY = timedelta(seconds=2)

Changed = Callable[[AccountName], Awaitable[None]]
"""Is told that an account's credential is a new one."""

_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True)
class _Watched(Generic[_Value]):
    """One account's credential, and what is asked of a new one beside being readable."""

    credential: FileCredential[_Value]
    accept: Callable[[_Value, datetime], None]
    """Raises: CredentialUnusable."""
    certificate_of: Callable[[_Value], Certificate | None]

    def look(self, now: datetime) -> Reloaded | NotReloaded | None:
        return self.credential.look(lambda value: self.accept(value, now))

    def certificate(self) -> Certificate | None:
        return self.certificate_of(self.credential.current())


class Credentials:
    """The credentials of this process's accounts that are in files. Run `run` as one named task."""

    def __init__(self, clock: Callable[[], Moment], changed: Changed) -> None:
        self._clock = clock
        self._changed = changed
        self._watched: dict[AccountName, _Watched[Any]] = {}
        self._warned: dict[AccountName, Urgency] = {}

    def watch(
        self,
        account: AccountName,
        credential: FileCredential[_Value],
        *,
        accept: Callable[[_Value, datetime], None] = lambda _value, _now: None,
        certificate_of: Callable[[_Value], Certificate | None] = lambda _value: None,
    ) -> Callable[[], _Value]:
        """Look after an account's credential from now on; return what gives its current value."""
        self._watched[account] = _Watched(credential, accept, certificate_of)
        return credential.current

    def certificates(self) -> dict[str, Certificate]:
        """Return the client certificate of each account that shows one."""
        found = {account: watched.certificate() for account, watched in self._watched.items()}
        return {account: certificate for account, certificate in found.items() if certificate is not None}

    async def run(self) -> None:
        """Look again and again until cancelled."""
        while True:
            try:
                await self.look()
            except Exception:
                log.exception("look_at_credentials_failed")
            await asyncio.sleep(LOOK_EVERY.total_seconds())

    async def look(self) -> None:
        """Take over what changed, and warn of what ends. The disk is read in a thread: it may be a slow one."""
        now = self._clock().now
        for account, watched in self._watched.items():
            found = await asyncio.to_thread(watched.look, now)
            match found:
                case Reloaded():
                    await self._reloaded(account)
                case NotReloaded(why):
                    log.warning("credential_not_reloaded", account=account, why=why)
                case None:
                    pass
            self._warn(account, watched.certificate(), now)

    async def _reloaded(self, account: AccountName) -> None:
        log.info("credential_reloaded", account=account)
        self._warned.pop(account, None)
        await self._changed(account)

    def _warn(self, account: AccountName, certificate: Certificate | None, now: datetime) -> None:
        """Warn once for each threshold that is crossed, of each certificate."""
        if certificate is None:
            return
        found = urgency(certificate.not_after, now)
        if found is self._warned.get(account, Urgency.NONE):
            return
        self._warned[account] = found
        if (why := expiry_warning(certificate.not_after, now)) is not None:
            days = days_left(certificate.not_after, now)
            log.warning("certificate_expires_soon", account=account, why=why, urgency=found.value, days=days)
