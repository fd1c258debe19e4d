"""Every kind of bad input gets the answer that its OCPP version asks for, and costs nobody else anything.

The messages are in `bad_messages`; here is what the WebSocket itself is misused for, and what takes more than one
message. Numbered as in the list of bad input and attacks (B1 to B38). Close codes: RFC 6455 §7.4.1.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest

from csms.events import StatusReported
from tests.integration.csms.bad_messages import CANARY, ROWS, Row, call, connector
from tests.integration.csms.conftest import Site
from tests.integration.csms.fakes import BOOT_16, BOOT_201, STATUS_16, STATUS_201, Station, dial

pytestmark = pytest.mark.row("T79")

SiteOf = Callable[..., Awaitable[Site]]
VERSIONS = ("ocpp1.6", "ocpp2.0.1")


@dataclass(frozen=True)
class Pair:
    """A station under test and a witness beside it."""

    site: Site
    bad: Station
    witness: Station

    async def answers(self) -> list[list[Any]]:
        """Return what was sent back before the answer to one more Heartbeat."""
        await self.bad.send([2, "after", "Heartbeat", {}])
        seen = []
        while (frame := await self.bad.receive())[1] != "after":
            seen.append(frame)
        return seen

    async def assert_nobody_else_noticed(self) -> None:
        assert (await self.witness.call("Heartbeat", {}))[0] == 3
        assert self.site.counter.counts["frame_failed"] == 0
        assert len(self.site.recorder.opened) == 2


async def pair(site: Site, version: str, *, strict: bool = False, **options: Any) -> Pair:
    site.registry.add("BAD", strict=strict)
    site.registry.add("WITNESS")
    witness = await dial(site.port, "WITNESS", offers=[version])
    return Pair(site, await dial(site.port, "BAD", offers=[version], **options), witness)


@pytest.mark.parametrize(
    ("row", "version"),
    [
        pytest.param(row, version, id=f"{row.id}-{version.removeprefix('ocpp')}")
        for row in ROWS
        for version in VERSIONS
        if row.expected(version) is not None
    ],
)
async def test_bad_message_gets_the_answer_of_its_version(site: Site, row: Row, version: str) -> None:
    both = await pair(site, version, strict=row.strict)
    frame = row.sent(version)
    # Text whatever is in it: only B4 is about binary frames.
    await both.bad.socket.send(frame, text=True)
    answers = await both.answers()
    assert tuple(tuple(answer[: 2 if answer[0] == 3 else 3]) for answer in answers) == row.expected(version)
    for answer in answers:
        assert CANARY not in json.dumps(answer)
        if answer[0] == 4:
            assert answer[4] == {}
            assert len(answer[3]) <= 255
    if row.counted is not None:
        assert site.counter.counts[row.counted] == 1
    assert len(site.recorder.of(StatusReported)) == row.recorded
    await both.assert_nobody_else_noticed()


@pytest.mark.parametrize("version", VERSIONS)
async def test_server_that_is_strict_is_strict_with_every_station(site_of: SiteOf, version: str) -> None:
    site = await site_of(strict=True)
    both = await pair(site, version)
    await both.bad.send(connector("1")[VERSIONS.index(version)])
    [answer] = await both.answers()
    assert answer[:3] == [4, "b", "TypeConstraintViolation"]


# --- B1 to B7: what RFC 6455 ends the connection for ----------------------------------------------------------------


async def declared(station: Station) -> None:
    await station.socket.send("x" * 10_001)


async def fragmented(station: Station) -> None:
    await station.socket.send(["x" * 1_000] * 11)


async def tiny_fragments(station: Station) -> None:
    await station.socket.send([""] * 5_000)


async def binary(station: Station) -> None:
    await station.send(call("Heartbeat", {}).encode())


async def not_utf8(station: Station) -> None:
    await station.socket.send(b'[2,"b","Heartbeat",{"a":"\xff"}]', text=True)


def raw(data: bytes) -> Callable[[Station], Awaitable[None]]:
    async def send(station: Station) -> None:
        station.socket.transport.write(data)

    return send


MASK = b"\0\0\0\0"


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("attack", "strict", "code"),
    [
        pytest.param(declared, False, 1009, id="B1-declared"),
        pytest.param(fragmented, False, 1009, id="B1-fragmented"),
        pytest.param(raw(b"\x81\xff" + b"\x7f" + b"\xff" * 7 + MASK), False, 1009, id="B1-eight-exabytes"),
        pytest.param(tiny_fragments, False, 1009, id="B2-empty-fragments"),
        pytest.param(binary, True, 1003, id="B4-binary-strict"),
        pytest.param(not_utf8, True, 1007, id="B5-not-utf8-strict"),
        pytest.param(raw(b"\x81\x02[]"), False, 1002, id="B6-unmasked"),
        pytest.param(raw(b"\x83\x80" + MASK), False, 1002, id="B6-reserved-opcode"),
        pytest.param(raw(b"\x8b\x80" + MASK), False, 1002, id="B6-reserved-control-opcode"),
        pytest.param(raw(b"\xa1\x80" + MASK), False, 1002, id="B6-reserved-bit"),
        pytest.param(raw(b"\x89\xfe\x00\x7e" + MASK + b"x" * 126), False, 1002, id="B6-long-ping"),
        pytest.param(raw(b"\x09\x80" + MASK), False, 1002, id="B6-fragmented-ping"),
        pytest.param(raw(b"\x80\x80" + MASK), False, 1002, id="B6-continuation-of-nothing"),
        pytest.param(raw(b"\x88\x81" + MASK + b"x"), False, 1002, id="B6-close-of-one-byte"),
    ],
)
async def test_bad_frame_of_the_websocket_ends_that_connection_alone(
    site_of: SiteOf, version: str, attack: Callable[[Station], Awaitable[None]], strict: bool, code: int
) -> None:
    site = await site_of(max_size=10_000)
    both = await pair(site, version, strict=strict, compression=None)
    await attack(both.bad)
    assert await both.bad.closed() == code
    await both.assert_nobody_else_noticed()


async def test_message_is_measured_after_inflating(site_of: SiteOf) -> None:
    """B3. OCPP 1.6 is never compressed."""
    site = await site_of(max_size=10_000)
    both = await pair(site, "ocpp2.0.1")
    deflate = zlib.compressobj(9, zlib.DEFLATED, -9)
    bomb = (deflate.compress(b"x" * 200_000) + deflate.flush(zlib.Z_SYNC_FLUSH))[:-4]
    assert len(bomb) < 1_000
    head = b"\xc1\xfe" + len(bomb).to_bytes(2, "big") + MASK
    both.bad.socket.transport.write(head + bomb)
    assert await both.bad.closed() == 1009
    await both.assert_nobody_else_noticed()


@pytest.mark.parametrize("version", VERSIONS)
async def test_binary_frame_with_json_is_taken(site: Site, version: str) -> None:
    """B4: a station that mixes up the opcodes is understood, unless it is to be certified."""
    both = await pair(site, version)
    await both.bad.send(call("Heartbeat", {}).encode())
    assert [answer[:2] for answer in await both.answers()] == [[3, "b"]]
    await both.assert_nobody_else_noticed()


# --- B30 to B38: sequences ------------------------------------------------------------------------------------------

START = {"connectorId": 1, "idTag": "TAG", "meterStart": 0, "timestamp": "2026-11-21T10:00:00Z"}


async def test_transition_that_the_standard_does_not_list_is_taken(site: Site) -> None:
    """B30: MinimumStatusDuration hides what was between (OCPP 1.6 §4.9)."""
    station = (await pair(site, "ocpp1.6")).bad
    for word in ("Available", "Finishing", "Reserved", "Charging"):
        assert (await station.call("StatusNotification", {**STATUS_16, "status": word}))[0] == 3
    assert [event.status for event in site.recorder.of(StatusReported)] == [
        "Available",
        "Finishing",
        "Reserved",
        "Charging",
    ]


@pytest.mark.parametrize("version", VERSIONS)
async def test_replayed_request_gets_the_same_answer_and_is_recorded_once(site: Site, version: str) -> None:
    """B31."""
    both = await pair(site, version)
    frame = call("StatusNotification", STATUS_16 if version == "ocpp1.6" else STATUS_201)
    for _ in range(3):
        await both.bad.send(frame)
    assert await both.answers() == [[3, "b", {}]] * 3
    assert len(site.recorder.of(StatusReported)) == 1
    assert site.counter.counts["call_repeated"] == 2
    await both.assert_nobody_else_noticed()


async def test_replayed_start_of_a_transaction_gets_the_same_transaction(site: Site) -> None:
    """B31: two ids for one transaction would leave one open for ever."""
    both = await pair(site, "ocpp1.6")
    for _ in range(2):
        await both.bad.send(call("StartTransaction", START))
    answers = await both.answers()
    assert [answer[2]["transactionId"] for answer in answers] == [1, 1]
    assert len(site.recorder.events) == 1


async def test_replay_on_another_connection_is_a_new_request(site: Site) -> None:
    """B31: stations number their messages anew after a restart."""
    both = await pair(site, "ocpp1.6")
    await both.bad.send(call("StartTransaction", START))
    first = (await both.bad.receive())[2]["transactionId"]
    await both.bad.socket.close()
    again = await dial(site.port, "BAD")
    await again.send(call("StartTransaction", START))
    assert (first, (await again.receive())[2]["transactionId"]) == (1, 2)


@pytest.mark.parametrize("version", VERSIONS)
async def test_reused_id_with_another_payload_is_a_new_request(site: Site, version: str) -> None:
    """B32."""
    both = await pair(site, version)
    for number in (1, 2):
        await both.bad.send(connector(number)[VERSIONS.index(version)])
    assert await both.answers() == [[3, "b", {}]] * 2
    assert [event.connector for event in site.recorder.of(StatusReported)] == [1, 2]
    assert site.counter.counts["call_id_reused"] == 1


@pytest.mark.parametrize("version", VERSIONS)
async def test_request_that_failed_is_done_again_under_its_id(site: Site, version: str) -> None:
    """B31: a CALLERROR is no answer to keep."""
    both = await pair(site, version)
    site.recorder.down = True
    frame = connector(1)[VERSIONS.index(version)]
    await both.bad.send(frame)
    assert (await both.bad.receive())[:3] == [4, "b", "InternalError"]
    site.recorder.down = False
    await both.bad.send(frame)
    assert await both.bad.receive() == [3, "b", {}]


@pytest.mark.parametrize("version", VERSIONS)
async def test_requests_that_do_not_wait_for_their_answers_are_answered_in_order(site: Site, version: str) -> None:
    """B35."""
    both = await pair(site, version)
    for number in range(20):
        await both.bad.send([2, f"q{number}", "Heartbeat", {}])
    assert [answer[1] for answer in await both.answers()] == [f"q{number}" for number in range(20)]


@pytest.mark.parametrize("version", VERSIONS)
async def test_before_its_boot_a_station_is_told_to_boot(site: Site, version: str) -> None:
    """B38: OCPP-J 1.6 errata §3.8 (recommended); OCPP 2.0.1 Part 2 B01.FR.10 (SHALL)."""
    site.registry.add("NEW", accepted=False)
    station = await dial(site.port, "NEW", offers=[version])
    first, second = connector(1)[VERSIONS.index(version)], connector(2)[VERSIONS.index(version)]
    await station.send(first)
    assert (await station.receive())[:3] == [4, "b", "SecurityError"]
    assert (await station.call("BootNotification", BOOT_16 if version == "ocpp1.6" else BOOT_201))[0] == 3
    await station.send(second)
    assert await station.receive() == [3, "b", {}]
    assert len(site.recorder.of(StatusReported)) == 1
