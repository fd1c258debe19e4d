"""Pack lines of one station that follow each other into bytes, and unpack them.

Pure. Before it: `file`, which keeps a block as one row. After it: `reading`.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import MsgspecError, Struct, msgpack

from bridge.wire_log.line import Entry, Kind, Line, moment


class BlockBroken(ValueError):
    """Bytes that are no block: the disk has damaged them."""


class _Packed(Struct, frozen=True, array_like=True, gc=False):
    """A line in a block, without what the block's row says; the order of its members is in the files."""

    at: int
    epoch: int
    kind: Kind
    size: int
    cut: bool
    text: str


_encode = msgpack.Encoder().encode
_decode = msgpack.Decoder(list[_Packed]).decode


def pack(entries: Sequence[Entry]) -> bytes:
    """Return a block of these lines of one station, in their order: an array of arrays.

    Source: MessagePack specification, Formats.
    """
    return _encode([(each.at, each.epoch, each.kind, each.size, each.cut, each.text) for each in entries])


def unpack(block: bytes, station: str, last: int) -> list[Line]:
    """Return the lines of a block; their ids count up to `last`. Raises: BlockBroken."""
    try:
        lines = _decode(block)
        return [
            Line(id, moment(line.at), station, line.epoch, line.kind, line.text, line.size, line.cut)
            for id, line in enumerate(lines, last - len(lines) + 1)
        ]
    except (MsgspecError, ValueError, OverflowError, TypeError) as error:  # each what another broken byte comes to
        raise BlockBroken(f"a block of lines is broken ({error})") from error
