"""Remember what stations answered to the orders of these pages, for a while, in memory.

An order answers 303 and the station's page shows the answer, so that reloading sends nothing again, and whoever looks
next sees it, too. Never holds the value of a secret: the services hide those. A restart forgets them; the wire log
keeps the frames. Before it: `station_orders`. After it: the station's page.
"""

from __future__ import annotations

import json
from collections import OrderedDict, deque
from dataclasses import dataclass
from datetime import datetime

from bridge.web.station_shapes import CallResult

_OF_EACH = 10
_STATIONS = 500
_OUTCOMES = {
    "answered": "The station answered",
    "refused": "The station refused the request",
    "unreadable": "The station's answer cannot be read",
    "timed_out": "The station did not answer in time",
    "gone": "The station's connection ended before it answered",
}


@dataclass(frozen=True, slots=True)
class Answered:
    """One order and what became of it."""

    at: datetime
    by: str
    order: str
    """In words."""
    result: CallResult

    @property
    def said(self) -> str:
        """What became of it, in words."""
        result = self.result
        text = _OUTCOMES[result.outcome]
        if result.outcome == "answered":
            text += f": {result.status}" if result.status else ""
            text += "" if result.valid else ", in a form that the standard does not know"
        elif result.code:
            text += f": {result.code}"
        return f"{text}. {result.why}".strip().removesuffix("..") if result.why else f"{text}."

    @property
    def raw(self) -> str:
        """The answer as the station sent it, but for the values of secrets."""
        return json.dumps(self.result.payload, indent=2, ensure_ascii=False)


class Answers:
    """The last ones of each station; the stations that were asked least recently go first."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, deque[Answered]] = OrderedDict()

    def keep(self, answered: Answered) -> None:
        """Remember one."""
        station = answered.result.station
        kept = self._kept.setdefault(station, deque(maxlen=_OF_EACH))
        kept.appendleft(answered)
        self._kept.move_to_end(station)
        while len(self._kept) > _STATIONS:
            self._kept.popitem(last=False)

    def of(self, station: str) -> tuple[Answered, ...]:
        """Return those of a station, the newest first."""
        return tuple(self._kept.get(station, ()))
