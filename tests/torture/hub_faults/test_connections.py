"""What becomes of the connection that is kept between two requests, and of one that is never made."""

from __future__ import annotations

import asyncio
import socket
from datetime import timedelta

import aiohttp
import pytest

from bridge.upstreams.connections import Connector
from bridge.upstreams.http import Timeouts
from bridge.upstreams.names import Names
from tests.torture.hub_faults.subjects import PATIENT, SUBJECTS, Subject, upstream, verdict
from tests.torture.hub_faults.test_names import NameServer, at, hub
from tests.torture.hub_faults.wire import (
    TCP_REPAIR,
    Close,
    Cut,
    Pause,
    Raw,
    Reset,
    Say,
    Step,
    Vanish,
    blackhole,
    playing,
)

WHOLE = b"HTTP/1.1 200 OK\r\nContent-Length: %(length)d\r\n\r\n%(body)b"
LATER_S = 0.05

UNASKED = [
    # A server in front of the hub does so when it closes a connection on which nothing came for a while.
    pytest.param(b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", id="408"),
    pytest.param(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n", id="401"),
    pytest.param(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n" * 3, id="three-503"),
]


@pytest.mark.row("T30", "T41")
@pytest.mark.parametrize("unasked", UNASKED)
async def test_what_comes_unasked_is_not_the_answer_to_the_next_request(unasked: bytes) -> None:
    await each_has(["accepted"] * 3, (Say(WHOLE), Pause(LATER_S), Raw(unasked)), meets=1)


@pytest.mark.row("T30", "T41")
async def test_a_second_answer_that_says_yes_does_not_acknowledge_the_next_value() -> None:
    subject = SUBJECTS[0]
    refusal = b'{"Result": false, "StatusCode": {"Code": "001"}}'
    async with playing((Say(WHOLE), Pause(LATER_S), Say(WHOLE)), subject.success, subject.body) as played:
        opened = subject.upstream(played.url, PATIENT)
        await subject.act(opened)
        await asyncio.sleep(LATER_S * 3)
        played.success = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(refusal), refusal)
        assert verdict(await subject.act(opened)) == "deferred"
        await opened.close()


async def each_has(wanted: list[str], steps: tuple[Step, ...], meets: int, requests: int = 3) -> None:
    """Send three requests of each kind on a kept connection, with a moment after each, and compare what came of them.

    `meets`: which of them meets the steps. `requests`: how many of them reach the hub.
    """

    async def ask(subject: Subject) -> None:
        async with playing(steps, subject.success, subject.body, meets=meets) as played:
            opened = subject.upstream(played.url, PATIENT)
            found = []
            for _ in range(3):
                found.append(verdict(await subject.act(opened)))
                await asyncio.sleep(LATER_S * 3)
            await opened.close()
        reads = ["deferred" if verdict == "in doubt" else verdict for verdict in wanted]
        assert found == (reads if subject.reads else wanted), subject.name
        assert (len(played.requests), played.overlaps) == (requests, 0), subject.name

    async with asyncio.TaskGroup() as tasks:
        for subject in SUBJECTS:
            tasks.create_task(ask(subject), name=subject.name)


@pytest.mark.row("T41")
@pytest.mark.parametrize("step", [Close(), Reset()], ids=lambda step: type(step).__name__)
async def test_a_connection_that_was_closed_meanwhile_is_replaced_at_once(step: Step) -> None:
    await each_has(["accepted"] * 3, (Say(WHOLE), Pause(LATER_S), step), meets=1)


@pytest.mark.row("T41")
@pytest.mark.parametrize("step", [Close(), Cut(), Reset()], ids=lambda step: type(step).__name__)
async def test_one_that_closes_as_we_send_leaves_doubt_and_the_next_goes_by_a_new_one(step: Step) -> None:
    await each_has(["accepted", "in doubt", "accepted"], (step,), meets=2)


@pytest.mark.row("T41")
async def test_a_hub_that_vanished_is_noticed_by_the_next_request_and_met_anew_by_the_one_after() -> None:
    with socket.socket() as probe:
        try:
            probe.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, 1)
        except PermissionError:
            pytest.skip("only root may let a connection vanish without a packet")
    await each_has(["accepted", "in doubt", "accepted"], (Say(WHOLE), Pause(LATER_S), Vanish()), meets=1, requests=2)


@pytest.mark.row("T27")
@pytest.mark.parametrize("kind", ["oicp", "chargeprice", "spirii"])
async def test_a_hub_that_answers_no_syn_gets_nothing_and_costs_the_connect_timeout(kind: str) -> None:
    subject = next(subject for subject in SUBJECTS if subject.hub == kind)
    with blackhole() as port:
        opened = upstream(kind, f"http://127.0.0.1:{port}", Timeouts(timedelta(seconds=0.3), timedelta(seconds=15)))
        async with asyncio.timeout(8):
            answer = await subject.act(opened)
        await opened.close()
    assert verdict(answer) == "deferred"
    assert answer.outcome.why == "no connection in time"


@pytest.mark.row("T40")
async def test_a_hub_that_moved_is_met_at_its_new_address_within_a_minute_though_the_old_one_answers() -> None:
    now = [0.0]
    async with hub() as old, hub() as new:
        server = NameServer(at(("127.0.0.1", old.port)))
        connector = Connector(resolver=Names(server.look_up), clock=lambda: now[0], ttl_dns_cache=0)
        async with aiohttp.ClientSession(connector=connector) as session:
            for second in (0.0, 1.0, 49.0, 50.0, 51.0):
                now[0] = second
                async with session.post("http://hub.example/") as response:
                    await response.read()
                server.found = at(("127.0.0.1", new.port))
    assert (len(old.requests), len(new.requests)) == (3, 2)
    assert (old.connections, new.connections) == (1, 1)
