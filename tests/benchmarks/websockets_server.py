"""Serve stations with a loop over `websockets` and nothing else: parse, validate with a compiled schema, answer.

The baseline of what the socket itself costs. `python -m tests.benchmarks.websockets_server PORT_FILE`.
"""

from __future__ import annotations

import json
import sys
from importlib.resources import files
from pathlib import Path

import jsonschema_rs
from websockets.asyncio.server import ServerConnection

from tests.benchmarks.serving import serve_until_ended

_SCHEMA = json.loads((files("ocpp") / "v16" / "schemas" / "StatusNotification.json").read_text("utf-8-sig"))
_VALIDATOR = jsonschema_rs.validator_for(_SCHEMA)


async def on_connect(connection: ServerConnection) -> None:
    """Answer every CALL with an empty CALLRESULT."""
    async for text in connection:
        _, message_id, _, payload = json.loads(text)
        _VALIDATOR.validate(payload)
        await connection.send(json.dumps([3, message_id, {}]))


if __name__ == "__main__":
    serve_until_ended(on_connect, Path(sys.argv[1]))
