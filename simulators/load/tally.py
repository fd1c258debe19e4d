"""Count what stations of a load experience, and add up what several processes counted.

Decides nothing and does no I/O. Written by `station` and `crowd`; read by `report`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from simulators.load.times import Times

_COUNTERS = ("refused", "errors", "closed", "asked", "boots")
_NUMBERS = ("sent", "answered", "statuses", "unanswered", "waited", "strange", "reconnects")
_NAMES_KEPT = 10


class Tally:
    """The numbers of one stretch of a load."""

    def __init__(self) -> None:
        self.sent = 0
        self.answered = 0
        """By a CALLRESULT."""
        self.statuses = 0
        """Of `answered`, those to a StatusNotification."""
        self.unanswered = 0
        """No answer within the time, or before the connection ended."""
        self.waited = 0
        """Messages that were due while the one before was not answered: they count from when they were due."""
        self.strange = 0
        """Frames that were neither an answer to what was asked nor a question."""
        self.reconnects = 0
        self.refused: Counter[str] = Counter()
        """Handshakes that failed, by why."""
        self.refused_names: dict[str, list[str]] = {}
        """Of each reason, the first stations."""
        self.errors: Counter[str] = Counter()
        """CALLERRORs by code."""
        self.closed: Counter[str] = Counter()
        """Connections that the server ended, by close code."""
        self.asked: Counter[str] = Counter()
        """CALLs of the server, by action."""
        self.boots: Counter[str] = Counter()
        """Answers to BootNotification."""
        self.answers = Times()
        self.back = Times()
        """After a cut: until a station's status was answered again."""
        self.worst: dict[int, float] = {}
        """The longest answer in ms of each second since the stretch began."""

    def note_refusal(self, name: str, why: str) -> None:
        """Count a handshake that failed."""
        self.refused[why] += 1
        names = self.refused_names.setdefault(why, [])
        if len(names) < _NAMES_KEPT and name not in names:
            names.append(name)

    def note_answer(self, took_ms: float, second: int, *, status: bool) -> None:
        """Count a CALLRESULT."""
        self.answered += 1
        self.statuses += status
        self.answers.add(took_ms)
        if took_ms > self.worst.get(second, 0.0):
            self.worst[second] = took_ms

    def merge(self, other: Tally) -> None:
        """Add what another process counted in the same stretch."""
        for name in _NUMBERS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for name in _COUNTERS:
            getattr(self, name).update(getattr(other, name))
        for why, names in other.refused_names.items():
            mine = self.refused_names.setdefault(why, [])
            mine += names[: _NAMES_KEPT - len(mine)]
        for second, ms in other.worst.items():
            self.worst[second] = max(ms, self.worst.get(second, 0.0))
        self.answers.merge(other.answers)
        self.back.merge(other.back)

    def document(self) -> dict[str, Any]:
        """Return everything, for another process."""
        return {
            **{name: getattr(self, name) for name in (*_NUMBERS, *_COUNTERS)},
            "refused_names": self.refused_names,
            "worst": self.worst,
            "answers": self.answers.document(),
            "back": self.back.document(),
        }

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Tally:
        """Return what another process counted."""
        tally = cls()
        for name in _NUMBERS:
            setattr(tally, name, int(document[name]))
        for name in _COUNTERS:
            getattr(tally, name).update(document[name])
        tally.refused_names = {str(why): list(names) for why, names in document["refused_names"].items()}
        tally.worst = {int(second): float(ms) for second, ms in document["worst"].items()}
        tally.answers = Times.of(document["answers"])
        tally.back = Times.of(document["back"])
        return tally
