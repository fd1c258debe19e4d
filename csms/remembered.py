"""Remember the last answers of one connection, so that a request sent twice is done once.

Never across connections: stations start their message ids anew after a restart. Pure: the clock is an argument.
Before and after it: `calls`, which answers what is not remembered.

Source: OCPP-J 1.6 §4.1.4 and OCPP 2.0.1 Part 4 §4.1.4 (an id is unique on a connection); OCPP 2.0.1 errata 2024-09 (a
retry may use the id of its first attempt).
"""

from __future__ import annotations

from typing import Final

REMEMBERED: Final = 4
"""Answers kept per connection: a station has one request in flight, so a retry follows its first attempt closely."""

WITHIN_S: Final = 30.0
"""How long after an answer the same bytes are the same request; some stations count their ids in a small circle."""

_NO_EFFECT: Final = "Heartbeat"
"""An old answer to it would be a wrong clock, and doing it twice does nothing."""

_RESULT: Final = "[3,"


class RememberedAnswers:
    """The last CALLRESULTs of one connection, by message id."""

    __slots__ = ("_answers",)

    def __init__(self) -> None:
        self._answers: dict[str, tuple[int, str, float]] = {}

    def find(self, id: str, message: str | bytes, now: float) -> str | None:
        """Return the answer that exactly this message got a moment ago; `now` in monotonic seconds."""
        remembered = self._answers.get(id)
        if remembered is None:
            return None
        seen, answer, at = remembered
        return answer if seen == hash(message) and now - at <= WITHIN_S else None

    def knows(self, id: str) -> bool:
        """Tell whether one of the last answers was for this id, whatever the message said."""
        return id in self._answers

    def keep(self, id: str, action: str, message: str | bytes, answer: str, now: float) -> None:
        """Remember an answer given at `now`; a CALLERROR is not one: what failed is to be tried again."""
        answers = self._answers
        answers.pop(id, None)
        if action == _NO_EFFECT or not answer.startswith(_RESULT):
            return
        if len(answers) >= REMEMBERED:
            del answers[next(iter(answers))]
        answers[id] = (hash(message), answer, now)
