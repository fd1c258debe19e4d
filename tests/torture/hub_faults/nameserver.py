"""A DNS server for one real process: answers as it is told, on a loopback address of its own.

The process sees it as its only name server: it runs in a mount namespace with its own resolv.conf, which root alone may
make. Never imports the product. Source: RFC 1035 section 4 (messages).
"""

from __future__ import annotations

import asyncio
import random
import shutil
import socket
import struct
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

SERVFAIL, NXDOMAIN = 2, 3
_A, _IN, _ANSWER, _TTL_S = 1, 1, 0x8180, 1


@dataclass
class NameServer(asyncio.DatagramProtocol):
    """Knows one address of every host; `failure` is an RCODE, and while `silent` nothing is answered."""

    address: str = "127.0.0.1"
    failure: int = 0
    silent: bool = False
    asked: list[str] = field(default_factory=list)
    host: str = field(default_factory=lambda: f"127.{random.randint(20, 250)}.{random.randint(1, 250)}.53")
    transport: asyncio.DatagramTransport | None = None

    async def __aenter__(self) -> Self:
        """Listen on port 53 of its own loopback address."""
        loop = asyncio.get_running_loop()
        await loop.create_datagram_endpoint(lambda: self, local_addr=(self.host, 53))
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop listening."""
        if self.transport is not None:
            self.transport.close()

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        """Remember where answers go out."""
        self.transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Answer a question, or do not."""
        name, kind, question = _question(data)
        self.asked.append(name)
        if self.silent or self.transport is None:
            return
        found = kind == _A and not self.failure
        head = data[:2] + struct.pack("!HHHHH", _ANSWER | self.failure, 1, int(found), 0, 0)
        record = struct.pack("!HHHIH", 0xC00C, _A, _IN, _TTL_S, 4) + socket.inet_aton(self.address)
        self.transport.sendto(head + question + (record if found else b""), addr)

    def command(self, folder: Path, command: Sequence[str]) -> list[str]:
        """Return the command that runs `command` with this as its only name server."""
        settings = folder / "resolv.conf"
        settings.write_text(f"nameserver {self.host}\noptions timeout:30 attempts:1\n", encoding="utf-8")
        script = 'mount --bind "$0" /etc/resolv.conf && exec "$@"'
        return ["unshare", "--mount", "sh", "-c", script, str(settings), *command]


def permitted() -> bool:
    """Say whether a process may have a resolv.conf of its own here."""
    if shutil.which("unshare") is None:
        return False
    tried = ["unshare", "--mount", "mount", "--bind", "/etc/hostname", "/etc/resolv.conf"]
    return subprocess.run(tried, capture_output=True, check=False).returncode == 0


def _question(data: bytes) -> tuple[str, int, bytes]:
    """Return the name and the type that are asked for, and the question's bytes."""
    labels, at = [], 12
    while length := data[at]:
        labels.append(data[at + 1 : at + 1 + length].decode("ascii", "replace"))
        at += length + 1
    (kind,) = struct.unpack("!H", data[at + 1 : at + 3])
    return ".".join(labels), kind, data[12 : at + 5]
