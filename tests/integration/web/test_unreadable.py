"""What a client sends that is no HTTP may hold its key, and is not in the log."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest
from structlog.testing import capture_logs

from bridge.web.server import WebOptions, start_web

TOKEN = "test-token-of-more-than-thirty-two-characters"


@pytest.mark.parametrize(
    "broken",
    [
        b"X-API-Key: a\nocppb_canary\r\n",
        b"Authorization: Bearer ocppb_\x00canary\r\n",
        b"Authorization ocppb_canary\r\n",
        b"X-API-Key: " + b"ocppb_canary" * 2000 + b"\r\n",
    ],
)
async def test_a_broken_header_with_a_key_leaves_one_line_without_it(
    services: Any, broken: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    server = await start_web(WebOptions(port=0), services, TOKEN)
    with capture_logs() as lines, caplog.at_level(logging.DEBUG):
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(b"GET /api/v1/status HTTP/1.1\r\nHost: x\r\n" + broken + b"\r\n")
        head = await asyncio.wait_for(reader.readline(), 10)
        writer.close()
    await server.close()
    assert b" 400 " in head
    assert [(line["event"], line["address"]) for line in lines] == [("request_unreadable", "127.0.0.1")]
    assert "canary" not in repr(lines) + caplog.text
