"""Log requests that are no HTTP in one line without their text: a broken header may be the one that holds a key.

aiohttp would log a traceback with the header's line. Never touches what else it has to say. Before it: `server`, which
gives `logger()` to aiohttp. After it: the log.
"""

from __future__ import annotations

import logging

import structlog
from aiohttp.http_exceptions import HttpProcessingError

log = structlog.get_logger(__name__)


class _WithoutText(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        """Keep every record but those of unreadable requests, which become a line of ours."""
        error = record.exc_info[1] if record.exc_info else None
        if not isinstance(error, HttpProcessingError):
            return True
        address = record.args[0] if isinstance(record.args, tuple) and record.args else ""
        log.warning("request_unreadable", address=address, why=type(error).__name__)
        return False


_FILTER = _WithoutText()


def logger() -> logging.Logger:
    """Return what aiohttp's server logs to."""
    found = logging.getLogger("aiohttp.server")
    found.addFilter(_FILTER)  # once, however often it is called
    return found
