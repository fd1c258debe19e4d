"""Say what a load found: for people as lines, for programs as a document.

Pure. Before it: `crew`. After it: `command`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from simulators.load.crew import Stretch
from simulators.load.tally import Tally
from simulators.load.times import Times

_WORST_SHOWN = 5
_NAMES_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Report:
    """What one load found."""

    stations: int
    profile: str
    connecting: Stretch
    running: Stretch
    """Of a storm: from the cut on."""
    stopped: bool = False
    """Whether it was ended early."""

    @property
    def whole(self) -> Tally:
        """The numbers of both stretches."""
        tally = Tally()
        tally.merge(self.connecting.tally)
        tally.merge(self.running.tally)
        return tally

    @property
    def bottleneck(self) -> bool:
        """Whether the generator itself may be what was measured."""
        return any(strain.busy or strain.late for strain in self.running.strains)

    def document(self) -> dict[str, Any]:
        """Return everything for `--json`. Times are in milliseconds."""
        whole, running = self.whole, self.running
        return {
            "stations": self.stations,
            "profile": self.profile,
            "stopped_early": self.stopped,
            "connected": running.connected,
            "connect_seconds": round(self.connecting.seconds, 3),
            "seconds": round(running.seconds, 3),
            "refused": dict(whole.refused),
            "refused_stations": whole.refused_names,
            "sent": whole.sent,
            "answered": whole.answered,
            "unanswered": whole.unanswered,
            "call_errors": dict(whole.errors),
            "strange_frames": whole.strange,
            "boots": dict(whole.boots),
            "waited": running.tally.waited,
            "statuses": running.tally.statuses,
            "messages_per_second": round(running.tally.answered / running.seconds, 1),
            "answer_ms": _times(running.tally.answers),
            "worst_by_second_ms": {str(second): round(ms, 1) for second, ms in _worst(running.tally)},
            "back_ms": _times(running.tally.back),
            "answered_again": running.settled,
            "reconnects": whole.reconnects,
            "closed_by_server": dict(whole.closed),
            "asked_by_server": dict(whole.asked),
            "generator": {"bottleneck": self.bottleneck, "processes": [one.document() for one in running.strains]},
        }

    def lines(self) -> Iterator[str]:
        """Give the report for people."""
        whole, running = self.whole, self.running
        tally, seconds = running.tally, running.seconds
        yield _line(
            "stations",
            f"{running.connected} of {self.stations} connected, all tried in {self.connecting.seconds:.1f} s",
        )
        for why, number in whole.refused.most_common():
            names = ", ".join(whole.refused_names[why][:_NAMES_SHOWN])
            yield _line("refused", f"{number} × {why}, for example {names}")
        yield _line("messages", f"{whole.sent} sent, {whole.answered} answered, {whole.unanswered} not")
        yield _line("rate", f"{tally.answered / seconds:,.0f} answers a second over {seconds:.1f} s")
        if len(tally.answers):
            yield _line("answer time", _shown(tally.answers))
            yield _line("longest in", ", ".join(f"second {at}: {ms:,.0f} ms" for at, ms in _worst(tally)))
        if tally.waited:
            yield _line("waited", f"{tally.waited} were due before the last was answered; they count from when due")
        if len(tally.back):
            yield _line("answered again", f"{running.settled} stations after the cut: {_shown(tally.back)}")
        for name, found in (
            ("CALLERRORs", whole.errors),
            ("boots", whole.boots),
            ("asked by server", whole.asked),
            ("closed by server", whole.closed),
        ):
            if found:
                yield _line(name, _counts(found))
        if whole.strange:
            yield _line("strange frames", f"{whole.strange} were no answer to what was asked")
        if whole.reconnects:
            yield _line("reconnects", str(whole.reconnects))
        yield _line("this generator", "; ".join(self._generator()))

    def _generator(self) -> Sequence[str]:
        strains = self.running.strains
        cores = ", ".join(f"{one.busiest:.2f}" for one in strains)
        late = max(one.late_p99_ms for one in strains)
        found = [f"busiest second {cores} of a core", f"event loop late by {late:.0f} ms (p99)"]
        if any(one.busy for one in strains):
            found.append("ITS CORE WAS BUSY, rates are lower bounds: --processes, or another machine")
        if any(one.late for one in strains):
            found.append("ITS EVENT LOOP WAS LATE, answer times are upper bounds: a lower --rate, or another machine")
        return found


def _line(name: str, text: str) -> str:
    return f"{name:<17} {text}"


def _counts(found: Counter[str]) -> str:
    return ", ".join(f"{name} {number}" for name, number in found.most_common())


def _worst(tally: Tally) -> list[tuple[int, float]]:
    return sorted(tally.worst.items(), key=lambda one: one[1], reverse=True)[:_WORST_SHOWN]


def _times(times: Times) -> dict[str, float] | None:
    if not len(times):
        return None
    shares = {f"p{percent}": round(times.percentile(percent) or 0.0, 2) for percent in (50, 90, 99)}
    return shares | {"max": round(times.longest, 2)}


def _shown(times: Times) -> str:
    return ", ".join(f"{name} {ms:,.1f} ms" for name, ms in (_times(times) or {}).items())
