"""For any bytes: a legal answer or a legal close, no exception, no other session touched, nothing left behind."""

from __future__ import annotations

import asyncio
import json
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.exceptions import ConnectionClosed

from csms.events import OcppVersion
from tests.fuzz.arena import CLOSE_CODES, MAX_SIZE, Arena, check_text
from tests.fuzz.effort import examples
from tests.fuzz.messages import answers, calls, damaged
from tests.integration.csms.fakes import KEY, PATIENCE_S, Station, basic

pytestmark = pytest.mark.row("T80")

versions = pytest.mark.parametrize("version", list(OcppVersion), ids=str)


@pytest.fixture(scope="module")
def arena() -> Iterator[Arena]:
    made = Arena()
    load_hypothesis()
    yield made
    made.close()


@given(st.text())
@examples(1)
def load_hypothesis(_: str) -> None:
    """Draw one text: Hypothesis then reads a table of characters, which would be counted as memory of the server."""


# --- messages: what OCPP-J is misused for ---------------------------------------------------------------------------

rubbish = st.one_of(
    st.binary(max_size=400),
    st.text(max_size=400),
    damaged(),
    damaged().map(lambda text: text.encode(errors="replace")),
    answers.map(json.dumps),
)


async def send(station: Station, message: object) -> None:
    """Send text as a text frame even where no UTF-8 can carry it."""
    if isinstance(message, str):
        await station.socket.send(message.encode(errors="surrogatepass"), text=True)
    else:
        assert isinstance(message, bytes)
        await station.socket.send(message)


sent = st.lists(st.one_of(rubbish, calls.map(lambda call: call[2:])), min_size=1, max_size=12)


@versions
def test_any_messages_are_answered_and_every_valid_call_once(arena: Arena, version: OcppVersion) -> None:
    async def attack(messages: list[object]) -> None:
        station = await arena.station("BAD", version)
        expected = []
        for number, message in enumerate(messages):
            if isinstance(message, tuple):
                expected.append(f"valid {number}")
                await station.send([2, expected[-1], *message])
            else:
                await send(station, message)
        await station.send([2, "the last one", "Heartbeat", {}])
        ids: list[str] = []
        async with asyncio.timeout(PATIENCE_S):
            while not ids or ids[-1] != "the last one":
                ids.append(check_text(await station.socket.recv(), version)[1])
        assert [id for id in ids if id.startswith("valid ")] == expected
        await station.socket.close()

    @given(sent)
    @examples(40)
    def attacks(messages: list[object]) -> None:
        arena.run(arena.beside(lambda: attack(messages), version))

    with arena.leaves_nothing(version):
        attacks()


@versions
def test_strict_station_is_answered_or_closed_with_1003_or_1007(arena: Arena, version: OcppVersion) -> None:
    async def attack(messages: list[object]) -> None:
        station = await arena.station("STRICT", version)
        try:
            for message in messages:
                await send(station, json.dumps([2, "v", *message]) if isinstance(message, tuple) else message)
            await station.send([2, "the last one", "Heartbeat", {}])
            async with asyncio.timeout(PATIENCE_S):
                while check_text(await station.socket.recv(), version)[1] != "the last one":
                    continue
        except ConnectionClosed:
            assert await station.closed() in (1003, 1007)
        await station.socket.close()

    @given(sent)
    @examples(20)
    def attacks(messages: list[object]) -> None:
        arena.run(arena.beside(lambda: attack(messages), version))

    with arena.leaves_nothing(version):
        attacks()


@versions
def test_nothing_of_what_a_station_said_stays_in_memory(arena: Arena, version: OcppVersion) -> None:
    """Say 1.5 MB, which is so much more than may be kept that a server which kept a part of it would show."""

    async def attack() -> None:
        station = await arena.station("BAD", version)
        for number in range(100):
            text = f"{number:04}" * 1_000
            await station.send([2, f"valid {number}", "DataTransfer", {"vendorId": "x", "data": text}])
            await station.send([3, f"unasked {number}", {"text": text}])
            await station.send([4, f"unasked {number}", "GenericError", text, {}])
            await send(station, f'[2,"broken {number}","{text}')
            await station.send([2, f"end {number}", "Heartbeat", {}])
            async with asyncio.timeout(PATIENCE_S):
                while check_text(await station.socket.recv(), version)[1] != f"end {number}":
                    continue
        await station.socket.close()

    with arena.leaves_nothing(version):
        arena.run(arena.beside(attack, version))


