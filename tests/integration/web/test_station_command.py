"""`ocpp-bridge station` against a running bridge over REST, and against a stopped one by its store."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bridge.web.services import Conflict, NotFound, NotRunning, ServiceError, Unavailable, ValueRefused
from bridge.web.station_shapes import (
    AvailabilityOrder,
    CallOrder,
    ConfigurationChange,
    ConfigurationQuery,
    ProfileOrder,
    ResetOrder,
    RotationOrder,
    RotationResult,
    TriggerOrder,
    UnlockOrder,
)
from tests.integration.web.station_fakes import KEY, result
from tests.integration.web.test_cli_services import Desk, desk, halted, running, state

__all__ = ["desk", "halted", "running", "state"]


def test_list_shows_who_is_connected_and_who_answers_no_calls(desk: Desk) -> None:
    ended = desk.run("station", "list")
    assert ended.exit_code == 0, ended.stderr
    lines = ended.stdout.splitlines()
    assert lines[0].split()[:3] == ["station", "connected", "version"]
    assert "yes, but answers no calls" in lines[2]
    assert desk.services.stations.orders == [("list", 1000, None, None, None)]


def test_list_of_some(desk: Desk) -> None:
    options = ("--connected", "--version", "ocpp1.6", "--limit", "2", "--after", "A & B")
    ended = desk.run("station", "list", *options)
    assert ended.exit_code == 0, ended.stderr
    assert desk.services.stations.orders == [("list", 2, "A & B", True, "ocpp1.6")]
    assert "there are more: --after 'CS-2'" in ended.stderr


@pytest.mark.parametrize("written", ["2.0.1", "ocpp2.0.1", "OCPP2.0.1"])
def test_a_version_is_written_as_in_the_inventory_or_as_the_subprotocol(desk: Desk, written: str) -> None:
    assert desk.run("station", "list", "--version", written).exit_code == 0
    assert desk.services.stations.orders == [("list", 1000, None, None, "ocpp2.0.1")]


def test_a_version_that_is_none_is_refused_before_anybody_is_asked(desk: Desk) -> None:
    ended = desk.run("station", "list", "--version", "1.5")
    assert (ended.exit_code, ended.stderr) == (2, "--version: should be one of 1.6, 2.0.1, 2.1\n")
    assert desk.services.stations.orders == []


def test_show_tells_everything_in_words(desk: Desk) -> None:
    ended = desk.run("station", "show", "CS/2 |*")
    assert ended.exit_code == 0, ended.stderr
    for line in (
        "station: CS/2 |*",
        "connected: yes, but answers no calls",
        "remote: 192.0.2.1:5000 since 2026-11-20 12:00:00 UTC",
        "takeovers: 3",
        "security profile: 1 demanded, 2 reached",
        "key sent and not used yet: 2026-11-20 12:00:00 UTC",
        "refuses TriggerMessage: yes",
        "counted: frame_malformed_not_json 2",
        "security event 2026-11-20 12:00:00 UTC: InvalidMessages 3 of them",
        "asks to be signed since 2026-11-20 12:00:00 UTC:",
        "-----BEGIN[2J",
        "MIIB",
    ):
        assert line in ended.stdout.splitlines()
    for part in ("DE*ABC*E1", "Charging (stale)", "61 s", "OtherError E7", "door open"):
        assert part in ended.stdout


def test_a_station_that_is_not_there(desk: Desk) -> None:
    ended = desk.run("station", "show", "unknown", "--json")
    assert ended.exit_code == 3
    assert json.loads(ended.stdout)["error"] == "there is no station 'unknown'"


@pytest.mark.parametrize(
    ("command", "order"),
    [
        pytest.param(
            ("call", "CS-1", "Reset", '{"type": "Soft"}', "--timeout", "300"),
            CallOrder(action="Reset", payload={"type": "Soft"}, timeout_s=300),
            id="call",
        ),
        pytest.param(
            ("call", "CS-1", "ClearCache", "--force"), CallOrder(action="ClearCache", force=True), id="call-forced"
        ),
        pytest.param(("call", "CS-1", "ClearCache"), CallOrder(action="ClearCache"), id="call-without-payload"),
        pytest.param(
            ("trigger", "CS-1", "MeterValues", "--connector", "2"),
            TriggerOrder(message="MeterValues", connector=2),
            id="trigger",
        ),
        pytest.param(
            ("availability", "CS-1", "inoperative", "--evse", "1", "--connector", "2"),
            AvailabilityOrder(operative=False, evse=1, connector=2),
            id="availability",
        ),
        pytest.param(("reset", "CS-1", "hard", "--evse", "1"), ResetOrder(kind="hard", evse=1), id="reset"),
        pytest.param(("unlock", "CS-1", "--connector", "1"), UnlockOrder(connector=1), id="unlock"),
        pytest.param(("configuration", "get", "CS-1"), ConfigurationQuery(), id="get-all"),
        pytest.param(("configuration", "get", "CS-1", "--force"), ConfigurationQuery(force=True), id="get-all-forced"),
        pytest.param(
            ("configuration", "get", "CS-1", "A", "B.C"), ConfigurationQuery(keys=("A", "B.C")), id="get-some"
        ),
        pytest.param(
            ("configuration", "set", "CS-1", "HeartbeatInterval", "300"),
            ConfigurationChange(key="HeartbeatInterval", value="300"),
            id="set",
        ),
    ],
)
def test_each_verb_sends_its_order(desk: Desk, command: tuple[str, ...], order: object) -> None:
    ended = desk.run("station", *command)
    assert (ended.exit_code, ended.stderr) == (0, "")
    assert desk.services.stations.orders == [("CS-1", order)]
    assert ended.stdout == "CS-1 Reset: Accepted\n"
    again = desk.run("station", *command, "--json")
    assert json.loads(again.stdout) == result().model_dump(mode="json")


def test_a_payload_comes_from_a_file_or_from_standard_input(desk: Desk, tmp_path: Path) -> None:
    path = tmp_path / "request.json"
    path.write_text('{"type": "Hard"}', encoding="utf-8")
    assert desk.run("station", "call", "CS-1", "Reset", f"@{path}").exit_code == 0
    assert desk.run("station", "call", "CS-1", "Reset", "-", given='{"type": "Hard"}').exit_code == 0
    order = CallOrder(action="Reset", payload={"type": "Hard"})
    assert desk.services.stations.orders == [("CS-1", order), ("CS-1", order)]


@pytest.mark.parametrize("text", ["[1]", "{", "@nowhere.json", "1"])
def test_what_is_no_object_is_refused_before_anything_is_asked(desk: Desk, text: str) -> None:
    ended = desk.run("station", "call", "CS-1", "Reset", text)
    assert ended.exit_code == 2
    assert "JSON: should be an object" in ended.stderr
    assert desk.services.stations.orders == []


@pytest.mark.parametrize(
    ("command", "members", "code", "text"),
    [
        pytest.param(
            ("configuration", "set", "CS-1", "A", "1"),
            {"status": "RebootRequired"},
            0,
            "CS-1 Reset: RebootRequired, and takes effect after a reboot (station reset)",
            id="reboot-required",
        ),
        pytest.param(
            ("configuration", "set", "CS-1", "A", "1"),
            {"status": "Rejected", "done": False},
            1,
            "CS-1 Reset: Rejected",
            id="rejected",
        ),
        pytest.param(
            ("configuration", "set", "CS-1", "A", "1"),
            {"status": "NotSupported", "done": False},
            1,
            "CS-1 Reset: NotSupported: the station does not know this",
            id="not-supported",
        ),
        pytest.param(
            ("reset", "CS-1", "soft"),
            {
                "outcome": "refused",
                "status": "",
                "payload": {},
                "done": False,
                "code": "NotImplemented",
                "why": "no",
            },
            1,
            "CS-1 Reset: refused with CALLERROR NotImplemented: no",
            id="call-error",
        ),
        pytest.param(
            ("call", "CS-1", "Reset"),
            {"outcome": "timed_out", "status": "", "payload": {}, "done": False, "why": "no answer in time"},
            1,
            "CS-1 Reset: no answer in time",
            id="timed-out",
        ),
        pytest.param(
            ("call", "CS-1", "Reset"),
            {"status": "Rejected", "done": False},
            0,
            "CS-1 Reset: Rejected",
            id="call-was-answered",
        ),
        pytest.param(
            ("call", "CS-1", "Reset"),
            {"status": "", "payload": {"state": 1}, "valid": False, "why": "status is missing"},
            0,
            "CS-1 Reset: answered (the answer is not valid: status is missing)",
            id="invalid-answer",
        ),
    ],
)
def test_the_answer_decides_the_exit_code(
    desk: Desk, command: tuple[str, ...], members: dict[str, Any], code: int, text: str
) -> None:
    desk.services.stations.result = result(**members)
    ended = desk.run("station", *command)
    assert (ended.exit_code, ended.stdout.splitlines()[0]) == (code, text)
    assert desk.run("station", *command, "--json").exit_code == code


def test_configuration_is_a_table_and_a_key_that_was_asked_for_and_not_told_fails(desk: Desk) -> None:
    settings = [
        {"key": "HeartbeatInterval", "value": "300", "readonly": False, "status": "Accepted"},
        {"key": "Nope", "value": None, "readonly": None, "status": "UnknownKey"},
    ]
    desk.services.stations.result = result("GetConfiguration", status="", settings=settings)
    ended = desk.run("station", "configuration", "get", "CS-1", "HeartbeatInterval", "Nope")
    assert (ended.exit_code, ended.stderr) == (1, "not told: Nope\n")
    assert "read/write" in ended.stdout
    assert desk.run("station", "configuration", "get", "CS-1").exit_code == 0


@pytest.mark.parametrize(
    ("failure", "code"),
    [
        pytest.param(NotFound("station", "CS-1"), 3, id="unknown"),
        pytest.param(Conflict("CS-1: the station is not connected; nothing was sent"), 4, id="away"),
        pytest.param(ValueRefused("payload", "type is missing"), 2, id="invalid"),
        pytest.param(Unavailable("the database is locked"), 1, id="storage"),
    ],
)
def test_what_was_not_sent_ends_with_its_own_code(desk: Desk, failure: ServiceError, code: int) -> None:
    desk.services.stations.failure = failure
    ended = desk.run("station", "reset", "CS-1", "soft", "--json")
    assert ended.exit_code == code
    assert json.loads(ended.stdout)["error"] == str(failure)


def test_a_stopped_bridge_sends_nothing_and_says_so(halted: Desk) -> None:
    halted.services.stations.failure = NotRunning("the bridge is not running: nothing can be sent to CS-1")
    ended = halted.run("station", "reset", "CS-1", "soft")
    assert (ended.exit_code, ended.stderr) == (6, "the bridge is not running: nothing can be sent to CS-1\n")


def test_a_new_key_is_shown_once(desk: Desk) -> None:
    ended = desk.run("station", "rotate-key", "CS-1")
    assert (ended.exit_code, ended.stderr) == (0, "")
    assert ended.stdout.count(KEY) == 1
    assert json.loads(desk.run("station", "rotate-key", "CS-1", "--force", "--json").stdout)["key"] == KEY
    assert desk.services.stations.orders == [("CS-1", RotationOrder()), ("CS-1", RotationOrder(force=True))]


def test_a_key_from_a_file_is_sent_and_not_shown(desk: Desk, tmp_path: Path) -> None:
    path = tmp_path / "new.key"
    path.write_text(f"{KEY}\n", encoding="utf-8")
    desk.services.stations.rotated = RotationResult(
        station="CS-1", state="unclear", key=None, status="", why="no answer in time"
    )
    ended = desk.run("station", "rotate-key", "CS-1", "--key-file", str(path))
    assert ended.exit_code == 1
    assert "may have the new key or not: no answer in time; it can log in with either" in ended.stdout
    assert KEY not in ended.output
    assert desk.services.stations.orders == [("CS-1", RotationOrder(key=KEY))]


def test_a_key_file_that_cannot_be_read(desk: Desk) -> None:
    ended = desk.run("station", "rotate-key", "CS-1", "--key-file", "nowhere.key")
    assert (ended.exit_code, ended.stderr) == (2, "--key-file nowhere.key: No such file or directory\n")


def test_a_lower_profile_is_asked_about(desk: Desk) -> None:
    ended = desk.run("station", "profile", "CS-2", "1", given="n\n", interactive=True)
    assert ended.exit_code == 1
    assert "CS-2 must use profile 2 now. Let in whoever proves profile 1?" in ended.stderr
    assert desk.services.stations.orders == []
    assert desk.run("station", "profile", "CS-2", "1", given="y\n", interactive=True).exit_code == 0
    ended = desk.run("station", "profile", "CS-2", "3", interactive=True)
    assert (ended.exit_code, ended.stdout) == (0, "CS-2 must use security profile 3\n")
    assert desk.run("station", "profile", "CS-2", "0", "--yes", "--json").exit_code == 0
    assert desk.services.stations.orders == [
        ("CS-2", ProfileOrder(profile=1, yes=True)),
        ("CS-2", ProfileOrder(profile=3)),
        ("CS-2", ProfileOrder(profile=0, yes=True)),
    ]


@pytest.mark.parametrize(
    "command",
    [
        ("list",),
        ("show",),
        ("call",),
        ("trigger",),
        ("availability",),
        ("reset",),
        ("unlock",),
        ("configuration", "get"),
        ("configuration", "set"),
        ("rotate-key",),
        ("profile",),
    ],
)
def test_help_of_every_verb_has_examples(halted: Desk, command: tuple[str, ...]) -> None:
    ended = halted.run("station", *command, "--help")
    assert ended.exit_code == 0
    assert f"ocpp-bridge station {' '.join(command)}" in ended.stdout.partition("Examples:")[2]
