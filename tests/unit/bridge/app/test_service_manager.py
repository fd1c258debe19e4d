from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest

from bridge.app.service_manager import service_manager

PROMPT = timedelta(0)


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[socket.socket]:
    """The socket of systemd."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.settimeout(5)
        yield listening


async def signs_of_life(environ: dict[str, str], waited: timedelta, manager: socket.socket) -> list[bytes]:
    """Keep alive for about a tenth of a second, and return what was said."""
    with suppress(TimeoutError):
        async with asyncio.timeout(0.1):
            await service_manager(environ).keep_alive(lambda: waited)
    said = []
    manager.setblocking(False)
    with suppress(BlockingIOError):
        while True:
            said.append(manager.recv(64))
    return said


def test_what_systemd_waits_for_is_said_in_its_words(manager: socket.socket) -> None:
    told = service_manager({"NOTIFY_SOCKET": manager.getsockname()})
    told.ready()
    told.stopping()
    assert [manager.recv(64), manager.recv(64)] == [b"READY=1", b"STOPPING=1"]


def test_a_socket_without_a_file_is_reached() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(f"\0ocpp-bridge-test-{os.getpid()}")
        listening.settimeout(5)
        service_manager({"NOTIFY_SOCKET": f"@ocpp-bridge-test-{os.getpid()}"}).ready()
        assert listening.recv(64) == b"READY=1"


async def test_signs_of_life_come_three_times_within_the_patience(manager: socket.socket) -> None:
    environ = {"NOTIFY_SOCKET": manager.getsockname(), "WATCHDOG_USEC": "60000", "WATCHDOG_PID": str(os.getpid())}
    said = await signs_of_life(environ, PROMPT, manager)
    assert set(said) == {b"WATCHDOG=1"}
    assert len(said) >= 3


async def test_a_writer_that_does_not_come_to_an_end_is_no_sign_of_life(manager: socket.socket) -> None:
    environ = {"NOTIFY_SOCKET": manager.getsockname(), "WATCHDOG_USEC": "60000"}
    assert await signs_of_life(environ, timedelta(milliseconds=31), manager) == []


@pytest.mark.parametrize(
    "environ",
    [
        pytest.param({}, id="nobody"),
        pytest.param({"NOTIFY_SOCKET": "vsock:2:1234"}, id="an address of another kind"),
        pytest.param({"NOTIFY_SOCKET": "/run/nobody/listens"}, id="a socket that is gone"),
    ],
)
def test_a_bridge_without_a_service_manager_says_nothing(environ: dict[str, str]) -> None:
    told = service_manager(environ)
    told.ready()
    assert told.patience is None


@pytest.mark.parametrize(
    "environ",
    [
        pytest.param({"WATCHDOG_USEC": "60000", "WATCHDOG_PID": "1"}, id="meant for another process"),
        pytest.param({"WATCHDOG_USEC": "0"}, id="switched off"),
        pytest.param({"WATCHDOG_USEC": "soon"}, id="no number"),
    ],
)
def test_no_sign_of_life_is_promised_where_nobody_waits_for_one(environ: dict[str, str]) -> None:
    assert service_manager({"NOTIFY_SOCKET": "/run/systemd/notify", **environ}).patience is None
