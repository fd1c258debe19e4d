"""Open the store of a stopped bridge for one command of the command line.

Never while a bridge runs: its lock on the store refuses. Before it: `bridge.cli`. After it: `services`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from bridge.app import options as fill
from bridge.app.clock import SystemClock
from bridge.app.listener_items import shown_listeners
from bridge.app.pepper import ensure_pepper
from bridge.app.services import StoreServices
from bridge.app.wakes import Wakes
from bridge.settings import Settings
from bridge.settings.certificates import read_certificates
from bridge.settings.listener_certificates import read_first_certificates
from bridge.store.engine import open_store
from bridge.store.writer import Writer
from csms.auth import StationKeys


@asynccontextmanager
async def stopped(settings: Settings) -> AsyncIterator[StoreServices]:
    """Open the store of a stopped bridge for one command. Raises: StoreError, PepperUnusable, OSError."""
    store = open_store(settings.store_url, state_dir=settings.state_dir)
    try:
        store.upgrade()
        writer = Writer(store)
        writer.start()
        try:
            yield StoreServices(
                settings,
                store,
                writer,
                clock=SystemClock(),
                keys=StationKeys(ensure_pepper(settings.state_dir)),
                derive=fill.derive_options(settings),
                wakes=Wakes(),
                central=None,
                certificates=partial(read_certificates, settings),
                listeners=partial(shown_listeners, settings, partial(read_first_certificates, settings), SystemClock()),
            )
        finally:
            await writer.stop()
    finally:
        await store.close()