# --- bytes: what RFC 6455 is misused for ----------------------------------------------------------------------------


def frame(opcode: int, data: bytes, *, fin: bool = True, reserved: int = 0, mask: bytes | None = b"\1\2\3\4") -> bytes:
    """Write one frame as RFC 6455 §5.2 draws it, sane or not."""
    head = bytes([fin << 7 | reserved << 4 | opcode])
    masked = 0 if mask is None else 0x80
    if len(data) < 126:
        head += bytes([masked | len(data)])
    elif len(data) < 2**16:
        head += bytes([masked | 126]) + struct.pack("!H", len(data))
    else:
        head += bytes([masked | 127]) + struct.pack("!Q", len(data))
    if mask is None:
        return head + data
    return head + mask + bytes(byte ^ mask[index % 4] for index, byte in enumerate(data))


def deflated(data: bytes) -> bytes:
    compressor = zlib.compressobj(wbits=-9)
    return (compressor.compress(data) + compressor.flush(zlib.Z_SYNC_FLUSH))[:-4]


call_frames = calls.map(lambda call: frame(1, json.dumps(call).encode()))
wild_frames = st.builds(
    frame,
    st.integers(0, 15),
    st.binary(max_size=200),
    fin=st.booleans(),
    reserved=st.sampled_from([0, 0, 0, 4, 1, 7]),
    mask=st.sampled_from([b"\1\2\3\4", b"\0\0\0\0", None]),
)
close_frames = st.builds(
    lambda code, reason: frame(8, struct.pack("!H", code) + reason), st.integers(0, 65535), st.binary(max_size=130)
)
lengths = st.builds(
    lambda opcode, length, data: bytes([0x80 | opcode, 0xFF]) + struct.pack("!Q", length) + b"\0\0\0\0" + data,
    st.sampled_from([1, 2, 9]),
    st.sampled_from([0, 1, 125, MAX_SIZE, MAX_SIZE + 1, 2**31, 2**63 - 1, 2**63, 2**64 - 1]),
    st.binary(max_size=50),
)
fragments = st.builds(
    lambda count, data, end: frame(1, b"[", fin=False) + frame(0, data, fin=False) * count + frame(0, b"]") * end,
    st.sampled_from([1, 10, 5_000]),
    st.binary(max_size=8),
    st.integers(0, 1),
)
bombs = st.sampled_from([100, MAX_SIZE, MAX_SIZE * 100]).map(lambda size: frame(1, deflated(b"x" * size), reserved=4))
pings = st.integers(1, 300).map(lambda count: frame(9, b"ping") * count)
chunks = st.one_of(
    call_frames, wild_frames, close_frames, lengths, fragments, bombs, pings, st.binary(min_size=1, max_size=300)
)


@dataclass(frozen=True)
class Attack:
    chunks: list[bytes]
    cut: int
    """Bytes of the last chunk that are never sent."""
    compressed: bool
    lingers: bool
    """The station does not hang up where the server does: no session may wait for it."""


bytes_attacks = st.builds(
    Attack, st.lists(chunks, min_size=1, max_size=8), st.sampled_from([0, 0, 0, 1, 3]), st.booleans(), st.booleans()
)


