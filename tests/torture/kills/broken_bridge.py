"""Run `ocpp-bridge` with two guards switched off: what the kills must notice.

It answers a station before the commit, and once in a while sends the value that it sent of the EVSE before. Used as a
command, in the place of `ocpp-bridge`.
"""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import replace
from typing import Any

import bridge.cli
import bridge.lane.turns
from bridge.intake import Intake
from bridge.upstreams.port import Record
from csms.events import Receipt, StationEvent

_COMMITTED_AFTER_S = 0.1
_OLD_EVERY = 5

_record, _right_record = Intake.record, bridge.lane.turns._record
_numbers = itertools.count(1)
_writing: set[asyncio.Task[Any]] = set()
_sent: dict[tuple[str, str], Any] = {}


async def _answer_first(intake: Intake, event: StationEvent) -> Receipt:
    async def later() -> None:
        await asyncio.sleep(_COMMITTED_AFTER_S)
        await _record(intake, event)

    task = asyncio.create_task(later())
    _writing.add(task)
    task.add_done_callback(_writing.discard)
    return Receipt(0)


def _now_and_then_the_one_before(row: Any, stored: Any, turn: Any) -> Record:
    record = _right_record(row, stored, turn)
    key = (stored.account, record.evse_id)
    before = _sent.get(key, record.value)
    _sent[key] = record.value
    return replace(record, value=before) if next(_numbers) % _OLD_EVERY == 0 else record


if __name__ == "__main__":
    Intake.record = _answer_first  # type: ignore[method-assign]
    bridge.lane.turns._record = _now_and_then_the_one_before
    bridge.cli.main()
