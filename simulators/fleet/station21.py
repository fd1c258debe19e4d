"""Speak OCPP 2.1 as a charging station: 2.0.1, and the two message types that 2.1 adds, SEND and CALLRESULTERROR.

Before it: `link`. After it: `station2x`, which has what both versions say. Twin: `station201`.
"""

from __future__ import annotations

import json
from typing import Any

from ocpp.exceptions import NotImplementedError as NotImplementedHere  # type: ignore[import-untyped]
from ocpp.exceptions import OCPPError
from ocpp.messages import MessageType  # type: ignore[import-untyped]
from ocpp.v21 import call, call_result  # type: ignore[import-untyped]

from simulators.fleet.layout import ReportsBy
from simulators.fleet.station2x import Station2x
from simulators.fleet.wire import Phase, TransactionMessage

SUBPROTOCOL = "ocpp2.1"

_CALLRESULTERROR = 5
_SEND = 6
"""Source: OCPP 2.1 Part 4, MessageTypeNumber."""

_POWER_STREAM = 1


class Station21(Station2x):
    """One OCPP 2.1 connection."""

    _call = call
    _call_result = call_result
    _ocpp_version = "2.1"
    _model = "Simulated-21"

    async def report_transaction(self, message: TransactionMessage) -> None:
        """Send TransactionEvent; some stations stream the meter, too, in a SEND that nobody answers.

        Source: OCPP 2.1 Part 2, E01 to E06 and NotifyPeriodicEventStream; Part 4, SEND.
        """
        await super().report_transaction(message)
        if message.phase is Phase.UPDATED and self._spec.reports_by is ReportsBy.NOTIFY_EVENT:
            await self._send(
                _frame(_SEND, str(self._unique_id_generator()), "NotifyPeriodicEventStream", _stream(message))
            )

    async def _handle_call(self, msg: Any) -> None:
        # The library leaves such a CALL of 2.1 without any answer. Source: OCPP 2.1 Part 4, NotImplemented.
        if msg.action not in self.route_map:
            raise NotImplementedHere
        await super()._handle_call(msg)

    async def _ask(self, payload: Any) -> Any:
        """Ask, and answer CALLRESULTERROR where the result is not valid. Source: OCPP 2.1 Part 4, CALLRESULTERROR."""
        message_id = str(self._unique_id_generator())
        self._result_arrived = False
        try:
            return await self.call(payload, suppress=False, unique_id=message_id)
        except OCPPError as error:
            if self._result_arrived:
                await self._send(_frame(_CALLRESULTERROR, message_id, error.code, error.default_description, {}))
            raise

    async def _get_specific_response(self, unique_id: str, timeout: float) -> Any:
        response = await super()._get_specific_response(unique_id, timeout)
        self._result_arrived = response.message_type_id == MessageType.CallResult
        return response


def _stream(message: TransactionMessage) -> dict[str, Any]:
    return {
        "id": _POWER_STREAM,
        "pending": 0,
        "basetime": message.at,
        "data": [{"t": 0, "v": str(message.meter_wh)}],
    }


def _frame(*parts: Any) -> str:
    return json.dumps(parts, separators=(",", ":"))
