"""What only Chargeprice has, byte by byte: the path and the key."""

import pytest

from bridge.core.model import EvseId, Refused
from bridge.upstreams.chargeprice import Chargeprice, ChargepriceOptions
from bridge.upstreams.port import Record

COMPANY = "1e49b853-36fc-47ed-9826-97828b5b2fdd"


async def no_content(writer):
    writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")


async def test_path_and_headers_arrive_as_written(raw_server):
    server = await raw_server(no_content)
    upstream = Chargeprice(ChargepriceOptions(server.url, COMPANY, "my-secret-key"))
    await upstream.push(Record(EvseId("DE*ABC*E1"), "occupied", station_ref="a/b c"))
    await upstream.close()

    head = server.requests[0].decode().split("\r\n")
    assert (
        head[0]
        == f"PUT /v1/companies/{COMPANY}/charging_stations/a%2Fb%20c/charge_points/DE%2AABC%2AE1/status HTTP/1.1"
    )
    assert "Api-Key: my-secret-key" in head
    assert "Content-Type: application/json" in head
    assert [line for line in head if line.startswith("Accept-Encoding")] == ["Accept-Encoding: identity"]


async def test_record_without_a_station_is_refused_unsent(raw_server):
    server = await raw_server(no_content)
    upstream = Chargeprice(ChargepriceOptions(server.url, COMPANY, "my-secret-key"))
    answer = await upstream.push(Record(EvseId("DE*ABC*E1"), "occupied"))
    await upstream.close()
    assert answer.outcome == Refused("the inventory has no chargeprice_station for this EVSE")
    assert server.requests == []


async def test_full_load_is_a_mistake_of_ours():
    upstream = Chargeprice(ChargepriceOptions("https://hub", COMPANY, "my-secret-key"))
    with pytest.raises(AssertionError, match="has no request for the whole set"):
        await upstream.full_load([])
