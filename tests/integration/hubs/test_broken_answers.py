"""Faults of a mock hub that need the bare socket: answers that are written wrongly, and a port that answers nobody."""

from __future__ import annotations

import asyncio
import gzip
import json
import time
from collections.abc import AsyncIterator

import pytest

from simulators.hubs.faults import FaultSpec
from simulators.hubs.mocks import MockOptions, Mocks

BODY = json.dumps(
    {
        "ActionType": "update",
        "OperatorEvseStatus": {
            "EvseStatusRecord": [{"EvseID": "DE*ABC*E1", "EvseStatus": "Available"}],
            "OperatorID": "DE*ABC",
        },
    }
).encode()
REQUEST = (
    b"POST /api/oicp/evsepush/v21/operators/DE*ABC/status-records HTTP/1.1\r\nHost: x\r\n"
    b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(BODY), BODY)
)


@pytest.fixture
async def mocks() -> AsyncIterator[Mocks]:
    async with Mocks(MockOptions()) as running:
        yield running


async def answer(mocks: Mocks, most: int = 2**20) -> tuple[dict[str, str], bytes]:
    """Return the headers and the body as they come, until the end or `most` bytes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", mocks.hubject.port)
    writer.write(REQUEST)
    received = b""
    async with asyncio.timeout(5):
        while len(received) < most and (part := await reader.read(2**16)):
            received += part
    writer.close()
    head, _, body = received.partition(b"\r\n\r\n")
    lines = (line.partition(": ") for line in head.decode().split("\r\n")[1:])
    return {name.lower(): value for name, _, value in lines}, body


def held(mocks: Mocks) -> dict[str, str]:
    return mocks.hubject.ledger.state(time.time())


async def test_truncated_answer_promises_more_than_it_has(mocks: Mocks) -> None:
    await mocks.hubject.script(FaultSpec(kind="truncated"))
    headers, body = await answer(mocks)
    assert 0 < len(body) < int(headers["content-length"])
    assert held(mocks) == {"DE*ABC*E1": "Available"}


async def test_wrong_length_says_half_of_what_comes(mocks: Mocks) -> None:
    await mocks.hubject.script(FaultSpec(kind="wrong_length", applied=False))
    headers, body = await answer(mocks)
    assert int(headers["content-length"]) == len(body) // 2
    assert json.loads(body)["Result"] is True
    assert held(mocks) == {}


async def test_compressed_answer_is_whole_and_says_what_it_is(mocks: Mocks) -> None:
    await mocks.hubject.script(FaultSpec(kind="compressed"))
    headers, body = await answer(mocks)
    assert headers["content-encoding"] == "gzip"
    assert json.loads(gzip.decompress(body))["Result"] is True


async def test_dripping_answer_comes_whole_in_the_end(mocks: Mocks) -> None:
    await mocks.hubject.script(FaultSpec(kind="drip", delay_s=0.001))
    headers, body = await answer(mocks)
    assert len(body) == int(headers["content-length"])
    assert json.loads(body)["Result"] is True


async def test_huge_answer_ends_with_its_client(mocks: Mocks) -> None:
    await mocks.hubject.script(FaultSpec(kind="huge"))
    headers, body = await answer(mocks, most=4 * 2**20)
    assert "content-length" not in headers
    assert len(body) > 3 * 2**20


async def test_blackhole_neither_takes_nor_refuses_until_it_ends(mocks: Mocks) -> None:
    await mocks.hubject.script(FaultSpec(kind="blackhole"))
    connecting = asyncio.create_task(asyncio.open_connection("127.0.0.1", mocks.hubject.port))
    done, _ = await asyncio.wait([connecting], timeout=0.3)
    assert not done
    connecting.cancel()
    await mocks.hubject.script(FaultSpec(kind="down"))
    mocks.hubject.faults.clear()
    await mocks.hubject.follow_down()
    assert (await answer_of_one(mocks))["content-type"].startswith("application/json")
    assert held(mocks) == {"DE*ABC*E1": "Available"}


async def answer_of_one(mocks: Mocks) -> dict[str, str]:
    reader, writer = await asyncio.open_connection("127.0.0.1", mocks.hubject.port)
    writer.write(REQUEST)
    async with asyncio.timeout(5):
        head = await reader.readuntil(b"\r\n\r\n")
    writer.close()
    lines = (line.partition(": ") for line in head.decode().split("\r\n")[1:])
    return {name.lower(): value for name, _, value in lines}
