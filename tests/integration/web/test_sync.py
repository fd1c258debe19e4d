"""Differences and orders about them: over REST, and by the command line with the bridge running and stopped."""

from __future__ import annotations

import json
from typing import Any

import pytest
from aiohttp.test_utils import TestClient
from test_cli_services import Desk, desk, halted, running, state  # noqa: F401 - fixtures

from bridge.core.modes import Mode

Headers = dict[str, str]
SYNC = "/api/v1/upstreams/chargeprice/sync"
LINES = [
    "station 20006f18 (Spar): changed",
    '  attributes.name: "Spar 1" → "Spar"',
    "station 1a006f18: refused by the hub: HTTP 400",
    "station 3a006f18: no longer listed; stays at the hub until `upstream delete`",
    "company 1e49b853 (EnBW): new",
    "7 documents agreed",
    "statuses: 5 agreed, 2 changed",
    "made by others, never touched: BLOCKED on DE*ABC*E1 from 2026-01-01T00:00:00Z until removed (id 7)",
    "documents are held: stations: HTTP 403",
]


async def test_a_look_orders_nothing(client: TestClient, admin: Headers, services: Any) -> None:
    response = await client.get(SYNC, headers=admin)
    report = await response.json()
    assert (response.status, report["ordered"], services.orders) == (200, False, [])
    assert report["documents"][0]["changes"] == [{"field": "attributes.name", "old": '"Spar 1"', "new": '"Spar"'}]
    assert [document["standing"] for document in report["documents"]] == ["changed", "refused", "withdrawn", "new"]


@pytest.mark.parametrize(("body", "forget"), [(None, False), ({"forget": True}, True)])
async def test_a_sync_is_ordered(client: TestClient, admin: Headers, services: Any, body: Any, forget: bool) -> None:
    response = await client.post(SYNC, json=body, headers=admin) if body else await client.post(SYNC, headers=admin)
    assert (response.status, (await response.json())["ordered"]) == (200, True)
    assert services.orders == [("chargeprice", "sync", forget)]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("chargeprice/documents/station/2", 200),
        ("chargeprice/documents/company/2", 200),
        ("chargeprice/documents/evse_data/2", 404),
        ("chargeprice/documents/station/unknown", 404),
        ("chargeprice/documents/station/listed", 409),
        ("nobody/documents/station/2", 404),
    ],
)
async def test_a_deletion_is_ordered_of_what_is_no_longer_listed(
    client: TestClient, admin: Headers, services: Any, path: str, status: int
) -> None:
    response = await client.delete(f"/api/v1/upstreams/{path}", headers=admin)
    assert response.status == status
    assert len(services.orders) == (1 if status == 200 else 0)


def test_a_dry_run_shows_every_difference_and_orders_nothing(desk: Desk) -> None:  # noqa: F811
    result = desk.run("upstream", "sync", "chargeprice", "--dry-run")
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [*LINES, "5 to send; nothing was sent"]
    assert desk.services.orders == []


def test_a_sync_asks_first_and_a_no_changes_nothing(desk: Desk) -> None:  # noqa: F811
    result = desk.run("upstream", "sync", "chargeprice", given="n\n", interactive=True)
    assert (result.exit_code, desk.services.orders) == (1, [])
    assert "Send what differs to chargeprice now?" in result.stderr
    result = desk.run("upstream", "sync", "chargeprice", "--all", given="y\n", interactive=True)
    assert (result.exit_code, desk.services.orders) == (0, [("chargeprice", "sync", True)])
    assert "Send everything to chargeprice now?" in result.stderr


def test_with_nobody_there_a_sync_needs_a_yes(desk: Desk) -> None:  # noqa: F811
    assert desk.run("upstream", "sync", "chargeprice").exit_code == 2
    result = desk.run("upstream", "sync", "chargeprice", "--yes")
    assert (result.exit_code, desk.services.orders) == (0, [("chargeprice", "sync", False)])
    assert result.stdout.splitlines()[-1].startswith("chargeprice is off: it is sent once")


def test_a_live_account_says_how_much_goes_out(desk: Desk) -> None:  # noqa: F811
    found = desk.services.upstreams["chargeprice"]
    desk.services.upstreams["chargeprice"] = found.model_copy(update={"mode": Mode.LIVE})
    result = desk.run("upstream", "sync", "chargeprice", "--yes")
    assert result.stdout.splitlines()[-1] == "chargeprice: sending 5 now"
    result = desk.run("upstream", "sync", "chargeprice", "--all", "--yes")
    assert result.stdout.splitlines()[-1] == "chargeprice: sending everything now"


def test_a_report_is_one_document_too(desk: Desk) -> None:  # noqa: F811
    result = desk.run("upstream", "sync", "chargeprice", "--dry-run", "--json")
    assert (result.exit_code, json.loads(result.stdout)["documents_agreed"]) == (0, 7)
    assert desk.run("upstream", "sync", "nobody", "--dry-run").exit_code == 3


@pytest.mark.parametrize(("key", "code"), [("2", 0), ("unknown", 3), ("listed", 4)])
def test_a_deletion_by_command_ends_with_its_exit_code(desk: Desk, key: str, code: int) -> None:  # noqa: F811
    result = desk.run("upstream", "delete", "chargeprice", "station", key, "--yes")
    assert result.exit_code == code
    assert len(desk.services.orders) == (1 if code == 0 else 0)


def test_a_deletion_needs_a_yes(desk: Desk) -> None:  # noqa: F811
    assert desk.run("upstream", "delete", "chargeprice", "station", "2").exit_code == 2
    result = desk.run("upstream", "delete", "chargeprice", "station", "2", given="n\n", interactive=True)
    assert (result.exit_code, desk.services.orders) == (1, [])
    assert "This cannot be taken back." in result.stderr


def test_held_and_refused_documents_are_told_with_the_accounts(desk: Desk) -> None:  # noqa: F811
    found = desk.services.upstreams["chargeprice"]
    desk.services.upstreams = {"chargeprice": found.model_copy(update={"documents_held": "stations: HTTP 403"})}
    assert "stations: HTTP 403" in desk.run("status").stdout
    desk.services.upstreams = {"chargeprice": found.model_copy(update={"documents_refused": 1})}
    assert "1 document refused; see: ocpp-bridge upstream sync chargeprice --dry-run" in desk.run("status").stdout


def test_enable_says_that_documents_go_first(desk: Desk) -> None:  # noqa: F811
    result = desk.run("upstream", "enable", "chargeprice", "--dry-run")
    assert "2 to tell of: stations; 1 to tell of: companies" in result.stderr
    assert (
        "  documents go before statuses; each is shown by: ocpp-bridge upstream sync chargeprice --dry-run"
        in result.stderr
    )
