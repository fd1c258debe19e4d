"""Every answer of Hubject's documents, scripted by a switch and read raw from a socket."""

import asyncio
import json
from pathlib import Path

import aiohttp
import pytest

from simulators.hubs.mocks import MockOptions, Mocks
from tests.unit.simulators.hubs.evse_data import data_body, record

RESPONSES = json.loads((Path(__file__).parents[2] / "vectors" / "oicp_responses.json").read_text())["responses"]
BOUND = aiohttp.ClientTimeout(total=5)
PUSHES = {
    "eRoamingPushEvseStatus": (
        "evsepush/v21/operators/DE*ABC/status-records",
        {
            "ActionType": "update",
            "OperatorEvseStatus": {
                "OperatorID": "DE*ABC",
                "EvseStatusRecord": [{"EvseID": "DE*ABC*E1", "EvseStatus": "Available"}],
            },
        },
    ),
    "eRoamingPushEvseData": ("evsepush/v23/operators/DE*ABC/data-records", data_body("insert", record())),
}


@pytest.fixture
async def mocks():
    async with Mocks(MockOptions(seed=1)) as running:
        yield running


async def script(mocks, **spec):
    async with (
        aiohttp.ClientSession(timeout=BOUND) as session,
        session.post(f"{mocks.control_url}/hubject/faults", json=spec) as response,
    ):
        assert response.status == 201, await response.text()


async def raw_push(mocks, operation="eRoamingPushEvseStatus"):
    """Push on a connection of its own and return the status, the headers and the bytes of the body."""
    path, document = PUSHES[operation]
    body = json.dumps(document).encode()
    head = (
        f"POST /api/oicp/{path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    reader, writer = await asyncio.open_connection("127.0.0.1", mocks.hubject.port)
    writer.write(head.encode() + body)
    answer = await asyncio.wait_for(reader.read(), 5)
    writer.close()
    head, _, body = answer.partition(b"\r\n\r\n")
    first, *lines = head.decode("ascii").split("\r\n")
    headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
    return int(first.split()[1]), headers, body


def switch_for(row):
    """Return the fault that makes the mock answer like a row, in the hub's own shape where it has one."""
    http, body, content = row["http"], row["body"], {"content_type": row["content_type"]}
    if http == 429:
        return {"kind": "rate_limit"}
    if isinstance(body, dict) and "StatusCode" in body:
        names = {"Code": "code", "Description": "description", "AdditionalInfo": "additional_info"}
        own = {names[name]: value for name, value in body["StatusCode"].items()}
        if http == 200 and body.get("Result") is False:
            return {"kind": "result_false", **own, **content}
        if http >= 300:
            return {"kind": "status", "status": http, **own, **content}
    return {"kind": "status", "status": http, "text": body if isinstance(body, str) else json.dumps(body), **content}


def without_nulls(value):
    if not isinstance(value, dict):
        return value
    return {name: without_nulls(inner) for name, inner in value.items() if inner is not None}


@pytest.mark.parametrize("operation", PUSHES)
@pytest.mark.parametrize("row", RESPONSES, ids=lambda row: f"{row['http']} {row['why'][:40]}")
async def test_answer_of_the_documents_is_reachable_by_a_switch(mocks, row, operation):
    await script(mocks, operation=[operation], **switch_for(row))
    status, headers, body = await raw_push(mocks, operation)
    assert status == row["http"]
    if row["body"] == "":
        assert body == b""
        return
    assert headers["content-type"] == row["content_type"]
    if isinstance(row["body"], str):
        assert body.decode() == row["body"]
        assert headers.get("process-id") is None
    else:
        assert without_nulls(json.loads(body)) == without_nulls(row["body"])
        assert len(headers["process-id"]) == 36


@pytest.mark.parametrize(
    ("fault", "content_type", "encoded"),
    [
        ({"content_type": "application/json;charset=ISO-8859-1"}, "application/json;charset=ISO-8859-1", b"Z\xe4hler"),
        ({}, "application/json", "Zähler".encode()),
        ({"charset": "iso-8859-1"}, "application/json", b"Z\xe4hler"),
        ({"content_type": "application/json;charset=odd"}, "application/json;charset=odd", "Zähler".encode()),
    ],
    ids=["as-declared", "utf-8", "not-as-declared", "unknown-charset"],
)
@pytest.mark.parametrize("kind", ["status", "result_false"])
async def test_body_is_in_the_charset_that_was_asked_for(mocks, kind, fault, content_type, encoded):
    await script(mocks, kind=kind, code="001", description="Zähler", **fault)
    _, headers, body = await raw_push(mocks)
    assert headers["content-type"] == content_type
    assert b'"Description":"' + encoded + b'"' in body
