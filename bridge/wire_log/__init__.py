"""Keep what went over the wire of each station: bounded, masked, beside the database, and never at an answer's cost.

Never on the durable path: a crash loses what was not yet flushed, and any error of the files costs lines alone. Before
it: `csms`, for every frame. After it: `web` and the command line, which read the lines.

    ring        takes frames on the event loop, keeps them as they are
    log         flushes the ring in a thread
    masking     secrets to ***, idTags to pseudonyms; pure
    pairs       the same for what is no JSON; pure
    block       lines of one station as bytes; pure
    tables      of one SQLite file, and where a station's blocks are in it
    earlier     lines in a file that an earlier version began
    file        append, bound
    reading     read
"""

from __future__ import annotations

from bridge.wire_log.file import WireFile
from bridge.wire_log.line import Line
from bridge.wire_log.log import FileWireLog, WireLogOptions
from bridge.wire_log.masking import Masking
from bridge.wire_log.reading import LogUnreadable, read_lines
from bridge.wire_log.tables import WIRE_FOLDER

__all__ = ["WIRE_FOLDER", "FileWireLog", "Line", "LogUnreadable", "Masking", "WireFile", "WireLogOptions", "read_lines"]
