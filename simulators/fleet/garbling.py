"""Garble what a station sends as real hardware does: the payload, the text, or the kind of the WebSocket message.

Pure: frame in, frames out. Before it: `mouth`, with what the `ocpp` package wrote. After it: the socket.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from simulators.fleet.quirks import Quirk

_CALL, _CALL_RESULT = 2, 3
_SERIAL = "S" * 33
_BYTE_ORDER_MARK, _NUL = "\ufeff", "\0"
_LATIN_1 = '[2,"latin-1","DataTransfer",{"vendorId":"ocpp-sim","data":"caf\xe9"}]'

_LARGE = f'[2,"large","DataTransfer",{{"vendorId":"ocpp-sim","data":"{"x" * 500_000}"}}]'
_SECURITY = (
    '[2,"security-1","SecurityEventNotification",{"type":"StartupOfTheDevice","timestamp":"2026-01-01T00:00:00Z"}]',
    '[2,"security-2","LogStatusNotification",{"status":"Idle"}]',
    '[2,"security-3","SignCertificate",{"csr":"ocpp-sim"}]',
    '[2,"security-4","SignedFirmwareStatusNotification",{"status":"Idle"}]',
)
_TOLD_TWICE = frozenset({"StatusNotification", "NotifyEvent", "StartTransaction", "TransactionEvent"})

_Payload = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One WebSocket message as it goes out."""

    content: str | bytes
    is_text: bool = True
    """The kind of the message; bytes in a text message need not be UTF-8."""


class Garbler:
    """What one station makes of its messages, on one connection."""

    def __init__(self, quirks: Collection[str]) -> None:
        """Know the quirks that this module does; the others are not its matter."""
        self._quirks = frozenset(quirks)
        self._numbers = itertools.count(1)
        self._greeted = False

    def outgoing(self, text: str) -> tuple[Outgoing, ...]:
        """Return the messages that go out in place of this one, in their order."""
        frame = json.loads(text)
        extra: list[Outgoing] = []
        if Quirk.NON_UTF8 in self._quirks and not self._greeted:
            extra.append(Outgoing(_LATIN_1.encode("iso-8859-1")))
        if Quirk.LARGE_MESSAGES in self._quirks and not self._greeted:
            extra.append(self._encoded(_LARGE))
        if Quirk.SECURITY_ACTIONS in self._quirks and not self._greeted:
            extra += map(self._encoded, _SECURITY)
        self._greeted = True
        if Quirk.UNSOLICITED_RESULTS in self._quirks and frame[0] == _CALL:
            extra.append(self._encoded(f'[{_CALL_RESULT},"nobody-asked-{next(self._numbers)}",{{}}]'))
        message = self._encoded(self._written(frame, text))
        twice = Quirk.SENT_TWICE in self._quirks and frame[0] == _CALL and frame[2] in _TOLD_TWICE
        return (*extra, message, message) if twice else (*extra, message)

    def _written(self, frame: list[Any], text: str) -> str:
        if frame[0] == _CALL_RESULT:
            return text[:-1] if Quirk.TRUNCATED_JSON in self._quirks else text
        if frame[0] != _CALL:
            return text
        kind, message_id, action, payload = frame
        for quirk, (of, edit) in _PAYLOAD_EDITS.items():
            if quirk in self._quirks and action == of:
                payload = edit(payload)
                text = json.dumps([kind, message_id, action, payload], separators=(",", ":"))
        for quirk, (of, rewrite) in _TEXT_EDITS.items():
            if quirk in self._quirks and action == of:
                text = rewrite(text)
        return text

    def _encoded(self, text: str) -> Outgoing:
        if Quirk.BINARY_FRAMES in self._quirks:
            return Outgoing(text.encode(), is_text=False)
        if Quirk.LINE_BREAKS in self._quirks:
            return Outgoing(text.replace(',"', ',\r\n\t"'))
        return Outgoing(f"{_BYTE_ORDER_MARK}{text}{_NUL}" if Quirk.JUNK_CHARACTERS in self._quirks else text)


def _empty_vendor(boot: _Payload) -> _Payload:
    if "chargingStation" in boot:
        return {**boot, "chargingStation": {**boot["chargingStation"], "vendorName": ""}}
    return {**boot, "chargePointVendor": ""}


def _long_serial(boot: _Payload) -> _Payload:
    if "chargingStation" in boot:
        return {**boot, "chargingStation": {**boot["chargingStation"], "serialNumber": _SERIAL}}
    return {**boot, "chargeBoxSerialNumber": _SERIAL}


def _error_code(status: _Payload) -> _Payload:
    return {**status, "errorCode": "Error"} if status["status"] == "Faulted" else status


def _wrong_case(status: _Payload) -> _Payload:
    return {key[0].upper() + key[1:]: value for key, value in status.items()}


def _strings(status: _Payload) -> _Payload:
    return {key: str(value) if isinstance(value, int) else value for key, value in status.items()}


def _strange_meter(values: _Payload) -> _Payload:
    """Source: docs/hardware.md #45."""
    strange = {"value": "50", "unit": "Hz", "context": "Alfen", "measurand": "Request.Energy"}
    return {**values, "meterValue": [{**each, "sampledValue": [strange]} for each in values["meterValue"]]}


def _meter_of_15(values: _Payload) -> _Payload:
    """Source: docs/hardware.md #48; OCPP 1.5 has `values`, each with a time and one value."""
    old = [
        {"timestamp": each.get("timestamp"), "value": each["sampledValue"][0]["value"]} for each in values["meterValue"]
    ]
    return {**{name: value for name, value in values.items() if name != "meterValue"}, "values": old}


def _without_transaction(text: str) -> str:
    frame = json.loads(text)
    number = frame[3].get("transactionId")
    return text.replace(f'"transactionId":{number}', '"transactionId":')


_PAYLOAD_EDITS: Mapping[Quirk, tuple[str, Callable[[_Payload], _Payload]]] = {
    Quirk.EMPTY_VENDOR: ("BootNotification", _empty_vendor),
    Quirk.LONG_SERIAL: ("BootNotification", _long_serial),
    Quirk.ERROR_CODE_ERROR: ("StatusNotification", _error_code),
    Quirk.METER_VALUES_OF_15: ("MeterValues", _meter_of_15),
    Quirk.NUMERIC_STRINGS: ("StatusNotification", _strings),
    Quirk.STRANGE_METER_VALUES: ("MeterValues", _strange_meter),
    Quirk.WRONG_CASE_KEYS: ("StatusNotification", _wrong_case),
}

_TEXT_EDITS: Mapping[Quirk, tuple[str, Callable[[str], str]]] = {
    Quirk.INVALID_METER_VALUES: ("MeterValues", _without_transaction),
    Quirk.LEADING_COMMA: ("MeterValues", lambda text: text.replace('"meterValue":[', '"meterValue":[,')),
}
