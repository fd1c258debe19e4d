"""Describe the faults that a mock hub can be told to have, and choose which ones a request meets.

Does no I/O and reads no clock: the moment comes as an argument, chance from a seeded generator. Before it: `control`.
After it: `server`, which carries them out.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


class FaultKind(StrEnum):
    """What goes wrong."""

    LATENCY = "latency"
    """Answer `delay_s` later; goes together with another fault."""
    RATE_LIMIT = "rate_limit"
    """429, with `retry_after` if given."""
    STATUS = "status"
    """The HTTP `status` given, with `code`, `retry_after`, `location` or `text` if given; 2xx only with `text`."""
    RESULT_FALSE = "result_false"
    """Hubject only: HTTP 200 with Result false and `code`; the ids in question are named as the real hub does."""
    INVALID_BODY = "invalid_body"
    """2xx with a `body` that is empty, html or not_json; applied unless `applied` is false."""
    HANG = "hang"
    """Never answer."""
    RESET_BEFORE = "reset_before"
    """Reset the connection, nothing applied."""
    RESET_AFTER = "reset_after"
    """Apply, then reset the connection instead of answering."""
    LATE = "late"
    """Never answer, and apply `delay_s` after receipt, over whatever is held then."""
    DOWN = "down"
    """Refuse connections and cut those that are open, until removed or for `seconds`."""
    BLACKHOLE = "blackhole"
    """As `down`, but who connects gets no answer at all, not even a refusal."""
    TRUNCATED = "truncated"
    """Promise the whole answer, send half of it and close; applied unless `applied` is false, as those that follow."""
    WRONG_LENGTH = "wrong_length"
    """The whole answer, of which Content-Length says half."""
    DRIP = "drip"
    """One byte of the answer every `delay_s`."""
    HUGE = "huge"
    """An answer without end."""
    COMPRESSED = "compressed"
    """The answer as gzip, though nobody asked for that."""


OF_THE_LISTENER = frozenset({FaultKind.DOWN, FaultKind.BLACKHOLE})
"""What no request meets, since none arrives."""

WRITTEN_WRONGLY = frozenset(
    {FaultKind.TRUNCATED, FaultKind.WRONG_LENGTH, FaultKind.DRIP, FaultKind.HUGE, FaultKind.COMPRESSED}
)
"""What `broken` does to the right answer."""


class FaultSpec(BaseModel):
    """One scripted fault, as the control interface takes it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: FaultKind
    evse: tuple[str, ...] = ()
    """Only requests that carry one of these keys; empty: all."""
    action: tuple[str, ...] = ()
    """Only these actions (Hubject's ActionType); empty: all."""
    operation: tuple[str, ...] = ()
    """Only these operations, by the first word that the journal has for them; empty: all."""
    count: Annotated[int, Field(gt=0)] | None = None
    """For so many requests; None: without end."""
    seconds: Annotated[float, Field(gt=0)] | None = None
    """For so long."""
    probability: Annotated[float, Field(gt=0, le=1)] = 1.0
    delay_s: Annotated[float, Field(ge=0)] = 1.0
    status: Annotated[int, Field(ge=200, le=599)] = 503
    code: str = ""
    """The hub's own code, for status and result_false (there 021 where empty)."""
    description: str | None = None
    additional_info: str | None = None
    retry_after: str | None = None
    location: str | None = None
    text: str | None = None
    """The body as it is, for status and rate_limit; None: the hub's own error shape."""
    content_type: str = "application/json"
    """Of status, rate_limit and result_false; the body is encoded as its charset says, UTF-8 where it says nothing."""
    charset: Literal["utf-8", "iso-8859-1"] | None = None
    """What the body is encoded in where that is not what `content_type` says."""
    body: Literal["empty", "html", "not_json"] = "html"
    applied: bool | None = None
    """Is the request applied although the answer says no (status, rate_limit, result_false, hang, invalid_body), or is
    it not although it is answered (invalid_body, and the ways to write an answer wrongly)."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        narrowed = self.evse or self.action or self.operation or self.count or self.probability < 1
        if self.kind in OF_THE_LISTENER and narrowed:
            raise ValueError(f"{self.kind} concerns the whole listener: only seconds may be given")
        if self.kind is FaultKind.STATUS and self.status < 300 and self.text is None:
            raise ValueError("a 2xx is no fault by itself: give the text that makes it one")
        return self

    def takes_effect(self) -> bool:
        """Tell whether the request is applied in spite of this fault."""
        if self.kind is FaultKind.RESET_AFTER:
            return True
        if self.kind is FaultKind.INVALID_BODY or self.kind in WRITTEN_WRONGLY:
            return self.applied is not False
        return self.applied is True


@dataclass(slots=True)
class _Scripted:
    spec: FaultSpec
    left: int | None
    until: float | None


class FaultBook:
    """The faults that one mock hub has at present."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._scripted: dict[str, _Scripted] = {}
        self._count = 0

    def add(self, spec: FaultSpec, at: float) -> str:
        """Switch a fault on and return its id."""
        self._count += 1
        fault_id = f"f{self._count}"
        self._scripted[fault_id] = _Scripted(spec, spec.count, None if spec.seconds is None else at + spec.seconds)
        return fault_id

    def remove(self, fault_id: str) -> bool:
        """Switch one fault off; False where there is none of this id."""
        return self._scripted.pop(fault_id, None) is not None

    def clear(self) -> None:
        """Switch every fault off."""
        self._scripted.clear()

    def present(self, at: float) -> dict[str, FaultSpec]:
        """Return the faults that are on, by id."""
        self._expire(at)
        return {fault_id: scripted.spec for fault_id, scripted in self._scripted.items()}

    def unreachable(self, at: float) -> FaultKind | None:
        """Return `down` or `blackhole` where the hub is to be one, the first that was scripted; else None."""
        kinds = (spec.kind for spec in self.present(at).values())
        return next((kind for kind in kinds if kind in OF_THE_LISTENER), None)

    def pick(self, keys: Iterable[str], action: str, at: float, operation: str = "") -> tuple[FaultSpec, ...]:
        """Return what this request meets: every latency that applies, and the first other fault; counts them down.

        `operation` is the journal's; its first word counts.
        """
        self._expire(at)
        present = set(keys)
        met: list[FaultSpec] = []
        for fault_id, scripted in list(self._scripted.items()):
            spec = scripted.spec
            if spec.operation and operation.partition(" ")[0] not in spec.operation:
                continue
            if not self._matches(spec, present, action, met):
                continue
            met.append(spec)
            if scripted.left is not None:
                scripted.left -= 1
                if scripted.left == 0:
                    del self._scripted[fault_id]
        return tuple(met)

    def _matches(self, spec: FaultSpec, keys: set[str], action: str, met: list[FaultSpec]) -> bool:
        if spec.kind in OF_THE_LISTENER or (spec.evse and keys.isdisjoint(spec.evse)):
            return False
        if spec.action and action not in spec.action:
            return False
        if spec.kind is not FaultKind.LATENCY and any(other.kind is not FaultKind.LATENCY for other in met):
            return False
        return spec.probability >= 1 or self._random.random() < spec.probability

    def _expire(self, at: float) -> None:
        over = [fault_id for fault_id, one in self._scripted.items() if one.until is not None and one.until <= at]
        for fault_id in over:
            del self._scripted[fault_id]
