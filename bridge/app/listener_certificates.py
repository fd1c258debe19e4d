"""Look every few seconds whether a listener's files hold new certificates, and warn of those that end.

As `credentials` does for accounts. Never decides what can be used: that is `bridge.server_tls`. Before it: `serve`,
which makes it before the listeners start. After it: the central system, whose next handshakes use what is new; open
sessions stay.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime

import structlog

from bridge.app.credentials import LOOK_EVERY
from bridge.core.expiry import Urgency, days_left, server_expiry_warning, urgency
from bridge.core.model import Moment
from bridge.server_tls import ServerTls, ServerTlsFiles, check_new_server_tls, reread_server_tls
from bridge.settings import Settings
from bridge.settings.listener_certificates import server_tls_files
from bridge.settings.sections import ListenerTable
from bridge.upstreams.certificates import Certificate
from bridge.upstreams.credentials import Contents, FileCredential, NotReloaded, Reloaded
from csms.doorway import ListenerTls
from csms.server import CentralSystem

log = structlog.get_logger(__name__)

Changed = Callable[[str, ServerTls], None]
"""Is told what a listener's next handshakes are to use."""


class ListenerCertificates:
    """The certificates of this process's listeners. Run `run` as one named task."""

    def __init__(self, listeners: Mapping[str, ListenerTable], clock: Callable[[], Moment], changed: Changed) -> None:
        """Read every file, and tell `changed` of each. Raises: CredentialUnusable, OSError."""
        self._clock = clock
        self._changed = changed
        self._warned: dict[str, Urgency] = {}
        self._files = {name: files for name, table in listeners.items() if (files := server_tls_files(table)).paths}
        self._watched = {name: _watch(files) for name, files in self._files.items()}
        for name, watched in self._watched.items():
            changed(name, watched.current())

    def certificates(self) -> dict[str, Certificate]:
        """Return of each listener with certificates of its own the one that ends first."""
        found = {name: watched.current().certificates for name, watched in self._watched.items()}
        return {name: min(of, key=lambda one: one.not_after) for name, of in found.items() if of}

    async def run(self) -> None:
        """Look again and again until cancelled."""
        while True:
            try:
                await self.look()
            except Exception:
                log.exception("look_at_listeners_failed")
            await asyncio.sleep(LOOK_EVERY.total_seconds())

    async def look(self) -> None:
        """Take over what changed, and warn of what ends. The disk is read in a thread: it may be a slow one."""
        now = self._clock().now
        for name in self._watched:
            match await asyncio.to_thread(self._look, name, now):
                case Reloaded():
                    log.info("listener_certificates_reloaded", listener=name)
                    self._warned.pop(name, None)
                    self._changed(name, self._watched[name].current())
                case NotReloaded(why):
                    log.warning("listener_certificates_not_reloaded", listener=name, why=why)
                case None:
                    pass
        for name, certificate in self.certificates().items():
            self._warn(name, certificate, now)

    def _look(self, name: str, now: datetime) -> Reloaded | NotReloaded | None:
        files = self._files[name]
        return self._watched[name].look(lambda tls: check_new_server_tls(tls, files, now))

    def _warn(self, name: str, certificate: Certificate, now: datetime) -> None:
        """Warn once for each threshold that is crossed, of each certificate."""
        found = urgency(certificate.not_after, now)
        if found is self._warned.get(name, Urgency.NONE):
            return
        self._warned[name] = found
        if (why := server_expiry_warning(certificate.not_after, now)) is not None:
            days = days_left(certificate.not_after, now)
            log.warning("certificate_expires_soon", listener=name, why=why, urgency=found.value, days=days)


def watch_listeners(settings: Settings, clock: Callable[[], Moment], central: CentralSystem) -> ListenerCertificates:
    """Give the central system what its TLS listeners start with. Raises: CredentialUnusable, OSError."""

    def changed(name: str, tls: ServerTls) -> None:
        central.reload_tls(name, ListenerTls(tls.context, tls.authorities))

    return ListenerCertificates(settings.ocpp.listeners, clock, changed)


def _watch(files: ServerTlsFiles) -> FileCredential[ServerTls]:
    def read(contents: Contents) -> ServerTls:
        return reread_server_tls(files, contents)

    return FileCredential(files.paths, read)
