"""`ocpp-sim load` against a central system made with the `ocpp` package: what it counts is what the server saw."""

from __future__ import annotations

import asyncio
import signal
import time

import psutil
import pytest
from ocpp.v16 import call

from tests.integration.load.conftest import Csms, begin, end, load

NAMES = ["load-00000", "load-00001", "load-00002"]


async def test_statuses_at_a_rate_are_as_many_as_the_server_saw_and_each_changes(csms: Csms) -> None:
    ended = await load(csms.url, "--stations", "3", "--rate", "60", "--seconds", "2", "--json", "-")
    assert ended.code == 0, ended.errors
    report = ended.report
    seen = {name: csms.statuses(name) for name in csms.heard}
    assert sorted(seen) == NAMES
    assert report["sent"] == report["answered"] == sum(map(len, seen.values())) == 120
    for told in seen.values():
        assert told[:5] == ["Charging", "Faulted", "Reserved", "Unavailable", "Charging"]
        assert len(told) == 40


async def test_as_fast_as_answered_has_one_message_in_flight_each(csms: Csms) -> None:
    ended = await load(csms.url, "--stations", "3", "--seconds", "1", "--json", "-")
    assert ended.code == 0, ended.errors
    assert ended.report["answered"] == sum(len(csms.statuses(name)) for name in NAMES)
    assert ended.report["waited"] == 0
    assert ended.report["answered"] > 30


async def test_message_that_waits_for_the_one_before_counts_from_when_it_was_due(csms: Csms) -> None:
    csms.takes_s = 0.05
    ended = await load(csms.url, "--stations", "1", "--rate", "40", "--seconds", "1", "--json", "-")
    assert ended.report["answered"] == 40
    assert ended.report["waited"] >= 30
    assert ended.report["answer_ms"]["max"] > 700  # the last was due after 1 s, and sent after 39 × 0.05 s


async def test_several_processes_share_stations_and_rate(csms: Csms) -> None:
    ended = await load(
        *(csms.url, "--stations", "3", "--rate", "60", "--seconds", "1", "--processes", "2", "--json", "-")
    )
    assert ended.code == 0, ended.errors
    assert sorted(csms.heard) == NAMES
    assert ended.report["answered"] == sum(len(csms.statuses(name)) for name in NAMES) == 60
    assert len(ended.report["generator"]["processes"]) == 2


async def test_flapping_connectors_go_to_and_fro_in_bursts(csms: Csms) -> None:
    await load(csms.url, "--stations", "2", "--rate", "40", "--seconds", "1", "--profile", "flap")
    assert csms.statuses("load-00000") == ["Preparing", "Available"] * 10


async def test_wrong_key_says_which_stations_were_refused_and_why(csms: Csms) -> None:
    csms.keys = {NAMES[0]: "right", NAMES[1]: "another", NAMES[2]: "right"}
    ended = await load(csms.url, "--stations", "3", "--key", "right", "--rate", "30", "--seconds", "1")
    assert ended.code == 3
    lines = ended.output.splitlines()
    assert lines[0].startswith("stations          2 of 3 connected")
    assert lines[1] == "refused           1 × HTTP 401, for example load-00001"
    assert "right" not in ended.output + ended.errors


async def test_each_station_of_a_file_has_its_own_key(csms: Csms, tmp_path) -> None:
    csms.keys = {"CS-1": "key-one", "CS-2": "key-two"}
    path = tmp_path / "stations.csv"
    path.write_text("station,version,key,connector\nCS-1,1.6,key-one,1\nCS-1,1.6,key-one,2\nCS-2,1.6,key-two,1\n")
    ended = await load(csms.url, "--credentials", str(path), "--rate", "20", "--seconds", "1")
    assert ended.code == 0, ended.output
    assert sorted(csms.heard) == ["CS-1", "CS-2"]


async def test_boot_comes_first_and_no_status_before_it_is_accepted(csms: Csms) -> None:
    csms.pending = 1
    ended = await load(csms.url, "--stations", "1", "--boot", "--rate", "20", "--seconds", "7", "--json", "-")
    assert ended.code == 0, ended.errors
    actions = [action for action, _ in csms.heard["load-00000"]]
    assert actions[:3] == ["BootNotification", "BootNotification", "StatusNotification"]
    assert ended.report["boots"] == {"Pending": 1, "Accepted": 1}


async def test_heartbeats_come_while_nothing_else_does(csms: Csms) -> None:
    await load(csms.url, "--stations", "2", "--heartbeat", "0.5", "--rate", "0.1", "--seconds", "2")
    for name in NAMES[:2]:
        beats = csms.heard[name].count(("Heartbeat", ""))
        assert 2 <= beats <= 6


async def test_call_errors_are_counted_by_code_and_end_with_exit_code_1(csms: Csms) -> None:
    csms.failing = True
    ended = await load(csms.url, "--stations", "2", "--rate", "10", "--seconds", "1", "--json", "-")
    assert ended.code == 1
    assert ended.report["call_errors"] == {"InternalError": 10}
    assert ended.report["answered"] == 0


