"""Open the database without holding the loop up, and close it without a complaint. Before it: `parts`."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from datetime import timedelta
from functools import partial

import structlog

from bridge.settings import Settings
from bridge.store.engine import Store, open_store
from bridge.store.errors import StoreError

log = structlog.get_logger(__name__)

_STORE_STOP = timedelta(seconds=5)


async def open_in_thread(settings: Settings, stack: AsyncExitStack) -> Store:
    """Open the database and upgrade its schema, in a thread: a lock, a server or a migration may take its time.

    Cancelled, it waits a little for that thread, which then closes what it opened; one that hangs for longer is left
    to end with the process, and what it held ends with it.
    """
    loop = asyncio.get_running_loop()
    opened: asyncio.Future[Store] = loop.create_future()

    def work() -> None:
        settle: Callable[[], None]
        try:
            settle = partial(opened.set_result, _opened(settings))
        except Exception as error:  # noqa: BLE001 - the thread's top: whoever awaits the future gets it
            settle = partial(opened.set_exception, error)
        with suppress(RuntimeError):  # the loop is closed: nobody waited this long
            loop.call_soon_threadsafe(settle)

    threading.Thread(target=work, name="open-store", daemon=True).start()
    try:
        store = await asyncio.shield(opened)
    except asyncio.CancelledError:
        await asyncio.wait({opened}, timeout=_STORE_STOP.total_seconds())
        if opened.done() and opened.exception() is None:
            await logged(opened.result().close)
        raise
    stack.push_async_callback(logged, store.close)
    return store


def _opened(settings: Settings) -> Store:
    store = open_store(settings.store_url, state_dir=settings.state_dir)
    try:
        store.upgrade()
    except BaseException:
        store.engine.dispose()
        store.release()
        raise
    return store


async def logged(close: Callable[[], Awaitable[None]]) -> None:
    """Close a part of the store; that it fails at the very end changes nothing of what is committed."""
    try:
        await close()
    except StoreError as error:
        log.warning("close_failed", why=str(error))
