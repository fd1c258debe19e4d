"""The short way for plain frames and the library, which knows every rule, read and write the same."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.extensions.permessage_deflate import PerMessageDeflate
from websockets.frames import CloseCode, Frame, Opcode
from websockets.protocol import Event, Protocol, Side, State
from websockets.server import ServerProtocol

from csms import plain_frames
from tests.fuzz.effort import examples

MASK = b"\x01\x02\x03\x04"
HI = b"\x81\x82\x01\x02\x03\x04" + bytes((ord("h") ^ 1, ord("i") ^ 2))
MOST = 300
REQUEST = (
    b"GET /CP HTTP/1.1\r\nHost: csms\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


def open_protocol(**more: object) -> Protocol:
    return Protocol(Side.SERVER, max_size=MOST, **more)  # type: ignore[arg-type]


def frame(opcode: Opcode, payload: bytes, *, fin: bool = True) -> bytes:
    return Frame(opcode, payload, fin).serialize(mask=True)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        pytest.param(HI, b"hi", id="text"),
        pytest.param(b"\x81\x80" + MASK, b"", id="empty"),
        pytest.param(b"\x81\xfe\x00\x7e" + bytes(4) + b"x" * 126, b"x" * 126, id="length-in-two-bytes"),
        pytest.param(b"\x81\xfe\x00\x7f" + bytes(4) + b"x" * 127, b"x" * 127, id="length-that-elsewhere-means-eight"),
        pytest.param(b"\x81\xfe\x00\x01" + bytes(4) + b"x", b"x", id="length-in-two-bytes-though-short"),
        pytest.param(b"\x81\x81" + bytes(4) + b"\xff", b"\xff", id="not-utf-8"),
        pytest.param(b"\x81\xfe\x01\x2c" + bytes(4) + b"x" * 300, b"x" * 300, id="longest"),
        pytest.param(b"\x81\xfe\x01\x2d" + bytes(4) + b"x" * 301, None, id="too-long"),
        pytest.param(b"\x81\xff" + bytes(7) + b"\x01" + bytes(4) + b"x", None, id="length-in-eight-bytes"),
        pytest.param(b"\x81\x02hi", None, id="unmasked"),
        pytest.param(b"\x01" + HI[1:], None, id="fragment"),
        pytest.param(b"\x82" + HI[1:], None, id="binary"),
        pytest.param(b"\xc1" + HI[1:], None, id="rsv"),
        pytest.param(b"\x89" + HI[1:], None, id="ping"),
        pytest.param(HI[:-1], None, id="part"),
        pytest.param(HI + HI, None, id="two"),
        pytest.param(b"\x81\xfe\x00\x7e\x01\x02", None, id="header-alone"),
        pytest.param(b"\x81", None, id="one-byte"),
        pytest.param(b"", None, id="nothing"),
    ],
)
def test_message_is_read_where_one_plain_frame_is_all_there_is(data: bytes, message: bytes | None) -> None:
    assert plain_frames.payload_of(data, MOST) == message


@pytest.mark.parametrize("length", [0, 1, 125, 126, 65535, 65536])
def test_frame_is_written_as_the_library_writes_it(length: int) -> None:
    text = b"x" * length
    assert plain_frames.text_frame(text) == Frame(Opcode.TEXT, text).serialize(mask=False)


def test_plain_frame_may_follow_the_handshake_and_whole_messages() -> None:
    """Were the library to change within, frames would silently go the long way: this says so."""
    protocol = ServerProtocol()
    protocol.receive_data(REQUEST)
    assert not plain_frames.may_follow(protocol)
    (request,) = protocol.events_received()
    protocol.send_response(protocol.accept(request))  # type: ignore[arg-type]  # the request that it is
    assert plain_frames.may_follow(protocol)
    protocol.receive_data(HI + frame(Opcode.PING, b""))
    assert plain_frames.may_follow(protocol)


@pytest.mark.parametrize(
    "before",
    [
        pytest.param(HI[:1], id="one-byte-of-a-frame"),
        pytest.param(HI[:2], id="header-without-mask"),
        pytest.param(HI[:6], id="header-without-payload"),
        pytest.param(HI[:7], id="part-of-a-payload"),
        pytest.param(frame(Opcode.TEXT, b"be", fin=False), id="fragment"),
        pytest.param(frame(Opcode.CLOSE, b""), id="close"),
        pytest.param(b"\xff\xff", id="broken"),
    ],
)
def test_none_may_follow_what_is_not_finished(before: bytes) -> None:
    protocol = open_protocol()
    protocol.receive_data(before)
    assert not plain_frames.may_follow(protocol)


def test_none_may_follow_where_frames_are_compressed_or_logged_or_we_have_closed() -> None:
    compressed, logged, closed = open_protocol(), open_protocol(), open_protocol()
    compressed.extensions = [PerMessageDeflate(False, False, 15, 15)]
    logged.debug = True
    closed.send_close(CloseCode.GOING_AWAY)
    assert not any(map(plain_frames.may_follow, (compressed, logged, closed)))


class Short:
    """Reads as `csms.websocket` does."""

    def __init__(self) -> None:
        self.protocol = open_protocol()
        self.events: list[Event] = []
        self.taken = 0
        self._at_frame = True

    def feed(self, data: bytes) -> None:
        message = None
        if self._at_frame and self.protocol.state is State.OPEN:
            message = plain_frames.payload_of(data, self.protocol.max_message_size)
        if message is not None:
            self.events.append(Frame(Opcode.TEXT, message))
            self.taken += 1
            return
        self.protocol.receive_data(data)
        self.events += self.protocol.events_received()
        self._at_frame = plain_frames.may_follow(self.protocol)


frames = st.one_of(
    st.binary(max_size=20).map(lambda payload: frame(Opcode.TEXT, payload)),
    st.integers(120, MOST + 5).map(lambda length: frame(Opcode.TEXT, b"x" * length)),
    st.builds(
        frame, st.sampled_from([Opcode.TEXT, Opcode.BINARY, Opcode.CONT]), st.binary(max_size=9), fin=st.booleans()
    ),
    st.sampled_from([frame(Opcode.PING, b"p"), frame(Opcode.PONG, b""), frame(Opcode.CLOSE, b"\x03\xe8")]),
    st.sampled_from(
        [b"\x81", b"\x81\x80", b"\xc1\x80" + MASK, b"\x81\x01x", b"\x81\xff" + bytes(12), b"\x83\x80" + MASK]
    ),
    st.binary(max_size=12),
)


@given(st.lists(frames, min_size=1, max_size=8), st.data())
@examples(300)
def test_short_way_and_library_agree_on_every_cut_of_every_bytes(sent: list[bytes], data: st.DataObject) -> None:
    joined = b"".join(sent)
    ends = [sum(map(len, sent[:count])) for count in range(len(sent) + 1)]
    elsewhere = data.draw(st.lists(st.integers(0, len(joined)), max_size=3))
    forgotten = data.draw(st.sets(st.sampled_from(ends)))
    cuts = sorted({0, len(joined), *elsewhere} | (set(ends) - forgotten))
    short, library, read = Short(), open_protocol(), list[Event]()
    for start, end in pairwise(cuts):
        short.feed(joined[start:end])
        library.receive_data(joined[start:end])
        read += library.events_received()
    assert [(e.opcode, bytes(e.data), e.fin) for e in short.events if isinstance(e, Frame)] == [
        (e.opcode, bytes(e.data), e.fin) for e in read if isinstance(e, Frame)
    ]
    assert (short.protocol.state, short.protocol.close_sent) == (library.state, library.close_sent)
    assert short.protocol.data_to_send() == library.data_to_send()


def test_station_that_sends_message_by_message_is_always_read_the_short_way() -> None:
    short = Short()
    for data in (HI, HI, frame(Opcode.PING, b""), HI, HI[:3], HI[3:], HI):
        short.feed(data)
    assert short.taken == 4
    assert len(short.events) == 6
