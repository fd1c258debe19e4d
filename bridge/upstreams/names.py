"""Look up the addresses of hubs' hosts, where a slow name server keeps nothing else waiting.

Never caches (the connector does, for ten seconds) and never connects. Before it: `connections`. After it: the system's
resolver.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from aiohttp.abc import AbstractResolver, ResolveResult

Found = list[tuple[Any, ...]]
LookUp = Callable[..., Found]
"""As `socket.getaddrinfo`: blocks, and raises socket.gaierror."""


class Names(AbstractResolver):
    """Looks hosts' names up, each in a thread of its own, and never the same one twice at once.

    A lookup cannot be stopped, and takes half a minute where no name server answers. In the loop's own pool a few of
    them would keep every file from being read, and the process from ending.
    """

    def __init__(self, look_up: LookUp = socket.getaddrinfo) -> None:
        """`look_up` is called in those threads."""
        self._look_up = look_up
        self._running: dict[tuple[str, int, int], Future[Found]] = {}

    @property
    def waiting(self) -> bool:
        """Say whether a lookup has not ended."""
        return any(not found.done() for found in self._running.values())

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return the host's addresses. Raises: OSError. Cancellation leaves the lookup to whoever asks next."""
        key = (host, port, int(family))
        running = self._running.get(key)
        if running is None or running.done():
            running = self._running[key] = self._start(host, port, family)
        found = await asyncio.wrap_future(running)
        return [_result(host, *info) for info in found if info[0] in (socket.AF_INET, socket.AF_INET6)]

    def _start(self, host: str, port: int, family: socket.AddressFamily) -> Future[Found]:
        future: Future[Found] = Future()
        # From here on it cannot be cancelled with whoever waits for it: its thread goes on anyway.
        future.set_running_or_notify_cancel()

        def run() -> None:
            try:
                found = self._look_up(host, port, family=family, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
            except OSError as error:
                future.set_exception(error)
            except ValueError as error:  # a label of more than 63 characters is a UnicodeError
                future.set_exception(socket.gaierror(socket.EAI_NONAME, f"not a host's name: {error}"))
            else:
                future.set_result(found)

        threading.Thread(target=run, name=f"address of {host}", daemon=True).start()
        return future

    async def close(self) -> None:
        """Forget the lookups; their threads end with them, or with the process."""
        self._running.clear()


def _result(
    host: str, family: socket.AddressFamily, _kind: int, proto: int, _name: str, address: tuple[Any, ...]
) -> ResolveResult:
    zone = f"%{address[3]}" if family == socket.AF_INET6 and address[3] else ""
    return ResolveResult(
        hostname=host,
        host=f"{address[0]}{zone}",
        port=address[1],
        family=family,
        proto=proto,
        flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
    )
