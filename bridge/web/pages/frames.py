"""Say what each line of the wire log is: which action, asked or answered, and what belongs together.

Pure. Knows no more of OCPP than the frame's own array: what is no frame is shown as it came. Before it: the wire log.
After it: the templates of stations; `operate.js` does the same for lines that come while somebody looks.

Source: OCPP-J 1.6 §4.2, OCPP 2.0.1 Part 4 §4.2 (message types 2, 3, 4), OCPP 2.1 Part 4 (5, 6).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bridge.web.wire_shapes import WireLine

_KINDS = {2: "call", 3: "answer", 4: "error", 5: "error", 6: "send"}
_ACTION_AT = {2: 2, 6: 2}
DIRECTIONS = (("", "both ways"), ("from_station", "from the station"), ("to_station", "to the station"))


@dataclass(frozen=True, slots=True)
class Frame:
    """One line with what it means."""

    line: WireLine
    kind: str
    """call, answer, error, send, opened, closed, or broken: no frame of OCPP."""
    action: str
    """Of an answer that of the call, where that is among the lines; empty: not known."""
    id: str
    pretty: str
    """Indented, where it is JSON."""


def frames(lines: Iterable[WireLine]) -> list[Frame]:
    """Return what each line is; an answer has the action of its call."""
    asked: dict[tuple[int, str, str], str] = {}
    return [_frame(line, asked) for line in lines]


def chosen(found: Sequence[Frame], direction: str, action: str) -> list[Frame]:
    """Return those of one direction and action; what happened to a connection stays."""
    return [
        frame
        for frame in found
        if frame.kind in ("opened", "closed")
        or ((not direction or frame.line.direction == direction) and (not action or frame.action == action))
    ]


def actions(found: Iterable[Frame]) -> list[str]:
    """Return the actions that there are, each once."""
    return sorted({frame.action for frame in found if frame.action})


def _frame(line: WireLine, asked: dict[tuple[int, str, str], str]) -> Frame:
    if line.direction in ("opened", "closed"):
        return Frame(line, line.direction, "", "", line.text)
    try:
        content = json.loads(line.text)
    except (ValueError, RecursionError):
        content = None
    if not (isinstance(content, list) and len(content) >= 2 and content[0] in _KINDS and isinstance(content[1], str)):
        return Frame(line, "broken", "", "", line.text)
    pretty = json.dumps(content, indent=2, ensure_ascii=False)
    kind, id_ = _KINDS[content[0]], content[1]
    if content[0] in _ACTION_AT:
        action = content[2] if len(content) > 2 and isinstance(content[2], str) else ""
        asked[line.epoch, line.direction, id_] = action
        return Frame(line, kind, action, id_, pretty)
    other = "to_station" if line.direction == "from_station" else "from_station"
    return Frame(line, kind, asked.get((line.epoch, other, id_), ""), id_, pretty)
