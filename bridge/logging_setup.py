"""Set up logging for the whole process: one line per event on stderr, JSON where stderr is no terminal.

Never lets a secret through: what looks like one by its name is masked. Libraries that log through the standard library
take the same way.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import MutableMapping
from typing import Any, Literal, TextIO

import structlog

Level = Literal["debug", "info", "warning", "error"]
Format = Literal["auto", "json", "console"]

_SECRET_PARTS = ("password", "secret", "token", "api_key", "apikey", "authorization", "credential", "id_tag", "idtag")
_MASK = "***"
_QUIET = {
    "aiohttp.access": logging.WARNING,
    "alembic": logging.WARNING,
    "ocpp": logging.WARNING,
    "websockets": logging.WARNING,
}
"""`ocpp` logs every frame with its idTags at INFO; the others a line per connection, request or start."""


def configure_logging(level: Level = "info", output: Format = "auto", stream: TextIO | None = None) -> None:
    """Send the events of structlog and of the standard library to `stream` (default: stderr).

    Calling it again replaces what an earlier call set up.
    """
    target = sys.stderr if stream is None else stream
    shared: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        mask_secrets,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(_number(level)),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(target)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_rendering(output, target)],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(_number(level))
    for name, least in _QUIET.items():
        logging.getLogger(name).setLevel(max(least, _number(level)))


def mask_secrets(logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Mask the value of every key whose name says that it is a secret, also one table deep. A structlog processor."""
    for name, value in event.items():
        if any(part in name.lower() for part in _SECRET_PARTS):
            event[name] = _MASK
        elif isinstance(value, dict):
            event[name] = {
                key: _MASK if any(part in str(key).lower() for part in _SECRET_PARTS) else inner
                for key, inner in value.items()
            }
    return event


def _rendering(output: Format, target: TextIO) -> list[structlog.types.Processor]:
    if output == "console" or (output == "auto" and target.isatty()):
        colors = target.isatty() and not os.environ.get("NO_COLOR")
        # The usual formatter prints each frame's variables, and so every key and token that one holds.
        return [structlog.dev.ConsoleRenderer(colors=colors, exception_formatter=structlog.dev.plain_traceback)]
    return [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]


def _number(level: Level) -> int:
    return {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}[level]
