"""`ocpp-bridge key` against a running bridge over REST, and against a stopped one by its store."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from tests.integration.web.test_cli_services import Desk, desk, halted, running, state

__all__ = ["desk", "halted", "running", "state"]


def test_create_prints_the_key_alone_on_stdout(desk: Desk) -> None:
    result = desk.run("key", "create", "grafana", "--role", "viewer")
    assert result.exit_code == 0
    assert result.stdout == f"ocppb_{'k' * 42}1\n"
    assert result.stderr == (
        "key 1 'grafana': viewer, never expires; it is shown this once and stored nowhere as it is\n"
    )


def test_create_says_for_how_long_and_for_whom(desk: Desk) -> None:
    before = datetime.now(UTC)
    options = ("--expires", "90d", "--operator", "acme", "--operator", "volt")
    result = desk.run("key", "create", "installer", "--role", "operator", *options, "--json")
    assert (result.exit_code, result.stderr) == (0, "")
    item = json.loads(result.stdout)["item"]
    assert (item["role"], item["operators"]) == ("operator", ["acme", "volt"])
    lasting = datetime.fromisoformat(item["expires_at"]) - before
    assert timedelta(days=90) <= lasting < timedelta(days=90, minutes=2)


def test_create_takes_a_day_as_the_end(desk: Desk) -> None:
    result = desk.run("key", "create", "x", "--role", "viewer", "--expires", "2099-06-30T00:00:00Z", "--json")
    assert json.loads(result.stdout)["item"]["expires_at"] == "2099-06-30T00:00:00Z"


@pytest.mark.parametrize("expires", ["soon", "", "0d", "-1d"])
def test_create_refuses_an_end_that_is_none(desk: Desk, expires: str) -> None:
    result = desk.run("key", "create", "x", "--role", "viewer", "--expires", expires)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert "should be such as 90d, 12h or 2027-06-30" in result.stderr


@pytest.mark.parametrize("role", ["root", ""])
def test_create_needs_one_of_the_three_roles(desk: Desk, role: str) -> None:
    assert desk.run("key", "create", "x", "--role", role).exit_code == 2
    assert desk.run("key", "create", "x").exit_code == 2


def test_a_name_that_is_taken_is_exit_code_4(desk: Desk) -> None:
    desk.run("key", "create", "grafana", "--role", "viewer")
    result = desk.run("key", "create", "grafana", "--role", "viewer")
    assert (result.exit_code, result.stdout) == (4, "")
    assert result.stderr.startswith("there is a key 'grafana' already")


def test_list_is_for_reading_and_says_when_there_is_none(desk: Desk) -> None:
    assert desk.run("key", "list").stdout.startswith("no keys: only the admin token counts")
    desk.run("key", "create", "grafana", "--role", "viewer")
    header, row = desk.run("key", "list").stdout.splitlines()
    assert header.split() == ["id", "name", "role", "operators", "state", "created", "by", "expires", "last", "used"]
    assert row.split()[:6] == ["1", "grafana", "viewer", "all", "in", "force"]
    assert row.rstrip().endswith("never    not yet")
    assert "ocppb_" not in row


@pytest.mark.parametrize("named", ["grafana", "1"])
def test_revoke_takes_a_name_or_an_id(desk: Desk, named: str) -> None:
    desk.run("key", "create", "grafana", "--role", "viewer")
    result = desk.run("key", "revoke", named)
    assert (result.exit_code, result.stdout) == (0, "key 1 'grafana' is revoked\n")
    assert desk.run("key", "list").stdout.startswith("no keys")
    assert "revoked" in desk.run("key", "list", "--all").stdout


@pytest.mark.parametrize("named", ["nobody", "7"])
def test_revoke_of_no_key_is_exit_code_3(desk: Desk, named: str) -> None:
    result = desk.run("key", "revoke", named)
    assert (result.exit_code, result.stderr) == (3, f"there is no key {named!r}\n")


def test_help_has_examples(desk: Desk) -> None:
    assert "KEY=$(ocpp-bridge key create grafana --role viewer" in desk.run("key", "create", "--help").stdout
