"""Follow whether the storage takes what is written: one line in the log when it fails, one when it is good again.

Before it: the `writer`, with the end of each batch. A transaction that only read proves nothing, and is not told here.
"""

from __future__ import annotations

import structlog

from bridge.store.errors import StoreError

log = structlog.get_logger(__name__)


class Condition:
    """What the last batches have shown."""

    def __init__(self) -> None:
        self._failing = False

    def bad(self, error: StoreError) -> None:
        """Note that a batch could not be stored."""
        if not self._failing:
            self._failing = True
            log.error("storage_failed", why=str(error))

    def good(self) -> None:
        """Note that something was written and committed."""
        if self._failing:
            self._failing = False
            log.info("storage_recovered")