def check_stream(data: bytes, version: OcppVersion, compressed: bool) -> None:
    """Check that these bytes are legal frames of a server, and that nothing follows its close frame."""
    inflate = zlib.decompressobj(-15)
    closed = False
    while data:
        assert not closed, "a frame after the close frame"
        opcode, length, head = data[0] & 0x0F, data[1], 2
        assert data[1] & 0x80 == 0, "a server never masks"
        assert data[0] & 0x80, "nothing of ours is fragmented"
        if length == 126:
            length, head = struct.unpack("!H", data[2:4])[0], 4
        assert length != 127
        body, data = data[head : head + length], data[head + length :]
        match opcode:
            case 1:
                if compressed:
                    body = inflate.decompress(body + b"\x00\x00\xff\xff")
                check_text(body, version)
            case 8:
                code = struct.unpack("!H", body[:2])[0] if body else 1000
                assert code in CLOSE_CODES or 3000 <= code < 5000
                body[2:].decode()
                closed = True
            case _:
                assert opcode == 10


async def read_on(reader: asyncio.StreamReader, received: bytearray, seconds: float) -> bool:
    """Read until the server ends the connection; False where it has not within that time."""
    try:
        async with asyncio.timeout(seconds):
            while data := await reader.read(65_536):
                received += data
    except TimeoutError:
        return False
    except ConnectionError:
        return True
    return True


@versions
def test_any_bytes_behind_the_handshake_are_answered_legally_or_closed(arena: Arena, version: OcppVersion) -> None:
    async def attack(what: Attack) -> None:
        reader, writer = await arena.upgraded("BAD", version, compressed=what.compressed)
        whole = b"".join(what.chunks)
        writer.write(whole[: len(whole) - what.cut])
        received = bytearray()
        ended = what.lingers and await read_on(reader, received, 0.05)
        if ended:
            await arena.forgets("BAD")
        else:
            if writer.can_write_eof():
                writer.write_eof()
            assert await read_on(reader, received, PATIENCE_S)
        writer.close()
        await arena.forgets("BAD")  # or the next attack takes its place: with four of those the station flaps
        check_stream(bytes(received), version, compressed=what.compressed and version is not OcppVersion.V16)

    @given(bytes_attacks)
    @examples(80)
    def attacks(what: Attack) -> None:
        arena.run(arena.beside(lambda: attack(what), version))

    with arena.leaves_nothing(version):
        attacks()


# --- bytes from the first one on: what HTTP is misused for ------------------------------------------------------------

REQUEST = (
    "GET /SHAKER HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n"
    f"Sec-WebSocket-Protocol: ocpp1.6\r\nAuthorization: {basic('SHAKER', KEY)}\r\n\r\n"
).encode()
PAGE = b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"
inserted = st.sampled_from([b"", b"\r\n", b"\n", b":", b"%ff", b"%00", b"\0", b"//", b"?", b"@", b"[", b" ", b"\xff"])


@st.composite
def requests(draw: st.DrawFn) -> bytes:
    """A handshake with a few slices cut out, doubled or replaced, and what does not wait for its answer."""
    request = draw(st.sampled_from([REQUEST, REQUEST, PAGE]))
    for _ in range(draw(st.integers(0, 2))):
        start = draw(st.integers(0, len(request)))
        end = draw(st.integers(start, min(len(request), start + 12)))
        request = request[:start] + draw(inserted | st.just(request[start:end] * 2)) + request[end:]
    return request + draw(st.just(b"") | chunks)


def test_any_bytes_instead_of_a_handshake_are_answered_by_http_or_closed(arena: Arena) -> None:
    async def attack(data: bytes) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", arena.port)
        writer.write(data)
        received = bytearray()
        if not await read_on(reader, received, 0.05):
            if writer.can_write_eof():
                writer.write_eof()
            assert await read_on(reader, received, PATIENCE_S)
        writer.close()
        await arena.forgets("SHAKER")
        head, _, rest = bytes(received).partition(b"\r\n\r\n")
        if head.startswith(b"HTTP/1.1 101 "):
            check_stream(rest, OcppVersion.V16, compressed=False)
        else:
            assert not head or head.startswith(b"HTTP/1.1 ")

    @given(st.binary(max_size=300) | requests())
    @examples(150)
    def attacks(data: bytes) -> None:
        arena.run(arena.beside(lambda: attack(data), OcppVersion.V16))

    with arena.leaves_nothing(OcppVersion.V16):
        attacks()
