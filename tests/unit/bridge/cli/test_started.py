"""What whoever starts the bridge in a terminal reads first."""

from __future__ import annotations

import platform

import pytest

from bridge.cli.output import print_started
from bridge.web.health_shapes import Status
from bridge.web.ports_file import Ports
from bridge.web.shapes import ListenerItem


def status(*listeners: ListenerItem) -> Status:
    return Status(
        version="1",
        started_at=None,
        stations=0,
        connected=0,
        evses=0,
        effective={},
        upstreams=(),
        listeners=listeners,
    )


def lines(capsys: pytest.CaptureFixture[str], found: Status, **stations: str) -> list[str]:
    print_started(Ports(9000, 8080, "127.0.0.1", 1), stations, "state", found)
    return [line.strip() for line in capsys.readouterr().err.splitlines() if "stations connect" in line]


def test_the_one_listener_is_shown_with_this_machines_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert lines(capsys, status(), default="ws://0.0.0.0:9000") == [
        f"stations connect to  ws://{platform.node()}:9000/STATION-ID (HTTP Basic: STATION-ID and its key)"
    ]


def test_each_listener_is_shown_with_its_profiles(capsys: pytest.CaptureFixture[str]) -> None:
    found = status(
        ListenerItem(name="vpn", secure=False, profiles=(0, 1)), ListenerItem(name="tls", secure=True, profiles=(3,))
    )
    assert lines(capsys, found, vpn="ws://10.0.0.1:9000", tls="wss://[::]:9443") == [
        "stations connect to  ws://10.0.0.1:9000/STATION-ID (vpn: security profile 0 or 1)",
        f"stations connect to  wss://{platform.node()}:9443/STATION-ID (tls: security profile 3)",
    ]
