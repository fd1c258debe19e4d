"""`/api/v1/stations/{id}/log`, and `ocpp-bridge station log` over it or over the files of a stopped bridge."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient

from bridge.app.wire_services import StoredWireLog
from bridge.cli.session import running_services
from bridge.settings import load_settings
from bridge.web.services import Unavailable
from bridge.wire_log import FileWireLog, Masking, WireLogOptions
from csms.events import Epoch, OcppVersion
from csms.ports import Direction
from tests.integration.web.conftest import wire_line
from tests.integration.web.test_cli_services import Desk, desk, halted, running, state

__all__ = ["desk", "halted", "running", "state"]

Headers = dict[str, str]
PATH = "/api/v1/stations/CS-1/log"
PATIENCE_S = 5.0
HEARTBEAT = '[2,"1","Heartbeat",{}]'

SINCE = "since should be a date and time such as 2026-12-01T08:00:00Z or 2026-12-01T09:00:00+01:00"


# --- REST ---------------------------------------------------------------------------------------------------------


async def test_lines_are_answered_with_the_cursor_for_the_next_question(
    client: TestClient, admin: Headers, services: Any
) -> None:
    services.wire_log.items = [wire_line(7, HEARTBEAT), wire_line(8, '[3,"1",{}]', "to_station")]
    response = await client.get(PATH, headers=admin)
    assert await response.json() == {
        "items": [
            {
                "id": 7,
                "at": "2026-11-20T12:00:00.007000Z",
                "station": "CS-1",
                "epoch": 3,
                "direction": "from_station",
                "text": HEARTBEAT,
                "size": 22,
                "cut": False,
            },
            {
                "id": 8,
                "at": "2026-11-20T12:00:00.008000Z",
                "station": "CS-1",
                "epoch": 3,
                "direction": "to_station",
                "text": '[3,"1",{}]',
                "size": 10,
                "cut": False,
            },
        ],
        "cursor": 8,
    }
    assert services.wire_log.orders == [("CS-1", 100, None, None, timedelta(0))]


async def test_every_part_of_the_question_is_passed_on_and_the_id_decoded(
    client: TestClient, admin: Headers, services: Any
) -> None:
    path = "/api/v1/stations/DE%2FABC%20%7C1/log?limit=5&after=7&since=2026-11-20T12:00:00Z&wait=1"
    services.wire_log.items = [wire_line(9, HEARTBEAT)]
    assert (await client.get(path, headers=admin)).status == 200
    noon = datetime(2026, 11, 20, 12, tzinfo=UTC)
    assert services.wire_log.orders == [("DE/ABC |1", 5, 7, noon, timedelta(seconds=1))]


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("limit=0", "limit should be a whole number from 1 to 10000"),
        ("limit=10001", "limit should be a whole number from 1 to 10000"),
        ("after=-1", "after should be a whole number from 0 to 9223372036854775807"),
        ("wait=31", "wait should be a whole number from 0 to 30"),
        (
            "since=yesterday",
            SINCE,
        ),
    ],
)
async def test_a_wrong_question_is_400_and_names_the_part(
    client: TestClient, admin: Headers, services: Any, query: str, wanted: str
) -> None:
    response = await client.get(f"{PATH}?{query}", headers=admin)
    assert (response.status, (await response.json())["detail"]) == (400, wanted)
    assert services.wire_log.orders == []


async def test_without_the_token_nothing_is_shown(client: TestClient, services: Any) -> None:
    assert (await client.get(PATH)).status == 401
    assert services.wire_log.orders == []


async def test_who_waits_when_the_bridge_stops_is_told_at_once(
    client: TestClient, admin: Headers, services: Any
) -> None:
    async with asyncio.timeout(PATIENCE_S):
        asking = asyncio.create_task(client.get(f"{PATH}?wait=30", headers=admin))
        await services.wire_log.asked.wait()
        await client.server.app.shutdown()  # type: ignore[union-attr]
        assert (await asking).status == 503


async def test_a_line_that_is_waited_for_is_answered_when_it_was_flushed(tmp_path: Path) -> None:
    written = FileWireLog(tmp_path, Masking(b"key"), WireLogOptions(), lambda what, number: None)
    stored = StoredWireLog(tmp_path, written)
    async with asyncio.timeout(PATIENCE_S):
        asking = asyncio.create_task(stored.lines("CS-1", limit=10, after=0, wait=timedelta(seconds=30)))
        written.ring.frame("CS-2", Epoch(1), Direction.FROM_STATION, HEARTBEAT)
        await written.flush()
        written.ring.frame("CS-1", Epoch(1), Direction.FROM_STATION, HEARTBEAT)
        await written.flush()
        page = await asking
    assert [line.text for line in page.items] == [HEARTBEAT]
    assert page.cursor == page.items[0].id
    await written.close()


async def test_where_the_log_is_off_a_follower_waits_and_does_not_ask_all_the_time(tmp_path: Path) -> None:
    began = asyncio.get_running_loop().time()
    page = await StoredWireLog(tmp_path, None).lines("CS-1", limit=10, after=7, wait=timedelta(milliseconds=50))
    assert (page.items, page.cursor) == ((), 7)
    assert asyncio.get_running_loop().time() - began >= 0.04


# --- the command line ---------------------------------------------------------------------------------------------


def test_the_log_is_shown_with_arrows_and_times_in_utc(running: Desk) -> None:
    running.services.wire_log.items = [
        wire_line(1, "ocpp1.6 from 127.0.0.1:5000", "opened"),
        wire_line(123, HEARTBEAT),
        wire_line(124, '[3,"1",{}]', "to_station"),
        wire_line(125, '[2,"2","NotifyReport",{"rep', cut=True),
        wire_line(126, "1001 bye", "closed"),
    ]
    result = running.run("station", "log", "CS-1", "--limit", "7")
    assert result.exit_code == 0, result.stderr
    assert result.stdout.splitlines() == [
        "2026-11-20 12:00:00.001 * opened ocpp1.6 from 127.0.0.1:5000",
        '2026-11-20 12:00:00.123 < [2,"1","Heartbeat",{}]',
        '2026-11-20 12:00:00.124 > [3,"1",{}]',
        '2026-11-20 12:00:00.125 < [2,"2","NotifyReport",{"rep … (54 bytes)',
        "2026-11-20 12:00:00.126 * closed 1001 bye",
    ]
    assert running.services.wire_log.orders == [("CS-1", 7, None, None, timedelta(0))]


def test_nothing_that_a_station_sends_reaches_the_terminal_as_it_came(running: Desk) -> None:
    running.services.wire_log.items = [wire_line(1, "\x1b[2J\x07\r\n\x7f\x9b1m\u202e\U000e0001é")]
    text = running.run("station", "log", "CS-1").stdout
    assert text == "2026-11-20 12:00:00.001 < ␛[2J␇␍␊␡\\u009b1m\\u202e\\udb40\\udc01é\n"
    document = running.run("station", "log", "CS-1", "--json").stdout
    assert document.isascii()
    assert document.rstrip("\n").isprintable()


def test_json_is_one_document_per_line(running: Desk) -> None:
    running.services.wire_log.items = [wire_line(1, HEARTBEAT), wire_line(2, '[3,"1",{}]', "to_station")]
    lines = running.run("station", "log", "CS-1", "--json").stdout.splitlines()
    assert [(each["direction"], each["text"]) for each in map(json.loads, lines)] == [
        ("from_station", HEARTBEAT),
        ("to_station", '[3,"1",{}]'),
    ]


def test_since_is_a_period_or_a_moment(running: Desk) -> None:
    running.services.wire_log.items = [wire_line(1, HEARTBEAT)]
    before = datetime.now(UTC)
    assert running.run("station", "log", "CS-1", "--since", "10 min").exit_code == 0
    assert running.run("station", "log", "CS-1", "--since", "2026-11-20T12:00:00+01:00").exit_code == 0
    first, second = (order[3] for order in running.services.wire_log.orders)
    assert timedelta(minutes=-1) < before - timedelta(minutes=10) - first < timedelta(minutes=1)
    assert second == datetime(2026, 11, 20, 11, tzinfo=UTC)
    assert running.run("station", "log", "CS-1", "--since", "soon").exit_code == 2


def test_follow_goes_on_after_the_last_line_until_the_bridge_fails(running: Desk) -> None:
    log = running.services.wire_log
    log.items = [wire_line(1, HEARTBEAT)]
    answered = log.lines

    async def lines(station: str, **question: Any) -> Any:
        if len(log.orders) == 2:
            log.failure = Unavailable("the file cannot be read")
        log.items.append(wire_line(len(log.items) + 1, f"frame {len(log.items)}"))
        return await answered(station, **question)

    log.lines = lines
    result = running.run("station", "log", "CS-1", "--follow")
    assert result.exit_code == 1
    assert [line.rpartition("< ")[2] for line in result.stdout.splitlines()] == [HEARTBEAT, "frame 1", "frame 2"]
    assert [order[2] for order in log.orders] == [None, 2, 3]
    assert log.orders[1][4] == timedelta(seconds=20)


def test_a_station_of_which_nothing_is_kept_is_not_found(running: Desk) -> None:
    result = running.run("station", "log", "CS-9")
    assert (result.exit_code, result.stderr) == (3, "nothing is logged of a station 'CS-9'\n")


async def _write(folder: Path) -> None:
    log = FileWireLog(folder, Masking(b"key"), WireLogOptions(), lambda what, number: None)
    log.ring.opened("CS-1", Epoch(1), OcppVersion.V16, "127.0.0.1:5000")
    log.ring.frame("CS-1", Epoch(1), Direction.FROM_STATION, HEARTBEAT)
    await log.close()


def test_with_the_bridge_stopped_the_files_are_read_and_the_store_is_not_opened(state: Path, halted: Desk) -> None:
    asyncio.run(_write(state))
    result = halted.run("station", "log", "cs-1")
    assert result.exit_code == 0, result.stderr
    assert [line[24:] for line in result.stdout.splitlines()] == [
        "* opened ocpp1.6 from 127.0.0.1:5000",
        f"< {HEARTBEAT}",
    ]
    followed = halted.run("station", "log", "CS-1", "--follow")
    assert (followed.exit_code, followed.stderr) == (0, "the bridge is stopped: nothing more will come\n")


def test_a_log_that_cannot_be_read_says_why(state: Path, halted: Desk) -> None:
    (state / "wire").mkdir()
    (state / "wire" / "lines.db").write_bytes(b"no database" * 1000)
    result = halted.run("station", "log", "CS-1")
    assert (result.exit_code, result.stderr) == (1, "state/wire/lines.db: file is not a database\n")


async def test_no_bridge_is_none(state: Path) -> None:
    assert await running_services(load_settings(None, {})) is None
