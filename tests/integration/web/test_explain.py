"""The explanation of an EVSE over REST and on the command line, with the bridge running and stopped."""

from __future__ import annotations

import json
from typing import Any

from aiohttp.test_utils import TestClient
from test_cli_services import Desk, desk, halted, running, state  # noqa: F401 - fixtures

Headers = dict[str, str]


async def test_an_evse_is_explained_by_its_id_in_any_spelling(
    client: TestClient, admin: Headers, services: Any
) -> None:
    response = await client.get("/api/v1/evses/de*abc*e1/explain", headers=admin)
    body = await response.json()
    assert (response.status, body["status"], body["connection"]["text"]) == (200, "charging", "CS-1 is connected.")
    assert services.explanations.asked == [("de*abc*e1", None)]
    response = await client.get("/api/v1/evses/DE%2AABC%2AE9/explain", headers=admin)
    assert (response.status, (await response.json())["detail"]) == (404, "there is no EVSE 'DE*ABC*E9'")
    assert (await client.get("/api/v1/evses/x/explain")).status == 401


def test_the_page_is_printed_and_a_terminal_obeys_none_of_it(desk: Desk) -> None:  # noqa: F811
    result = desk.run("explain", "de*abc*e1")
    assert (result.exit_code, result.stdout.splitlines()) == (
        0,
        ["DE*ABC*E1 is charging since 12:00:00 UTC: connector 1 reported Charging.", "  info '␛[2J'"],
    )


def test_programs_get_one_document(desk: Desk) -> None:  # noqa: F811
    result = desk.run("explain", "de*abc*e1", "--json")
    assert (result.exit_code, json.loads(result.stdout)["rule"]) == (0, "connector 1 reported Charging")


def test_an_evse_that_there_is_not_is_3(desk: Desk) -> None:  # noqa: F811
    result = desk.run("explain", "DE*ABC*E9")
    assert (result.exit_code, result.stderr.splitlines()[-1]) == (3, "there is no EVSE 'DE*ABC*E9'")
