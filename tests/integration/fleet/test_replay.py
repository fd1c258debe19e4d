"""`ocpp-sim replay` against a CSMS that does what the test says."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner
from websockets.asyncio.server import ServerConnection, serve
from websockets.typing import Subprotocol

from simulators.cli import application
from simulators.replay.lines import read
from simulators.replay.player import PlayOptions, play
from simulators.replay.report import Report
from simulators.replay.script import visits_of

PATIENCE_S = 5.0
Serve = Callable[[ServerConnection], Awaitable[None]]


class Csms:
    """Accepts anybody, keeps what it hears, and answers by `answer`."""

    def __init__(self) -> None:
        self.port = 0
        self.heard: list[str] = []
        self.headers: list[Any] = []
        self.chosen: list[str | None] = []
        self.heard_at: list[float] = []
        self.asks: list[list[Any]] = []
        """CALLs that it sends, one before each answer."""
        self.answer: Callable[[list[Any]], list[Any] | None] = lambda call: [3, call[1], {}]
        self.hangs_up_after = 1_000_000

    async def serve(self, connection: ServerConnection) -> None:
        assert connection.request is not None
        self.headers.append(connection.request.headers)
        self.chosen.append(connection.subprotocol)
        async for text in connection:
            assert isinstance(text, str)
            self.heard.append(text)
            self.heard_at.append(time.monotonic())
            if len(self.heard) >= self.hangs_up_after:
                return
            if self.asks:
                await connection.send(json.dumps(self.asks.pop(0)))
            try:
                frame = json.loads(text)
            except ValueError:
                continue
            if frame[0] == 2 and (answer := self.answer(frame)) is not None:
                await connection.send(json.dumps(answer))

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/ocpp/CS%201"

    async def plays(self, lines: list[dict[str, Any]], **options: Any) -> Report:
        text = "\n".join(map(json.dumps, lines))
        speed = options.pop("speed", None)
        async with asyncio.timeout(PATIENCE_S):
            return await play(visits_of(read(text)), PlayOptions(self.url, speed=speed, **options))


@pytest.fixture
async def csms() -> AsyncIterator[Csms]:
    found = Csms()
    versions = [Subprotocol(version) for version in ("ocpp1.6", "ocpp2.0.1", "ocpp2.1")]
    async with serve(found.serve, "127.0.0.1", 0, subprotocols=versions) as server:
        found.port = next(iter(server.sockets)).getsockname()[1]
        yield found


def said(text: object, at: str | None = None) -> dict[str, Any]:
    return _line("from_station", text, at)


def told(text: object, at: str | None = None) -> dict[str, Any]:
    return _line("to_station", text, at)


def _line(direction: str, text: object, at: str | None) -> dict[str, Any]:
    return {"direction": direction, "text": text if isinstance(text, str) else json.dumps(text), "at": at}


BOOT = [2, "1", "BootNotification", {"chargePointVendor": "V"}]
STATUS = [2, "2", "StatusNotification", {"connectorId": 1}]


async def test_frames_go_out_in_order_and_word_for_word(csms: Csms) -> None:
    odd = '[2, "2",\n"StatusNotification" , {"connectorId":1}]'
    report = await csms.plays([said(BOOT), told([3, "1", {}]), said(odd), said("[2,oops")])
    assert csms.heard == [json.dumps(BOOT), odd, "[2,oops"]
    assert (report.sent, report.calls, report.results, report.good) == (3, 2, 2, True)


async def test_each_call_waits_for_its_answer(csms: Csms) -> None:
    csms.answer = lambda call: None if call[1] == "1" else [3, call[1], {}]
    report = await csms.plays([said(BOOT), said(STATUS)], answer_timeout_s=0.05)
    assert report.unanswered == ["1 BootNotification"]
    assert csms.heard_at[1] - csms.heard_at[0] >= 0.04
    assert not report.good


async def test_frames_that_the_station_did_not_wait_between_are_not_waited_between(csms: Csms) -> None:
    csms.answer = lambda call: None if call[1] == "1" else [3, "1", {}]
    lines = [said(BOOT), said(STATUS), told([3, "1", {}]), told([3, "2", {}])]
    report = await csms.plays(lines, answer_timeout_s=0.05)
    assert report.unanswered == ["2 StatusNotification"]


async def test_calls_of_the_csms_are_answered_as_recorded_and_else_legally(csms: Csms) -> None:
    csms.asks = [
        [2, "a", "GetConfiguration", {}],
        [2, "b", "TriggerMessage", {"requestedMessage": "StatusNotification"}],
        [2, "c", "Unheard", {}],
    ]
    report = await csms.plays(
        [
            said(BOOT),
            told([2, "x", "GetConfiguration", {}]),
            said([3, "x", {"configurationKey": [], "unknownKey": ["k"]}]),
            said(STATUS),
            said([2, "3", "Heartbeat", {}]),
        ]
    )
    answers = [frame for frame in map(json.loads, csms.heard) if frame[0] != 2]
    assert answers[0] == [3, "a", {"configurationKey": [], "unknownKey": ["k"]}]
    assert answers[1] == [3, "b", {"status": "NotImplemented"}]
    assert answers[2][:3] == [4, "c", "NotImplemented"]
    assert report.asked == {"GetConfiguration": 1, "TriggerMessage": 1, "Unheard": 1}
    assert report.by_default == {"TriggerMessage": 1, "Unheard": 1}


async def test_another_kind_of_answer_than_recorded_is_a_mismatch(csms: Csms) -> None:
    csms.answer = lambda call: [4, call[1], "NotSupported", "", {}]
    report = await csms.plays([said(BOOT), told([3, "1", {}])])
    assert report.mismatches == ["1 BootNotification: recorded CALLRESULT, now CALLERROR NotSupported"]
    assert not report.good


async def test_transactions_go_on_with_the_ids_of_this_csms(csms: Csms) -> None:
    csms.answer = lambda call: [3, call[1], {"transactionId": 42} if call[2] == "StartTransaction" else {}]
    await csms.plays(
        [
            said([2, "1", "StartTransaction", {"connectorId": 1}]),
            told([3, "1", {"transactionId": 17}]),
            said([2, "2", "StopTransaction", {"transactionId": 17}]),
        ]
    )
    assert json.loads(csms.heard[1])[3] == {"transactionId": 42}


async def test_each_recorded_connection_is_one_of_its_version(csms: Csms) -> None:
    opened = {"direction": "opened", "text": "ocpp2.0.1 from 192.0.2.7:5"}
    report = await csms.plays([opened, said(BOOT), opened, said(STATUS)])
    assert csms.chosen == ["ocpp2.0.1", "ocpp2.0.1"]
    assert report.connections == 2
    await csms.plays([opened, said(BOOT)], version="ocpp1.6")
    assert csms.chosen[2:] == ["ocpp1.6"]


async def test_it_logs_in_with_the_decoded_id_and_the_key(csms: Csms) -> None:
    await csms.plays([said(BOOT)], key=b"s:cret")
    scheme, _, encoded = csms.headers[0]["Authorization"].partition(" ")
    assert (scheme, base64.b64decode(encoded)) == ("Basic", b"CS 1:s:cret")


async def test_pauses_are_as_recorded_but_scaled(csms: Csms) -> None:
    lines = [said(BOOT, "2026-11-20T12:00:00Z"), said(STATUS, "2026-11-20T12:00:05Z")]
    await csms.plays(lines, speed=100)
    assert 0.02 <= csms.heard_at[1] - csms.heard_at[0] < 2  # 5 s at 100 times their speed, as a busy reader hears it
    await csms.plays(lines, speed=None)
    assert csms.heard_at[3] - csms.heard_at[2] < 2


async def test_a_csms_that_hangs_up_is_reported_with_what_was_not_sent(csms: Csms) -> None:
    csms.hangs_up_after = 1
    report = await csms.plays([said(BOOT), said(STATUS)])
    assert report.ended.startswith("the CSMS closed the connection")
    assert (report.unanswered, report.unsent, report.good) == (["1 BootNotification"], 1, False)


async def test_a_csms_that_is_not_there_is_reported() -> None:
    visits = visits_of(read(json.dumps(BOOT)))
    report = await play(visits, PlayOptions("ws://127.0.0.1:1/CS-1"))
    assert report.ended.startswith("cannot connect")
    assert (report.unsent, report.good) == (1, False)


# --- the command line ---------------------------------------------------------------------------------------------


def run(*arguments: str) -> Any:
    return CliRunner().invoke(application("replay"), ["replay", *arguments])


async def test_the_command_prints_its_report_and_its_exit_code_says_whether_all_is_well(
    csms: Csms, tmp_path: Path
) -> None:
    file, key = tmp_path / "frames.json", tmp_path / "key"
    file.write_text(json.dumps([BOOT, [3, "1", {"interval": 300}], STATUS]))
    key.write_text("secret\n")
    arguments = (str(file), "--to", csms.url, "--key-file", str(key), "--as-fast-as-possible", "--diff")
    result = await asyncio.to_thread(run, *arguments)
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines() == [
        "sent 2 frames over 1 connections, 2 of them CALLs: 2 CALLRESULT, 0 CALLERROR, 0 unanswered",
        "differs: 1 BootNotification: interval: recorded 300, now missing",
    ]
    csms.answer = lambda call: [4, call[1], "GenericError", "", {}]
    result = await asyncio.to_thread(run, *arguments, "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["errors"] == {"GenericError": 2}


def test_a_wrong_order_says_what_would_be_right(tmp_path: Path) -> None:
    file = tmp_path / "log.jsonl"
    lines = [{**said(BOOT), "station": station} for station in ("CS-1", "CS-2")]
    file.write_text("\n".join(map(json.dumps, lines)))
    for arguments, code, wanted in (
        (("--to", "http://x/CS-1"), 2, "is not an address such as"),
        (("--to", "ws://x/CS-1", "--version", "1.5"), 2, "is none of 1.6, 2.0.1, 2.1"),
        (("--to", "ws://x/CS-1"), 2, "several stations: CS-1, CS-2"),
        (("--to", "ws://x/CS-1", "--station", "CS-3"), 2, "no 'CS-3', but CS-1, CS-2"),
        (("--to", "ws://x/CS-1", "--key-file", str(tmp_path / "none")), 1, "No such file"),
    ):
        result = run(str(file), *arguments)
        assert (result.exit_code, wanted in result.output.replace("\n", " ").replace("│", "")) == (code, True), (
            result.output
        )
