"""Take orders to stations from the forms of a station's page, and keep what the station answered.

Never decides what may be sent: the services do. Before it: the station's page. After it: `station_services`, `answers`.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from pydantic import ValidationError

from bridge.core.roles import Role
from bridge.web.pages.forms import Form
from bridge.web.pages.station_view import read_target
from bridge.web.services import Conflict, NotRunning, ValueRefused
from bridge.web.station_services import StationServices
from bridge.web.station_shapes import (
    AvailabilityOrder,
    CallOrder,
    CallResult,
    ConfigurationChange,
    ConfigurationQuery,
    ResetOrder,
    TriggerOrder,
    UnlockOrder,
)

Sender = Callable[[StationServices, str, Form], Awaitable[CallResult]]
_TRIGGERS_16 = (
    "StatusNotification",
    "BootNotification",
    "Heartbeat",
    "MeterValues",
    "FirmwareStatusNotification",
    "DiagnosticsStatusNotification",
    "LogStatusNotification",
    "SignChargePointCertificate",
)
"""Source: OCPP 1.6 §7.31 MessageTrigger, and the security whitepaper's MessageTriggerEnumType."""
_TRIGGERS_2X = (
    "StatusNotification",
    "BootNotification",
    "Heartbeat",
    "MeterValues",
    "TransactionEvent",
    "FirmwareStatusNotification",
    "LogStatusNotification",
    "SignChargingStationCertificate",
)
"""Source: OCPP 2.0.1 Part 2, MessageTriggerEnumType."""


def triggers(version: str | None) -> tuple[str, ...]:
    """Return the messages that a station of a version can be asked for."""
    return _TRIGGERS_16 if version == "ocpp1.6" else _TRIGGERS_2X


@dataclass(frozen=True, slots=True)
class Order:
    """One verb that a station can be told."""

    role: Role
    send: Sender
    words: Callable[[Form], str]


async def carry_out(order: Order, services: StationServices, station: str, form: Form) -> CallResult | None:
    """Send it and return the answer; None where it cannot be sent, which the form then says. Raises: NotFound."""
    try:
        return await order.send(services, station, form)
    except ValidationError as error:
        form.note(error)
    except ValueRefused as error:
        form.mistakes[error.field] = error.wanted
    except (Conflict, NotRunning) as error:
        form.mistakes[""] = str(error)
    except json.JSONDecodeError:
        form.mistakes["payload"] = 'should be a JSON object, such as {"type": "Soft"}'
    return None


async def _trigger(to: StationServices, station: str, form: Form) -> CallResult:
    evse, connector = read_target(form.text("target"))
    return await to.trigger(station, TriggerOrder(message=form.text("message"), evse=evse, connector=connector))


async def _availability(to: StationServices, station: str, form: Form) -> CallResult:
    evse, connector = read_target(form.text("target"))
    operative = form.text("operative") != "no"
    return await to.availability(station, AvailabilityOrder(operative=operative, evse=evse, connector=connector))


async def _reset(to: StationServices, station: str, form: Form) -> CallResult:
    return await to.reset(station, ResetOrder(kind="hard" if form.text("kind") == "hard" else "soft"))


async def _unlock(to: StationServices, station: str, form: Form) -> CallResult:
    evse, connector = read_target(form.text("target"))
    return await to.unlock(station, UnlockOrder.model_validate({"evse": evse, "connector": connector}))


async def _read(to: StationServices, station: str, form: Form) -> CallResult:
    keys = tuple(key for key in form.text("keys").replace(",", " ").split() if key)
    return await to.get_configuration(station, ConfigurationQuery(keys=keys))


async def _write(to: StationServices, station: str, form: Form) -> CallResult:
    return await to.set_configuration(station, ConfigurationChange(key=form.text("key"), value=form.text("value")))


async def _call(to: StationServices, station: str, form: Form) -> CallResult:
    payload = json.loads(form.text("payload") or "{}")
    order = CallOrder.model_validate({"action": form.text("action"), "payload": payload}, strict=True)
    return await to.call(station, order)


def _place(form: Form) -> str:
    evse, connector = read_target(form.text("target"))
    parts = [f"EVSE {evse}" if evse else "", f"connector {connector}" if connector else ""]
    return ", ".join(part for part in parts if part) or "the whole station"


ORDERS = {
    "trigger": Order(Role.OPERATOR, _trigger, lambda form: f"Asked for {form.text('message')} of {_place(form)}"),
    "availability": Order(
        Role.OPERATOR,
        _availability,
        lambda form: f"{'Out of' if form.text('operative') == 'no' else 'Into'} service: {_place(form)}",
    ),
    "reset": Order(Role.OPERATOR, _reset, lambda form: f"Restart, {form.text('kind') or 'soft'}"),
    "unlock": Order(Role.OPERATOR, _unlock, lambda form: f"Unlock {_place(form)}"),
    "configuration": Order(
        Role.OPERATOR, _read, lambda form: f"Read configuration: {form.text('keys')[:100] or 'everything'}"
    ),
    "set-configuration": Order(Role.ADMIN, _write, lambda form: f"Set {form.text('key')[:100]}"),
    "call": Order(Role.ADMIN, _call, lambda form: f"Raw call {form.text('action')[:64]}"),
}
"""Verb as in the address → the order."""
