"""Say which pages there are.

Never handles one. Before it: `routes`. After it: each table of pages.
"""

from __future__ import annotations

from bridge.web.overview_services import PageServices
from bridge.web.pages.deliveries import DeliveryPages
from bridge.web.pages.evse import EvsePages
from bridge.web.pages.hubs import HubPages
from bridge.web.pages.login import LoginPages
from bridge.web.pages.overview import OverviewPages
from bridge.web.pages.plots import PlotPages
from bridge.web.pages.public import PublicOptions, PublicPages
from bridge.web.pages.quarantine import QuarantinePages
from bridge.web.pages.rendering import Pages
from bridge.web.pages.stations import StationPages
from bridge.web.pages.temporary import TemporaryPages
from bridge.web.route_table import Routes


def page_tables(services: PageServices, pages: Pages, public: PublicOptions) -> tuple[Routes, ...]:
    """Return every table of pages."""
    return (
        LoginPages(pages),
        OverviewPages(services, pages),
        EvsePages(services, pages),
        DeliveryPages(services, pages),
        PublicPages(services, pages, public),
        HubPages(services, pages),
        StationPages(services, pages),
        TemporaryPages(services, pages),
        QuarantinePages(services, pages),
        PlotPages(services, pages),
    )
