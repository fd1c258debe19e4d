"""Say what came of a replay: for people, and as one document for programs. Holds no connection. Before it: `player`."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from simulators.replay.answers import Answer, differing
from simulators.replay.script import Step


@dataclass(slots=True)
class Report:
    """What was sent, what came back, and what is not as it was recorded."""

    connections: int = 0
    sent: int = 0
    calls: int = 0
    results: int = 0
    errors: Counter[str] = field(default_factory=Counter)
    """CALLERRORs by their code."""
    stray: int = 0
    """Answers to no CALL of ours: to what is no OCPP, or twice."""
    unanswered: list[str] = field(default_factory=list)
    mismatches: list[str] = field(default_factory=list)
    """A CALLRESULT where a CALLERROR was recorded, or the other way round."""
    differences: list[str] = field(default_factory=list)
    """Members that are not as recorded; times and ids always differ."""
    asked: Counter[str] = field(default_factory=Counter)
    """CALLs of the CSMS by their action."""
    by_default: Counter[str] = field(default_factory=Counter)
    """Those that the recording has no answer to."""
    left_out: int = 0
    unsent: int = 0
    ended: str = ""
    """Why the connection ended before everything was sent."""

    @property
    def good(self) -> bool:
        """Every frame was sent, every CALL answered, and each answer of the kind that was recorded."""
        return not (self.unanswered or self.mismatches or self.unsent or self.ended)

    def answered(self, step: Step, answer: Answer) -> None:
        """Count an answer and compare it with the recorded one."""
        if answer.error is None:
            self.results += 1
        else:
            self.errors[answer.error] += 1
        recorded = step.recorded
        if recorded is None:
            return
        name = f"{step.id} {step.action}"
        if (recorded.error is None) != (answer.error is None):
            self.mismatches.append(f"{name}: recorded {recorded}, now {answer}")
        elif recorded.error != answer.error:
            self.differences.append(f"{name}: recorded {recorded}, now {answer}")
        elif recorded.error is None:
            self.differences += [f"{name}: {each}" for each in differing(recorded.payload, answer.payload)]

    def unheard(self, step: Step) -> None:
        """Count a CALL that was not answered."""
        self.unanswered.append(f"{step.id} {step.action}")

    def lines(self, *, differences: bool) -> list[str]:
        """Return the report as an engineer reads it."""
        errors = sum(self.errors.values())
        lines = [
            f"sent {self.sent} frames over {self.connections} connections, {self.calls} of them CALLs: "
            f"{self.results} CALLRESULT, {errors} CALLERROR, {len(self.unanswered)} unanswered"
        ]
        lines += [f"CALLERROR {code}: {count}" for code, count in sorted(self.errors.items())]
        lines += [
            f"the CSMS sent {action}: {count}, answered as recorded: {count - self.by_default[action]}"
            for action, count in sorted(self.asked.items())
        ]
        if self.stray:
            lines.append(f"answers to no CALL: {self.stray}")
        if self.left_out:
            lines.append(f"left out, since the recording has them only in part: {self.left_out}")
        lines += [f"unanswered: {each}" for each in self.unanswered]
        lines += [f"not as recorded: {each}" for each in self.mismatches]
        if differences:
            lines += [f"differs: {each}" for each in self.differences]
        elif self.differences:
            lines.append(f"members that differ from the recording: {len(self.differences)} (--diff lists them)")
        if self.ended:
            lines.append(f"{self.ended}; not sent: {self.unsent}")
        return lines

    def document(self) -> dict[str, Any]:
        """Return the report for programs."""
        return {
            "good": self.good,
            "connections": self.connections,
            "sent": self.sent,
            "calls": self.calls,
            "results": self.results,
            "errors": dict(self.errors),
            "stray": self.stray,
            "unanswered": self.unanswered,
            "mismatches": self.mismatches,
            "differences": self.differences,
            "asked": dict(self.asked),
            "by_default": dict(self.by_default),
            "left_out": self.left_out,
            "unsent": self.unsent,
            "ended": self.ended,
        }
