"""`ocpp-bridge temporary` against a running bridge over REST, and against a stopped one by its store."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from bridge.core.model import TemporaryKind
from bridge.web.services import Conflict, NotFound, ServiceError, Unavailable, ValueRefused
from bridge.web.temporary_shapes import TemporaryWish
from tests.integration.web.test_cli_services import Desk, desk, halted, running, state

__all__ = ["desk", "halted", "running", "state"]

ZONE = ("--time-zone", "Europe/Berlin")


def wish_of(desk: Desk) -> TemporaryWish:
    (order,) = desk.services.temporaries.orders
    assert order[0] == "create"
    assert isinstance(order[1], TemporaryWish)
    return order[1]


def test_list_shows_local_times_with_their_offset_and_what_the_station_was_told(desk: Desk) -> None:
    result = desk.run("temporary", "list", *ZONE)
    assert result.exit_code == 0
    header, row = result.stdout.splitlines()
    assert header.split()[:3] == ["id", "EVSE", "id"]
    assert "2026-11-20 13:00:00+01:00" in row
    assert "until ended" in row
    assert "Inoperative: accepted" in row
    assert desk.services.temporaries.orders == [("list", None, "current")]


def test_list_of_all_and_of_one_evse(desk: Desk) -> None:
    assert desk.run("temporary", "list", "--all", "--evse", "de.abc.e1").exit_code == 0
    assert desk.services.temporaries.orders == [("list", "de.abc.e1", "all")]


def test_nothing_to_list_is_said(desk: Desk) -> None:
    desk.services.temporaries.items = []
    assert desk.run("temporary", "list").stdout == "no temporary statuses\n"


def test_create_sends_one_wish_for_all_evses_in_the_zone_that_is_named(desk: Desk) -> None:
    begins, ends = ("--from", "2026-12-01 08:00"), ("--to", "2026-12-01 18:00")
    result = desk.run(
        "temporary", "create", "DE*ABC*E1", "deabce2", "--status", "BLOCKED", *begins, *ends, *ZONE, "--enforce"
    )
    assert result.exit_code == 0, result.stderr
    assert wish_of(desk) == TemporaryWish(
        evse_ids=("DE*ABC*E1", "deabce2"),
        status=TemporaryKind.BLOCKED,
        valid_from=datetime(2026, 12, 1, 7, 0, tzinfo=UTC),
        valid_to=datetime(2026, 12, 1, 17, 0, tzinfo=UTC),
        enforce=True,
    )
    assert len(result.stdout.splitlines()) == 3


def test_create_for_a_period_counts_from_its_beginning_or_from_now(desk: Desk) -> None:
    options = ("--status", "MAINTENANCE", "--for", "2 h")
    assert desk.run("temporary", "create", "X", *options, "--from", "2026-12-01T08:00:00Z").exit_code == 0
    assert wish_of(desk).valid_to == datetime(2026, 12, 1, 10, 0, tzinfo=UTC)
    desk.services.temporaries.orders.clear()
    assert desk.run("temporary", "create", "X", *options).exit_code == 0
    wish = wish_of(desk)
    assert wish.valid_from is None
    assert wish.valid_to is not None
    assert timedelta(minutes=119) < wish.valid_to - datetime.now(UTC) <= timedelta(hours=2)
    assert wish.enforce is None


def test_end_ends_all_of_them(desk: Desk) -> None:
    result = desk.run("temporary", "end", "7")
    assert (result.exit_code, result.stdout) == (0, "7 is ended: DE*ABC*E1 MAINTENANCE\n")
    assert desk.services.temporaries.orders == [("end", (7,))]


@pytest.mark.parametrize("command", [("list",), ("create", "X", "--status", "BLOCKED"), ("end", "7")])
def test_json_is_one_document(desk: Desk, command: tuple[str, ...]) -> None:
    result = desk.run("temporary", *command, "--json")
    assert (result.exit_code, result.stderr) == (0, "")
    (item,) = json.loads(result.stdout)["items"]
    assert (item["valid_from"], item["phase"]) == ("2026-11-20T12:00:00Z", "active")


@pytest.mark.parametrize(
    ("failure", "code", "line"),
    [
        pytest.param(NotFound("EVSE", "X"), 3, "there is no EVSE 'X'", id="unknown-evse"),
        pytest.param(Conflict("temporary status 7 is exactly this one"), 4, None, id="duplicate"),
        pytest.param(ValueRefused("valid_to", "is over already"), 2, "valid_to: is over already", id="impossible"),
        pytest.param(Unavailable("database unavailable: busy"), 1, None, id="busy"),
    ],
)
def test_failures_have_the_exit_codes_of_the_other_commands(
    desk: Desk, failure: ServiceError, code: int, line: str | None
) -> None:
    desk.services.temporaries.failure = failure
    result = desk.run("temporary", "create", "X", "--status", "BLOCKED")
    assert (result.exit_code, result.stderr) == (code, f"{line or failure}\n")


def test_unknown_id_is_exit_code_3(desk: Desk) -> None:
    result = desk.run("temporary", "end", "7", "8", "--json")
    assert result.exit_code == 3
    assert json.loads(result.stdout)["error"] == "there is no temporary status '8'"


@pytest.mark.parametrize(
    ("options", "line"),
    [
        pytest.param(("--to", "2026-12-01 08:00", "--for", "1 h"), "--to and --for say the same", id="both-ends"),
        pytest.param(("--from", "2026-02-30 08:00"), "--from '2026-02-30 08:00'", id="february-30"),
        pytest.param(("--to", "soon"), "--to 'soon'", id="no-time"),
        pytest.param(("--for", "2 weeks"), "--for '2 weeks'", id="no-duration"),
        pytest.param(("--time-zone", "Mars"), "--time-zone 'Mars'", id="no-zone"),
        pytest.param(("--from", "9999-12-31T23:00:00Z", "--for", "2 h"), "--for '2 h'", id="beyond-9999"),
    ],
)
def test_times_that_cannot_be_are_wrong_usage_and_nothing_is_asked(
    desk: Desk, options: tuple[str, ...], line: str
) -> None:
    result = desk.run("temporary", "create", "X", "--status", "BLOCKED", *options)
    assert result.exit_code == 2
    assert result.stderr.startswith(line)
    assert desk.services.temporaries.orders == []


@pytest.mark.parametrize(
    "arguments", [("create", "X"), ("create", "X", "--status", "BROKEN"), ("end", "seven"), ("end", "0"), ("end",)]
)
def test_wrong_usage_is_exit_code_2(desk: Desk, arguments: tuple[str, ...]) -> None:
    assert desk.run("temporary", *arguments).exit_code == 2


def test_create_with_dry_run_shows_what_hubs_would_be_told_and_creates_nothing(desk: Desk) -> None:
    result = desk.run("temporary", "create", "DE*ABC*E1", "--status", "MAINTENANCE", "--dry-run", *ZONE)
    assert result.exit_code == 0, result.stderr
    assert "maintenance: hubject_main OutOfService" in result.stdout
    assert "7 MAINTENANCE" in result.stdout
    assert [order[0] for order in desk.services.temporaries.orders] == ["preview"]
