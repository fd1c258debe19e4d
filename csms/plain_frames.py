"""Read and write the one kind of WebSocket frame that nearly all of a station's are: a whole message of text in one.

Sans-I/O, and never a judge: whatever is anything else (fragments, control frames, binary, RSV bits, broken, too long,
several at once, a part) is left to `websockets`, which knows every rule. Before it: `websocket`, with what the network
brought.

Source: RFC 6455 §5.2.
"""

from __future__ import annotations

from typing import Any

from websockets.protocol import Protocol, State
from websockets.streams import StreamReader

try:
    from websockets.speedups import apply_mask
except ImportError:  # an installation that could not compile it
    from websockets.utils import apply_mask

_WHOLE_TEXT = 0x81
"""FIN, no RSV bit, opcode 1."""
_MASKED = 0x80
_SHORT, _LENGTH_16, _LENGTH_64 = 125, 126, 127
_LONGEST_16 = 0xFFFF
_MASK = 4

# Where the library's parser stands while it waits for the first byte of a frame; should it ever wait elsewhere, all
# frames go the long way.
_FIRST_BYTE = StreamReader.at_eof.__code__


def may_follow(protocol: Protocol) -> bool:
    """Tell whether what comes next begins a frame, and a plain one may be taken past the protocol.

    Not where an extension is agreed, a fragmented message is under way, or somebody wants to see each frame in the log.
    """
    if protocol.state is not State.OPEN or protocol.extensions or protocol.debug or protocol.current_size is not None:
        return False
    step: Any = protocol.parser
    while (within := step.gi_yieldfrom) is not None:
        step = within
    return step.gi_code is _FIRST_BYTE


def payload_of(data: bytes, most: int | None) -> bytes | None:
    """Return the message where `data` is exactly one plain frame of at most `most` bytes, else None."""
    if len(data) < 2 + _MASK or data[0] != _WHOLE_TEXT:
        return None
    start = 2
    length = data[1] - _MASKED
    if not 0 <= length <= _LENGTH_16:
        return None
    if length == _LENGTH_16:
        start = 4
        length = data[2] << 8 | data[3]
    if len(data) != start + _MASK + length or (most is not None and length > most):
        return None
    return apply_mask(data[start + _MASK :], data[start : start + _MASK])


def text_frame(text: bytes) -> bytes:
    """Return the frame that sends a whole message from a server."""
    length = len(text)
    if length <= _SHORT:
        return bytes((_WHOLE_TEXT, length)) + text
    if length <= _LONGEST_16:
        return bytes((_WHOLE_TEXT, _LENGTH_16)) + length.to_bytes(2) + text
    return bytes((_WHOLE_TEXT, _LENGTH_64)) + length.to_bytes(8) + text
