"""How an account's rows stand, read back from both databases."""

from __future__ import annotations

from test_lane_documents import AT_ONCE, running, settled
from tests_bridge import CHARGEPRICE, HUBJECT, FakeUpstream, until

from bridge.app.sync_services import sync_report
from bridge.core.documents import DocumentKind, Learnt
from bridge.core.model import Accepted, Refused
from bridge.core.modes import Mode
from bridge.lane import DocumentOptions
from bridge.store.lane_readings import read_lanes
from bridge.store.standings import read_standings
from bridge.upstreams.port import Answer

STATIONS = DocumentOptions(frozenset({DocumentKind.STATION}), per_minute=AT_ONCE)


def station(name: str) -> str:
    return f'{{"attributes":{{"name":"{name}"}}}}'


async def report(bridge, account=HUBJECT):
    async with bridge.store.read() as connection:
        found = await connection.run_sync(read_standings, account)
    return sync_report(account, "chargeprice", Mode.LIVE, found)


async def test_everything_is_new_before_the_first_push(bridge) -> None:
    await bridge.wish({"a": station("Spar")}, DocumentKind.STATION)
    found = await report(bridge)
    assert [(row.key, row.name, row.standing) for row in found.documents] == [("a", "Spar", "new")]
    assert found.statuses == {"new": 4}
    assert (await report(bridge, CHARGEPRICE)).documents == ()


async def test_each_document_stands_as_its_hub_answered(bridge) -> None:
    answers = {"b": Answer(Refused("HTTP 400"))}
    upstream = FakeUpstream(
        document_answer=lambda document: answers.get(document.key, Answer(Accepted(), learnt=Learnt(version=1)))
    )
    before = {"a": station("A"), "b": station("B"), "c": station("C"), "d": station("D")}
    await bridge.wish(before, DocumentKind.STATION)
    async with running(bridge.lane(upstream, documents=STATIONS)):
        await until(lambda: len(upstream.documents) == 4 and len(upstream.pushed) == 4)
        await settled(bridge)
    await bridge.wish({"a": station("A"), "b": station("B"), "c": station("C 2")}, DocumentKind.STATION)
    epoch = await bridge.connect("one")
    await bridge.report("one", epoch, 1, "Faulted")
    found = await report(bridge)
    assert [(row.key, str(row.standing), row.why) for row in found.documents] == [
        ("b", "refused", "HTTP 400"),
        ("c", "changed", ""),
        ("d", "withdrawn", ""),
    ]
    (change,) = found.documents[1].changes
    assert (change.field, change.old, change.new) == ("attributes.name", '"C"', '"C 2"')
    assert (found.documents_agreed, found.statuses) == (1, {"agreed": 3, "changed": 1})
    assert found.to_send == 3
    async with bridge.store.read() as connection:
        lanes = {lane.account: lane.documents for lane in await read_lanes(connection, bridge.clock.steady)}
    told = lanes[HUBJECT]
    assert (told.dirty, told.refused, told.held) == (2, 1, None)
