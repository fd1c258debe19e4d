"""Turn a recorded conversation into what the station says on each connection, waits for and answers.

Pure. Before it: `lines`. After it: `player`.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from simulators.replay.answers import Answer, answer_of
from simulators.replay.lines import CALL, Line, Source, message_of


@dataclass(frozen=True, slots=True)
class Step:
    """One frame that the station sends by itself."""

    text: str
    at: float | None
    """When it was sent, in Unix seconds."""
    id: str | None
    """Of a CALL, which is to be answered; None for everything else, also for what is no OCPP."""
    action: str = ""
    recorded: Answer | None = None
    """How the CSMS of the recording answered."""
    waits: bool = True
    """Its answer is waited for before the next frame; not so where the station itself did not wait."""


@dataclass(frozen=True, slots=True)
class Visit:
    """One connection."""

    version: str | None
    steps: tuple[Step, ...]
    answers: Mapping[str, deque[Answer]] = field(default_factory=dict)
    """By action, in their order: how the station answered the CSMS."""
    left_out: int = 0
    """Frames that the recording has only in part."""


def visits_of(lines: Sequence[Line]) -> list[Visit]:
    """Return the connections of one station; where the recording does not show them, there is one."""
    groups: list[list[Line]] = [[]]
    for line in lines:
        if line.source is Source.OPENED and any(each.source is Source.STATION for each in groups[-1]):
            groups.append([])
        groups[-1].append(line)
    return [_visit(group) for group in groups if any(line.source is Source.STATION for line in group)]


def _visit(lines: list[Line]) -> Visit:
    messages = [None if line.cut else message_of(line.text) for line in lines]
    answers, taken = _answers(lines, messages)
    said = [
        place
        for place, line in enumerate(lines)
        if line.source is Source.STATION and not line.cut and place not in taken
    ]
    following = [*said[1:], len(lines)]
    steps = tuple(_step(lines, messages, place, after) for place, after in zip(said, following, strict=True))
    left_out = sum(line.cut for line in lines if line.source is Source.STATION)
    return Visit(next((line.version for line in lines if line.version), None), steps, answers, left_out)


def _answers(lines: list[Line], messages: list[list[Any] | None]) -> tuple[dict[str, deque[Answer]], set[int]]:
    """Return how the station answered the CSMS's CALLs, by action, and the places of these frames."""
    asked: dict[str, str] = {}
    answers: dict[str, deque[Answer]] = {}
    taken: set[int] = set()
    for place, (line, message) in enumerate(zip(lines, messages, strict=True)):
        match message:
            case [2, str(id), str(action), *_] if line.source is Source.CSMS:
                asked[id] = action
            case [3 | 4, str(id), *_] if line.source is Source.STATION and id in asked:
                answer = answer_of(message)
                if answer is not None:
                    answers.setdefault(asked.pop(id), deque()).append(answer)
                    taken.add(place)
            case _:
                pass
    return answers, taken


def _step(lines: list[Line], messages: list[list[Any] | None], place: int, following: int) -> Step:
    line = lines[place]
    match messages[place]:
        case [2, str(id), str(action), *_]:
            answered, answer = _recorded(lines, messages, place, id)
            waits = answered is None or answered < following
            return Step(line.text, line.at, id, action, answer, waits)
        case _:
            return Step(line.text, line.at, None)


def _recorded(
    lines: list[Line], messages: list[list[Any] | None], place: int, id: str
) -> tuple[int | None, Answer | None]:
    """Return where and how a CALL was answered, before one with the same id came."""
    for later in range(place + 1, len(lines)):
        message = messages[later]
        if message is None or len(message) < 2 or message[1] != id:
            continue
        if lines[later].source is Source.CSMS:
            answer = answer_of(message)
            if answer is not None:
                return later, answer
        elif message[0] == CALL:
            break
    return None, None


def with_transactions(text: str, transactions: Mapping[int, int]) -> str:
    """Return a CALL with the transaction ids that this CSMS gave instead of the recorded ones (OCPP 1.6)."""
    message = message_of(text)
    match message:
        case [2, _, _, {"transactionId": int(recorded)} as payload] if recorded in transactions:
            payload["transactionId"] = transactions[recorded]
            return json.dumps(message, separators=(",", ":"), ensure_ascii=False)
        case _:
            return text
