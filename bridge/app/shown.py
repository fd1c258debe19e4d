"""Turn what the store knows of EVSEs and connectors into the shapes that operators see. Pure.

Before it: `evse_services`, `what_changed`. Beside it: `upstreams_shown`, `imports_shown`, `stations_shown`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

from bridge.core.evse_problems import problems_of
from bridge.core.mapping.until import shown
from bridge.core.modes import Mode
from bridge.store.connector_readings import ConnectorReading
from bridge.store.readings import DeliveryReading, EvseReading
from bridge.web.connector_shapes import ConnectorItem
from bridge.web.shapes import (
    DeliveryItem,
    DeliveryState,
    EvseItem,
    Reported,
)


def evse_item(
    reading: EvseReading, *, connected: bool, modes: Mapping[str, Mode], held: Collection[str], steady: datetime
) -> EvseItem:
    """Show one EVSE: reported → effective → what each configured account acknowledged."""
    deliveries = {
        delivery.account: delivery_item(delivery, modes[delivery.account], delivery.account in held, steady)
        for delivery in reading.deliveries
        if delivery.account in modes
    }
    return EvseItem(
        evse_id=reading.evse_id,
        station=reading.station,
        connected=connected,
        reported=tuple(
            Reported(
                evse=fact.evse,
                connector=fact.connector,
                status=fact.status,
                received_at=fact.received_at,
                stale=fact.stale or fact.doubt,
            )
            for fact in reading.facts
        ),
        effective=reading.status.value,
        live=reading.live.value,
        rule=reading.rule,
        changed_at=reading.changed_at,
        deliveries=deliveries,
        operator=reading.operator,
        problems=problems_of(reading.status, reading.unreachable, {item.state for item in deliveries.values()}),
    )


def delivery_item(delivery: DeliveryReading, mode: Mode, held: bool, steady: datetime) -> DeliveryItem:
    """Show what one account should have of an EVSE, what it acknowledged, and why they differ."""
    state, why = _delivery_state(delivery, mode, held, steady)
    return DeliveryItem(
        desired=shown(delivery.desired),
        acked=None if delivery.acked is None else shown(delivery.acked),
        acked_at=delivery.acked_at,
        state=state,
        why=why,
        http=delivery.last_http,
        code=delivery.last_code,
        reference=delivery.last_reference,
    )


def _delivery_state(delivery: DeliveryReading, mode: Mode, held: bool, steady: datetime) -> tuple[DeliveryState, str]:
    if mode is not Mode.LIVE:
        return "off", f"the account's mode is {mode}"
    if delivery.lag is None:
        return "agreed", "will be asserted once more: an answer was lost" if delivery.in_doubt else ""
    if delivery.refused is not None:
        return "refused", delivery.refused
    if held:
        return "held", delivery.last_why
    if delivery.not_before is not None and delivery.not_before > steady:
        return "deferred", delivery.last_why
    return "pending", delivery.last_why


def connector_items(readings: Iterable[ConnectorReading], connected: Collection[str]) -> tuple[ConnectorItem, ...]:
    """Show connectors, each with its last report."""
    return tuple(
        ConnectorItem(
            station=reading.station,
            evse=reading.address.evse,
            connector=reading.address.connector,
            evse_id=reading.evse_id,
            operator=reading.operator,
            connected=reading.station in connected,
            reported=_reported(reading),
        )
        for reading in readings
    )


def _reported(reading: ConnectorReading) -> Reported | None:
    if reading.status is None or reading.received_at is None:
        return None
    return Reported(
        evse=reading.address.evse,
        connector=reading.address.connector,
        status=reading.status,
        received_at=reading.received_at,
        stale=reading.stale,
    )
