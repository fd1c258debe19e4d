"""Stations that the registry does not know, over real sockets: refused, in quarantine, or taken in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus

from csms.auth import matches
from csms.events import (
    AttemptRefused,
    OcppVersion,
    SecurityProfile,
    StationBooted,
    StationId,
    StationVisited,
    StatusReported,
)
from csms.options import ServerOptions, UnknownPolicy
from csms.records import Credential, StationRecord
from csms.replies import LocalReplies, ReplyOptions
from csms.server import CentralSystem
from tests.acceptance.processes import until as look_until
from tests.integration.csms.fakes import (
    BOOT_16,
    BOOT_201,
    KEY,
    PATIENCE_S,
    PEPPER,
    STATUS_16,
    FakeAttempts,
    FakeCounter,
    FakeRecorder,
    FakeRegistry,
    Station,
    basic,
    dial,
)

LOOPBACK = (ip_network("127.0.0.0/8"),)


@dataclass
class FakeNewcomers:
    """Keeps strangers in memory; `full` takes no more of them in."""

    registry: FakeRegistry
    visits: list[StationVisited] = field(default_factory=list)
    boots: list[StationBooted] = field(default_factory=list)
    gone: list[StationId] = field(default_factory=list)
    full: bool = False
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    def arrived(self, visit: StationVisited) -> None:
        self.visits.append(visit)

    def described(self, boot: StationBooted) -> None:
        self.boots.append(boot)

    def left(self, station: StationId) -> None:
        self.gone.append(station)

    async def accept(self, identity: str, credential: Credential | None) -> StationRecord | None:
        if self.full:
            return None
        known = await self.registry.find(identity)
        if known is None:
            security = SecurityProfile.NONE if credential is None else SecurityProfile.BASIC
            known = StationRecord(
                StationId(identity), credential, None, accepted=False, connectors=(), security=security
            )
            self.registry.records[identity.casefold()] = known
        return known


@dataclass
class Door:
    """A central system with somebody at the door."""

    registry: FakeRegistry
    recorder: FakeRecorder
    newcomers: FakeNewcomers
    attempts: FakeAttempts
    counter: FakeCounter
    central: CentralSystem
    port: int


DoorOf = Callable[..., Awaitable[Door]]


@pytest.fixture
async def door_of() -> AsyncIterator[DoorOf]:
    """Give a factory: policy and options in, a running central system out."""
    doors: list[Door] = []

    async def build(policy: str, *, calm_after: timedelta = timedelta(minutes=5), **changes: Any) -> Door:
        times: dict[str, Any] = {"close_timeout": timedelta(seconds=1), "stop_timeout": timedelta(seconds=3)}
        quiet: dict[str, Any] = {"settle": timedelta(hours=1), "settle_after_boot": timedelta(hours=1)}
        options = ServerOptions(
            port=0, unknown_stations=UnknownPolicy(policy), **{**times, **quiet, "accept_from": LOOPBACK, **changes}
        )
        registry, attempts, counter, recorder = FakeRegistry(), FakeAttempts(), FakeCounter(), FakeRecorder()
        newcomers = FakeNewcomers(registry)
        central = CentralSystem(
            options,
            registry,
            recorder,
            LocalReplies(lambda: datetime.now(UTC), ReplyOptions()),
            counter,
            PEPPER,
            newcomers=newcomers,
            attempts=attempts,
            calm_after=calm_after,
        )
        doors.append(Door(registry, recorder, newcomers, attempts, counter, central, await central.start()))
        return doors[-1]

    yield build
    for door in doors:
        await door.central.stop()


async def refusal(door: Door, identity: str = "CP1", **options: Any) -> tuple[int, str]:
    with pytest.raises(InvalidStatus) as caught:
        await dial(door.port, identity, **options)
    response = caught.value.response
    return response.status_code, (response.body or b"").decode()


async def until(look: Callable[[], bool]) -> None:
    await look_until(look, PATIENCE_S, "what was waited for", every=0.01)


# --- quarantine -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("offer", "boot", "said"),
    [
        pytest.param("ocpp1.6", BOOT_16, ("Vendor", "Model"), id="1.6"),
        pytest.param("ocpp2.0.1", BOOT_201, ("Vendor", "Model"), id="2.0.1"),
    ],
)
async def test_a_guest_is_told_to_wait_and_what_it_says_of_itself_is_noted(
    door_of: DoorOf, offer: str, boot: dict[str, Any], said: tuple[str, str]
) -> None:
    door = await door_of("quarantine")
    station = await dial(door.port, "NEW1", offers=[offer], password=None)
    kind, _, answer = await station.call("BootNotification", boot)
    assert (kind, answer["status"], answer["interval"]) == (3, "Pending", 60)
    assert door.newcomers.visits == [StationVisited(StationId("NEW1"), OcppVersion(offer), "127.0.0.1", False)]
    assert [(each.vendor, each.model) for each in door.newcomers.boots] == [said]
    assert door.central.guests == {"NEW1"}


@pytest.mark.row("T66")
async def test_nothing_else_of_a_guest_counts_or_is_recorded(door_of: DoorOf) -> None:
    door = await door_of("quarantine")
    station = await dial(door.port, "NEW1")
    await station.call("BootNotification", BOOT_16)
    for action, payload in (("StatusNotification", STATUS_16), ("Heartbeat", {}), ("Authorize", {"idTag": "A"})):
        answer = await station.call(action, payload)
        assert answer[0] == 4
        assert answer[2] == "SecurityError"
    assert door.recorder.events == []
    assert door.recorder.opened == []
    assert not door.recorder.heard_of
    assert door.central.connected == {}
    assert not door.central.is_connected(StationId("NEW1"))


async def test_a_guest_that_does_not_boot_is_asked_to_once(door_of: DoorOf) -> None:
    nothing = timedelta(0)
    door = await door_of("quarantine", first_call_wait=nothing, settle=nothing, trigger_timeout=timedelta(seconds=0.05))
    station = await dial(door.port, "NEW1")
    kind, number, action, payload = await station.receive()
    assert (kind, action, payload) == (2, "TriggerMessage", {"requestedMessage": "BootNotification"})
    await station.send([3, number, {"status": "Rejected"}])
    answer = await station.call("StatusNotification", STATUS_16)
    assert (answer[0], answer[2]) == (4, "SecurityError")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(station.socket.recv(), 0.2)


async def test_a_guest_that_boots_is_not_asked_for_anything(door_of: DoorOf) -> None:
    nothing = timedelta(0)
    door = await door_of("quarantine", settle_after_boot=nothing)
    station = await dial(door.port, "NEW1")
    assert (await station.call("BootNotification", BOOT_16))[2]["status"] == "Pending"
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(station.socket.recv(), 0.2)
    assert station.socket.state.name == "OPEN"


async def test_credentials_of_a_guest_are_noted_and_never_looked_into(door_of: DoorOf) -> None:
    door = await door_of("quarantine")
    await dial(door.port, "NEW1", password=None, headers={"Authorization": "Basic no base64 at all"})
    assert [visit.showed_credentials for visit in door.newcomers.visits] == [True]


async def test_identities_that_nobody_could_copy_are_refused(door_of: DoorOf) -> None:
    door = await door_of("quarantine")
    assert await refusal(door, path="/ocpp/a%20b") == (404, "unknown charging station\n")
    assert door.newcomers.visits == []


async def test_the_eleventh_socket_of_one_address_is_refused_until_one_is_gone(door_of: DoorOf) -> None:
    door = await door_of("quarantine")
    stations = [await dial(door.port, f"NEW{number}") for number in range(10)]
    assert await refusal(door, "NEW10") == (429, "too many unknown stations of this address\n")
    await stations[0].socket.close()
    await until(lambda: len(door.central.guests) == 9)
    await dial(door.port, "NEW10")


async def test_thousands_of_made_up_identities_leave_nothing_behind(door_of: DoorOf) -> None:
    door = await door_of("quarantine")
    before = len(asyncio.all_tasks())

    async def knock(first: int) -> None:
        for number in range(first, first + 500):
            try:
                station = await dial(door.port, f"NEW{number}", password=None)
            except InvalidStatus:
                continue
            station.socket.transport.abort()

    await asyncio.gather(*(knock(first) for first in range(0, 2000, 500)))
    await until(lambda: not door.central.guests)
    await until(lambda: len(asyncio.all_tasks()) <= before)
    assert len({visit.station for visit in door.newcomers.visits}) > 1000
    assert not [what for what in door.counter.counts if "NEW" in what]
    await dial(door.port, "LAST")


async def test_the_newest_of_two_guests_with_one_identity_stays(door_of: DoorOf) -> None:
    door = await door_of("quarantine")
    first, second = await dial(door.port, "NEW1"), await dial(door.port, "NEW1")
    assert await first.closed() == 1008
    assert (await second.call("BootNotification", BOOT_16))[2]["status"] == "Pending"
    assert door.central.guests == {"NEW1"}
    assert door.central.flapping() == ()


async def test_guests_are_dismissed_in_whatever_spelling_and_no_other(door_of: DoorOf) -> None:
    door = await door_of("quarantine")
    station, other = await dial(door.port, "New1"), await dial(door.port, "NEW2")
    door.central.dismiss_guests([StationId("NEW1")])
    assert await station.closed() == 1008
    assert (await other.call("BootNotification", BOOT_16))[2]["status"] == "Pending"
    await until(lambda: door.newcomers.gone == ["New1"])


async def test_a_known_station_is_no_guest(door_of: DoorOf) -> None:
    door = await door_of("quarantine")
    door.registry.add("CP1")
    station = await dial(door.port)
    assert (await station.call("BootNotification", BOOT_16))[2]["status"] == "Accepted"
    assert (await refusal(door, password=b"another key 4321"))[0] == 401
    assert door.newcomers.visits == []


# --- accept ---------------------------------------------------------------------------------------------------------


async def boot_and_report(station: Station) -> None:
    assert (await station.call("BootNotification", BOOT_16))[2]["status"] == "Accepted"
    assert (await station.call("StatusNotification", STATUS_16))[0] == 3


async def test_an_accepted_stranger_is_a_station_like_any_other(door_of: DoorOf) -> None:
    door = await door_of("accept")
    station = await dial(door.port, "SIM1", password=None)
    await boot_and_report(station)
    assert [event.station for event in door.recorder.of(StatusReported)] == ["SIM1"]
    assert door.central.is_connected(StationId("SIM1"))


async def test_an_accepted_stranger_is_held_to_the_key_that_it_showed(door_of: DoorOf) -> None:
    door = await door_of("accept")
    await dial(door.port, "SIM1", password=KEY)
    credential = door.registry.records["sim1"].credential
    assert credential is not None
    assert matches(credential, PEPPER, KEY)
    assert (await refusal(door, "SIM1", password=b"another key 4321"))[0] == 401
    assert (await refusal(door, "SIM1", password=None))[0] == 401


async def test_outside_of_its_networks_accept_is_reject(door_of: DoorOf) -> None:
    door = await door_of("accept", accept_from=(ip_network("192.0.2.0/24"),))
    assert await refusal(door, "SIM1") == (404, "unknown charging station\n")
    assert door.registry.records == {}


async def test_nobody_is_taken_in_whose_handshake_cannot_succeed(door_of: DoorOf) -> None:
    door = await door_of("accept")
    assert (await refusal(door, "SIM1", offers=["mqtt"]))[0] == 400
    assert door.registry.records == {}


async def test_a_full_bench_takes_no_more(door_of: DoorOf) -> None:
    door = await door_of("accept")
    door.newcomers.full = True
    assert await refusal(door, "SIM1") == (503, "too many unknown stations\n")


# --- attempts -------------------------------------------------------------------------------------------------------


async def test_every_refused_handshake_is_kept_with_its_reason(door_of: DoorOf) -> None:
    door = await door_of("reject")
    door.registry.add("CP1")
    door.registry.add("OPEN", key=None)
    await dial(door.port, "OPEN", password=None)
    await refusal(door, "CP9")
    await refusal(door, "CP1", password=None)
    await refusal(door, "CP1", offers=["mqtt"])
    await refusal(door, "OPEN", password=None)
    await refusal(door, "CP1", headers={"Origin": "https://evil.example", "User-Agent": "Mozilla/5.0"})
    door.registry.down = True
    await refusal(door, "CP1", user_agent_header="Firmware/1.2")
    found = [(each.identity, each.status, each.reason) for each in door.attempts.attempts]
    assert found == [
        ("CP9", 404, "unknown charging station"),
        ("CP1", 401, "credentials missing"),
        ("CP1", 400, "no common subprotocol; this server speaks ocpp1.6, ocpp2.0.1, ocpp2.1"),
        ("OPEN", 409, "this station is connected already, and alive"),
        ("CP1", 403, "web pages may not connect here"),
        ("CP1", 503, "storage is not available"),
    ]
    assert {each.address for each in door.attempts.attempts} == {"127.0.0.1"}
    assert door.attempts.attempts[-1].user_agent == "Firmware/1.2"


async def ask_plainly(port: int, *lines: str) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write("\r\n".join([*lines, "", ""]).encode())
    async with asyncio.timeout(PATIENCE_S):
        await reader.read()
    writer.close()


async def test_what_is_no_websocket_handshake_is_kept_too_but_no_health_check(door_of: DoorOf) -> None:
    door = await door_of("reject")
    door.registry.add("CP1")
    await ask_plainly(door.port, "GET /livez HTTP/1.1", "Host: x")
    await ask_plainly(door.port, "GET /ocpp/CP1 HTTP/1.1", "Host: x")
    upgrade = ("Host: x", "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Protocol: ocpp1.6")
    await ask_plainly(door.port, "GET /CP1 HTTP/1.1", *upgrade, f"Authorization: {basic('CP1', KEY)}")
    found = [(each.identity, each.status, each.reason) for each in door.attempts.attempts]
    assert found == [("CP1", 426, "no WebSocket handshake"), ("CP1", 400, "a broken WebSocket handshake")]


async def test_what_is_no_http_is_kept_and_who_hangs_up_is_not(door_of: DoorOf) -> None:
    door = await door_of("reject")
    _, writer = await asyncio.open_connection("127.0.0.1", door.port)
    writer.close()
    await writer.wait_closed()
    await ask_plainly(door.port, "\x16\x03\x01 no HTTP at all")
    async with asyncio.timeout(PATIENCE_S):
        while True:
            if door.counter.counts["handshake_unreadable"] == 2:
                break
            await asyncio.sleep(0.01)
    assert door.attempts.attempts == [AttemptRefused("", "127.0.0.1", 0, "no HTTP request")]


# --- two devices with one identity ------------------------------------------------------------------------------------


@pytest.mark.row("T55")
async def test_connections_that_replace_each_other_are_shown_until_they_calm_down(door_of: DoorOf) -> None:
    door = await door_of("reject", calm_after=timedelta(milliseconds=300))
    door.registry.add("CP1")
    for _ in range(5):
        await dial(door.port)
    await until(lambda: bool(door.central.flapping()))
    [found] = door.central.flapping()
    assert (found.station, found.addresses) == ("CP1", ("127.0.0.1",))
    assert door.counter.counts["station_flapping"] == 1
    await until(lambda: not door.central.flapping())
