"""Give a station another key so that it can log in with whichever it holds, whatever crashes when.

Three steps: the new key is committed as one that is good; then it is sent; then, only where the station surely did not
take it, it is forgotten. Cut anywhere, the old and the new key are both good, and the station's next login with the new
one ends the rotation (`store.rotations.promote`). The key is in memory here and in the one answer; never in a log.

Before it: `station_services`. After it: `edits.station_keys`, and `csms.server`, which sends.

Source: OCPP 1.6 security whitepaper, A01; OCPP 2.0.1 Part 2, A01.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Protocol

import structlog

from bridge.core.model import Moment
from bridge.edits import Begun, RotationOrder, begin_rotations, drop_rotations
from bridge.store.errors import StoreError
from bridge.store.writer import Writer
from csms.auth import StationKeys
from csms.events import OcppVersion, StationId
from csms.hidden_values import HIDDEN
from csms.new_keys import Rotation, check, fresh, verdict
from csms.operator_calls import AWAY, CallAnswer
from csms.verbs import requests_of, status_of

log = structlog.get_logger(__name__)

_SURELY_NOT_TAKEN = frozenset({Rotation.REFUSED, Rotation.UNSENT})


class Caller(Protocol):
    """Sends a CALL: `csms.server.CentralSystem`."""

    async def call(
        self,
        station: StationId,
        action: str,
        payload: Mapping[str, Any],
        *,
        timeout: timedelta | None = None,
        force: bool = False,
    ) -> CallAnswer:
        """Send a station one CALL and return how it ended; `force`: though its quirks forbid it."""
        ...


@dataclass(frozen=True, slots=True)
class Rotated:
    """What became of a new key."""

    state: Rotation
    key: str | None = field(repr=False)
    """A random one that the station has or may have; None where it keeps what it had or the operator has it."""
    answer: CallAnswer
    status: str
    """The answer's own word."""


class Rotations:
    """Rotates keys over the writer and the OCPP side."""

    def __init__(self, writer: Writer, caller: Caller, *, keys: StationKeys, clock: Callable[[], Moment]) -> None:
        self._writer = writer
        self._caller = caller
        self._keys = keys
        self._clock = clock

    async def rotate(
        self, station: StationId, version: OcppVersion, given: str | None, *, force: bool, timeout: timedelta | None
    ) -> Rotated:
        """Send a random key, or the given one, to a station that is connected and speaks `version`.

        `force`: though an earlier one is pending, or the station's quirks forbid to write to it.

        Cancelled, it leaves both keys good. Raises: Impossible (the given key has not the version's form),
        RotationPending, NotFit, StoreError.
        """
        key = fresh(version) if given is None else given
        check(version, key)
        order = RotationOrder(station, key.encode(), self._keys, force, self._clock())
        begun = await self._writer.submit(begin_rotations, order)
        request = requests_of(version).set_key(key)
        answer = await self._caller.call(station, request.action, request.payload, timeout=timeout, force=force)
        status = status_of(version, request.action, answer.payload)
        state = verdict(answer, status)
        log.info("key_rotation_ended", station=station, state=state.value, outcome=answer.outcome.value, status=status)
        if state in _SURELY_NOT_TAKEN:
            await self._forget(begun)
        shown = key if given is None and state not in _SURELY_NOT_TAKEN else None
        return Rotated(state, shown, _without(answer, key), status)

    async def _forget(self, begun: Begun) -> None:
        """Forget the key; one that was sent before may be held since then. A key too many locks nobody out."""
        if begun.repeated:
            return
        try:
            await self._writer.submit(drop_rotations, begun)
        except StoreError as error:
            log.warning("key_not_forgotten", station=begun.station, why=str(error))


def away(station: StationId) -> str:
    """Return why nothing is sent to a station that is not connected."""
    return f"{station}: {AWAY.why}"


def _without(answer: CallAnswer, key: str) -> CallAnswer:
    """Return the answer without the key, which a station may quote in its description."""
    why = re.sub(re.escape(key), HIDDEN, answer.why, flags=re.IGNORECASE)
    return CallAnswer(answer.outcome, {}, answer.valid, answer.code, why)