async def test_server_that_closes_is_reported_and_station_comes_back_with_its_status(csms: Csms) -> None:
    csms.hangs_up_after = 2
    ended = await load(csms.url, "--stations", "1", "--rate", "4", "--seconds", "4", "--json", "-")
    assert ended.report["closed_by_server"] == {"1012": 1}
    assert ended.report["reconnects"] == 1
    assert ended.report["unanswered"] == 1
    assert csms.statuses("load-00000")[1:3] == ["Faulted", "Faulted"]


async def test_storm_brings_every_station_back_with_the_status_that_it_told_last(csms: Csms) -> None:
    ended = await load(csms.url, "--stations", "20", "--profile", "storm", "--seconds", "20", "--json", "-")
    assert ended.code == 0, ended.errors
    assert csms.handshakes == 40
    assert {tuple(csms.statuses(name)) for name in csms.heard} == {("Charging", "Charging")}
    assert (ended.report["answered_again"], ended.report["reconnects"]) == (20, 20)
    assert 0 < ended.report["back_ms"]["p50"] <= ended.report["back_ms"]["max"] <= 20_000


async def test_trigger_is_obeyed_and_other_orders_are_refused(csms: Csms) -> None:
    csms.asks = [call.TriggerMessage("StatusNotification"), call.TriggerMessage("Heartbeat"), call.ClearCache()]
    ended = await load(csms.url, "--stations", "1", "--rate", "1", "--seconds", "2", "--json", "-")
    assert ended.report["asked_by_server"] == {"TriggerMessage": 2, "ClearCache": 1}
    assert csms.statuses("load-00000")[:2] == ["Charging", "Charging"]
    assert ("Heartbeat", "") in csms.heard["load-00000"]
    assert sorted(str(answer.status) for answer in csms.answers if answer) == ["Accepted", "Accepted"]


async def test_trigger_is_rejected_where_that_is_wanted(csms: Csms) -> None:
    csms.asks = [call.TriggerMessage("StatusNotification")]
    await load(csms.url, "--stations", "1", "--rate", "1", "--seconds", "1", "--refuse-triggers")
    assert [answer.status for answer in csms.answers] == ["Rejected"]
    assert csms.statuses("load-00000") == ["Charging"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_ctrl_c_ends_it_with_its_report(csms: Csms, number: signal.Signals) -> None:
    process = await begin(csms.url, "--stations", "3", "--rate", "30", "--seconds", "3600", "--json", "-")
    await asyncio.wait_for(csms.begun.wait(), 20)
    process.send_signal(number)
    ended = await end(process)
    assert ended.code == 0
    assert ended.report["stopped_early"] is True
    assert ended.report["sent"] == ended.report["answered"] > 0


async def test_event_loop_that_was_held_up_is_told_as_the_bottleneck(csms: Csms) -> None:
    process = await begin(csms.url, "--stations", "3", "--rate", "30", "--seconds", "4", "--json", "-")
    await asyncio.wait_for(csms.begun.wait(), 20)
    [worker] = psutil.Process(process.pid).children()
    for _ in range(6):  # as a machine does that has no core left for it
        worker.suspend()
        await asyncio.sleep(0.05)
        await asyncio.sleep(0.05)
        worker.resume()
        await asyncio.sleep(0.01)
    ended = await end(process)
    assert ended.report["generator"]["bottleneck"] is True
    assert ended.report["generator"]["processes"][0]["late_longest_ms"] > 50


async def test_nobody_there_is_one_clear_line_and_exit_code_2(csms: Csms) -> None:
    url = csms.url
    csms.server.close()
    await csms.server.wait_closed()
    ended = await load(url, "--stations", "2", "--seconds", "1")
    assert ended.code == 2
    assert f"ocpp-sim load: could not reach {url}" in ended.errors
    assert "2 × Cannot connect to host" in ended.output


async def test_connect_rate_spreads_handshakes(csms: Csms) -> None:
    begun = time.monotonic()
    ended = await load(
        csms.url, "--stations", "20", "--connect-rate", "20", "--rate", "1", "--seconds", "0.1", "--json", "-"
    )
    assert ended.report["connected"] == 20
    assert ended.report["connect_seconds"] > 0.8
    assert time.monotonic() - begun < 20


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["http://127.0.0.1:1"], "is not a WebSocket address"),
        (["ws://127.0.0.1:1", "--ocpp", "1.5"], "'1.5' is none of 1.6, 2.0.1, 2.1"),
        (["ws://127.0.0.1:1", "--profile", "calm"], "'calm' is none of steady, storm, flap"),
        (["ws://127.0.0.1:1", "--rate", "fast"], "'fast' is neither a number nor max"),
        (["ws://127.0.0.1:1", "--name", "load"], "gives 200 stations the same name"),
        (["ws://127.0.0.1:1", "--credentials", "none.csv"], "there is no none.csv"),
        (["ws://127.0.0.1:1", "--ca", "none.pem"], "there is no none.pem"),
    ],
)
async def test_what_cannot_be_is_said_at_once(arguments: list[str], complaint: str) -> None:
    ended = await load(*arguments)
    assert ended.code == 2
    assert complaint in ended.errors
