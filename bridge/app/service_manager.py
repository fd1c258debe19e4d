"""Tell the service manager that started us (systemd) that we are ready, alive and stopping.

Says nothing where none is there. Never says that we are alive while the writer does not come to an end: the message
comes from the event loop, so one that hangs is silent by itself, and systemd ends and restarts the process. Before it:
`serve`. After it: the socket in `NOTIFY_SOCKET`.

Source: sd_notify(3), sd_watchdog_enabled(3).
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

import structlog

log = structlog.get_logger(__name__)

_TOLD_WITHIN = 3
"""The manager hears from us so many times within the time after which it would end us."""


@dataclass(frozen=True, slots=True)
class ServiceManager:
    """Whom to tell, and how often."""

    address: str | None = None
    """Of its datagram socket; None: nobody waits to be told."""
    patience: timedelta | None = None
    """After how long a silence it ends us; None: never."""

    def ready(self) -> None:
        """Say that stations and operators are listened to."""
        self._tell("READY=1")

    def stopping(self) -> None:
        """Say that we are ending."""
        self._tell("STOPPING=1")

    async def keep_alive(self, waited: Callable[[], timedelta]) -> None:
        """Say that we are alive, until cancelled; not while the writer's oldest item has `waited` for too long."""
        if self.patience is None:
            raise AssertionError("nobody waits for signs of life")
        while True:
            if waited() < self.patience / 2:
                self._tell("WATCHDOG=1")
            await asyncio.sleep(self.patience.total_seconds() / _TOLD_WITHIN)

    def _tell(self, state: str) -> None:
        if self.address is None:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as to_manager:
                to_manager.setblocking(False)
                to_manager.sendto(state.encode(), _path(self.address))
        except OSError as error:
            log.warning("service_manager_not_told", state=state, why=error.strerror or str(error))


def service_manager(environ: Mapping[str, str]) -> ServiceManager:
    """Return who is to be told, by the variables that systemd sets."""
    address = environ.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return ServiceManager()
    return ServiceManager(address, _patience(environ))


def _patience(environ: Mapping[str, str]) -> timedelta | None:
    """Return after how long a silence this process is ended; the variables may be meant for another one."""
    microseconds, process = environ.get("WATCHDOG_USEC", ""), environ.get("WATCHDOG_PID", str(os.getpid()))
    if not microseconds.isdecimal() or int(microseconds) == 0 or process != str(os.getpid()):
        return None
    return timedelta(microseconds=int(microseconds))


def _path(address: str) -> str:
    """Return the socket's address: @ stands for the abstract namespace.

    Source: sd_notify(3): "the initial "@" being replaced by NUL".
    """
    return "\0" + address[1:] if address.startswith("@") else address
