"""Shape what the REST interface says about connectors."""

from __future__ import annotations

from bridge.web.shapes import Reported, Shape


class ConnectorItem(Shape):
    """One connector of the inventory, and the last that its station reported of it."""

    station: str
    evse: int
    """0: OCPP 1.6, which numbers connectors alone."""
    connector: int
    evse_id: str
    operator: str
    connected: bool
    """Its station is connected now."""
    reported: Reported | None
    """null: never heard of."""


class ConnectorPage(Shape):
    """Connectors in the order of station, evse, connector; `next_cursor` is null on the last page."""

    items: tuple[ConnectorItem, ...]
    next_cursor: str | None = None
