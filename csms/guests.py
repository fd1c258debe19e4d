"""Be the host of guests: stations in quarantine, which are told to wait and whose reports go nowhere.

Never records anything but what a guest says of itself when it boots, and never gives an identity to a counter. Before
it: `calls`, which asks it as it asks the real host. After it: `ports.Newcomers`.

Source: OCPP 1.6 §4.2: while Pending, the connection stays open and a station sends nothing but BootNotification and
what it is asked for; OCPP 2.0.1 Part 2, B02. Everything else is answered SecurityError (`calls`).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from csms.calls import Host
from csms.events import (
    Epoch,
    OcppVersion,
    Receipt,
    StationBooted,
    StationConnected,
    StationDisconnected,
    StationEvent,
    StationId,
)
from csms.ports import Counter, Newcomers, Replies

RETRY_INTERVAL = timedelta(seconds=60)
"""What a guest is told to wait before its next BootNotification."""

_NOTHING = Receipt(0)


class GuestRecorder:
    """Keeps what a guest says of itself; everything else is dropped. Implements `ports.Recorder`."""

    def __init__(self, newcomers: Newcomers) -> None:
        self._newcomers = newcomers

    async def open(self, connected: StationConnected) -> Epoch:
        """Never called: a guest gets its place from `unknown.Strangers`."""
        raise AssertionError(f"{connected.station} is a guest: its connection is recorded nowhere")

    async def record(self, event: StationEvent) -> Receipt:
        """Note a boot and an end; nothing is durable, and nothing is promised to a guest."""
        match event:
            case StationBooted():
                self._newcomers.described(event)
            case StationDisconnected():
                self._newcomers.left(event.station)
            case _:
                pass
        return _NOTHING

    def heard(self, station: StationId) -> None:
        """Do nothing: nobody waits for signs of life of a guest."""


class GuestReplies:
    """Answers a guest's BootNotification with Pending. Implements `ports.Replies`."""

    def __init__(self, replies: Replies) -> None:
        self._replies = replies

    async def reply(
        self, station: StationId, version: OcppVersion, action: str, payload: Mapping[str, Any], receipt: Receipt | None
    ) -> dict[str, Any]:
        """Return the real host's answer with another status; nothing but BootNotification gets here."""
        reply = await self._replies.reply(station, version, action, payload, receipt)
        if action != "BootNotification":
            return reply
        return {**reply, "status": "Pending", "interval": int(RETRY_INTERVAL.total_seconds())}


class GuestCounter:
    """Counts what guests do without their names, which anybody can make up. Implements `ports.Counter`."""

    def __init__(self, counter: Counter) -> None:
        self._counter = counter

    def count(self, what: str, station: StationId | None = None) -> None:
        """Add one to `what` of guests."""
        self._counter.count(f"guest_{what}")


def guest_host(host: Host, newcomers: Newcomers) -> Host:
    """Return what stands in for the host where a guest is served."""
    replies, counter = GuestReplies(host.replies), GuestCounter(host.counter)
    return Host(GuestRecorder(newcomers), replies, counter, host.ids, host.clock, host.wall, host.wire_log)
