"""Say what a station answers where its log does not, and how two answers differ.

Pure. Before it: `script`, which takes answers from the log. After it: `player` and `report`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_ACCEPTED = frozenset(
    {
        *("CancelReservation", "ChangeAvailability", "ChangeConfiguration", "ClearCache", "ClearChargingProfile"),
        *("RemoteStartTransaction", "RemoteStopTransaction", "ReserveNow", "Reset", "SendLocalList"),
        *("SetChargingProfile", "RequestStartTransaction", "RequestStopTransaction"),
    }
)
"""Actions whose answer may be {"status": "Accepted"} alone, in OCPP 1.6, 2.0.1 and 2.1 alike."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A CALLRESULT, or a CALLERROR with its code."""

    payload: Any
    error: str | None = None
    """The code of a CALLERROR."""
    description: str = ""

    def __str__(self) -> str:
        """Return what kind of answer it is."""
        return "CALLRESULT" if self.error is None else f"CALLERROR {self.error}"

    def frame(self, id: str) -> list[Any]:
        """Return the frame that gives this answer to a CALL."""
        if self.error is None:
            return [3, id, self.payload]
        return [4, id, self.error, self.description, self.payload]


def answer_of(message: list[Any]) -> Answer | None:
    """Return the answer that a frame is; None where it is none."""
    match message:
        case [3, str(), payload, *_]:
            return Answer(payload)
        case [4, str(), *rest]:
            code, description, details = (rest + ["", "", {}][len(rest) :])[:3]
            return Answer(details, str(code), str(description))
        case _:
            return None


def default_answer(action: str, payload: Any, version: str) -> Answer:
    """Return a legal answer of a station that does nothing of what it is asked for beyond what was recorded."""
    if action in _ACCEPTED:
        return Answer({"status": "Accepted"})
    match action:
        case "TriggerMessage" | "ExtendedTriggerMessage":  # Accepted would promise a message that does not come
            return Answer({"status": "NotImplemented"})
        case "UnlockConnector":
            return Answer({"status": "UnlockFailed"})
        case "GetConfiguration":
            keys = payload.get("key") if isinstance(payload, dict) else None
            return Answer({"unknownKey": keys} if keys else {"configurationKey": []})
        case "GetLocalListVersion":
            return Answer({"listVersion" if version == "ocpp1.6" else "versionNumber": 0})
        case _:
            return Answer({}, "NotImplemented", "not in the recording that is played")


def differing(recorded: Any, now: Any, place: str = "") -> Iterator[str]:
    """Yield each member that two payloads do not have in common, as a line to read."""
    if isinstance(recorded, dict) and isinstance(now, dict):
        for name in sorted({*recorded, *now}):
            inner = f"{place}.{name}" if place else name
            if name not in now:
                yield f"{inner}: recorded {recorded[name]!r}, now missing"
            elif name not in recorded:
                yield f"{inner}: not recorded, now {now[name]!r}"
            else:
                yield from differing(recorded[name], now[name], inner)
    elif recorded != now:
        yield f"{place or 'payload'}: recorded {recorded!r}, now {now!r}"
