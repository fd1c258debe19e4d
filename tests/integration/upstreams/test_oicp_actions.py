"""What only Hubject has: actions, and the fullLoad, against its mock over real sockets."""

import time

import pytest

from bridge.core.model import Accepted, EvseId, Refused, WrongAction
from bridge.upstreams.oicp import Oicp, OicpOptions
from bridge.upstreams.port import Record
from simulators.hubs.faults import FaultSpec


@pytest.fixture
async def upstream(mocks):
    made = Oicp(OicpOptions(mocks.hubject_url, "DE*ABC", "ABC technologies"))
    yield made
    await made.close()


def record(n, value="Available", **more):
    return Record(EvseId(f"DE*ABC*E{n}"), value, **more)


async def test_full_load_replaces_everything(mocks, upstream):
    await upstream.push(record(9))
    answer = await upstream.full_load([record(n) for n in range(1, 4)])
    assert answer.outcome == Accepted()
    assert answer.code == "000"
    assert len(answer.reference) == 36
    assert mocks.hubject.ledger.state(time.time()) == {
        "DE*ABC*E1": "Available",
        "DE*ABC*E2": "Available",
        "DE*ABC*E3": "Available",
    }


async def test_full_load_with_an_unknown_evse_names_it_and_changes_nothing(mocks, upstream):
    mocks.hubject.hub.configure({"evse_data": ["DE*ABC*E1", "DE*ABC*E3"]})
    answer = await upstream.full_load([record(n) for n in range(1, 4)])
    assert isinstance(answer.outcome, Refused)
    assert answer.outcome.named == ("DEABCE2",)
    assert mocks.hubject.ledger.state(time.time()) == {}


async def test_full_load_with_an_impossible_value_names_its_record(upstream):
    answer = await upstream.full_load([record(1), record(2, "Blocked")])
    assert answer.http == 400
    assert isinstance(answer.outcome, Refused)
    assert answer.outcome.named == ("DEABCE2",)


async def test_full_load_that_is_too_large_names_nobody(mocks, upstream):
    await mocks.hubject.script(FaultSpec(kind="status", status=413, text="", content_type="text/html"))
    answer = await upstream.full_load([record(1), record(2)])
    assert answer.outcome == Refused("HTTP 413")


async def test_update_of_an_evse_without_status_is_to_be_an_insert_and_back(mocks, upstream):
    mocks.hubject.hub.configure({"strict_known": True})

    first = await upstream.push(record(1))
    inserted = await upstream.push(record(1, known=False))
    again = await upstream.push(record(1, "Occupied", known=False))
    updated = await upstream.push(record(1, "Occupied", known=True))

    assert isinstance(first.outcome, WrongAction)
    assert first.outcome.known is False
    assert inserted.outcome == Accepted()
    assert isinstance(again.outcome, WrongAction)
    assert again.outcome.known is True
    assert updated.outcome == Accepted()
    assert [entry["action"] for entry in mocks.hubject.ledger.journal()] == ["update", "insert", "insert", "update"]
    assert mocks.hubject.ledger.state(time.time()) == {"DE*ABC*E1": "Occupied"}


async def test_delete_of_what_hubject_never_had_is_done(mocks, upstream):
    mocks.hubject.hub.configure({"strict_known": True})
    assert (await upstream.push(record(1, delete=True))).outcome == Accepted()


async def test_din_operator_is_addressed(mocks):
    mocks.hubject.hub.configure({"operator_ids": ["+49*810"]})
    upstream = Oicp(OicpOptions(mocks.hubject_url, "+49*810"))
    answer = await upstream.push(Record(EvseId("+49*810*000*438"), "Available"))
    await upstream.close()
    assert answer.outcome == Accepted()
    assert mocks.hubject.ledger.violations() == []
