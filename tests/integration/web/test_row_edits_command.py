"""`ocpp-bridge inventory show`, `edit` and `remove` against the real services of a running bridge."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from aiohttp.test_utils import TestServer
from typer.testing import Result

from bridge.app.services import StoreServices
from bridge.cli.run import Parts
from bridge.cli.session import Stopped
from bridge.core.etags import ANYTHING
from bridge.store.engine import Store
from bridge.store.writer import Writer
from bridge.web.inventory_services import EditWay
from bridge.web.inventory_shapes import InventoryStationChange
from bridge.web.ports_file import Ports, write_ports
from bridge.web.routes import create_app
from bridge.web.shapes import ImportRequest
from tests.integration.web.real_services import real_services, rows
from tests.integration.web.test_cli_services import Desk

EVSE, STATION = ("--evse", "deabce00001"), ("--station", "CS-00001")


def _never() -> Stopped:
    raise AssertionError("a running bridge's store must not be opened")


def _say_nothing(logger: Any, name: str, event: Any) -> Any:
    raise structlog.DropEvent


class Operator:
    """Runs commands beside the bridge, whose loop goes on meanwhile."""

    def __init__(self, services: StoreServices) -> None:
        self.services = services
        self._desk = Desk(services, Parts(stopped=_never))

    async def run(self, *arguments: str, given: str | None = None, interactive: bool = False) -> Result:
        return await asyncio.to_thread(self._desk.run, "inventory", *arguments, given=given, interactive=interactive)

    async def somebody_else(self, *, strict: bool) -> None:
        change = InventoryStationChange(strict=strict)
        await self.services.inventory_edits.change_station("CS-00001", change, EditWay(ANYTHING))


@pytest.fixture
def store_url(sqlite_url: str) -> str:
    return sqlite_url


@pytest.fixture
async def operator(
    store: Store, writer: Writer, token: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Operator]:
    folder = tmp_path / "of-the-bridge"
    folder.mkdir()
    (folder / "admin-token").write_text(token, encoding="ascii")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("BRIDGE_CONFIG", raising=False)
    monkeypatch.setenv("BRIDGE_STATE_DIR", str(folder))
    services = real_services(store, writer, tmp_path)
    await services.import_inventory(ImportRequest(csv=rows(30)))
    structlog.configure(processors=[_say_nothing])  # it would log into what the command prints
    try:
        async with TestServer(create_app(services, token), host="127.0.0.1") as server:
            write_ports(folder, Ports(1, server.port or 0, "127.0.0.1", 1))
            yield Operator(services)
    finally:
        structlog.reset_defaults()


async def test_an_evse_is_shown_with_the_etag_of_what_was_seen(operator: Operator) -> None:
    shown = json.loads((await operator.run("show", *EVSE, "--json")).stdout)
    assert (shown["evse_id"], shown["station"], shown["operator"]) == ("DE*ABC*E00001", "CS-00001", "acme")
    lines = (await operator.run("show", *EVSE)).stdout.splitlines()
    assert (lines[0], lines[-1]) == ("evse_id: DE*ABC*E00001", f"etag: {shown['etag']}")


@pytest.mark.parametrize(
    "verb", [("show",), ("edit", "--set", "strict=true"), ("remove", "--yes")], ids=["show", "edit", "remove"]
)
async def test_a_station_that_is_not_there_is_exit_code_3(operator: Operator, verb: tuple[str, ...]) -> None:
    result = await operator.run(*verb, "--station", "nobody")
    assert (result.exit_code, result.stderr) == (3, "there is no station 'nobody'\n")


@pytest.mark.parametrize("verb", ["show", "edit", "remove"])
@pytest.mark.parametrize("named", [(), (*EVSE, *STATION)], ids=["none", "both"])
async def test_it_must_be_said_which_one_is_meant(operator: Operator, verb: str, named: tuple[str, ...]) -> None:
    result = await operator.run(verb, *named)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == "which one? Give --evse ID or --station ID\n"


async def test_an_edit_changes_what_it_names_and_a_dry_run_nothing(operator: Operator) -> None:
    edit = ("edit", *STATION, "--set", "strict=true", "--set", "ping_seconds=30")
    dry = await operator.run(*edit, "--dry-run")
    assert dry.stdout.splitlines()[-1] == "nothing was changed; this would be: 1 station changed"
    assert (await operator.services.inventory_edits.get_station("CS-00001")).strict is False
    done = await operator.run(*edit)
    assert (done.exit_code, done.stdout) == (0, "station changed: CS-00001\ndone: 1 station changed\n")
    found = await operator.services.inventory_edits.get_station("CS-00001")
    assert (found.strict, found.ping_seconds, found.layer0) == (True, 30, "downgrade")


async def test_an_edit_that_the_rules_of_an_import_refuse_is_exit_code_5(operator: Operator) -> None:
    result = await operator.run("edit", *EVSE, "--set", "operator=nobody")
    assert result.exit_code == 5
    assert 'operator "nobody": is no configured operator' in result.stderr


async def test_of_two_who_edit_what_both_have_seen_one_is_told_what_the_other_changed(operator: Operator) -> None:
    seen = (await operator.run("show", *STATION, "--json")).stdout
    await operator.somebody_else(strict=True)
    wanted = json.dumps(json.loads(seen) | {"layer0": "source"})
    result = await operator.run("edit", "--from", "-", given=wanted)
    now = json.loads((await operator.run("show", *STATION, "--json")).stdout)
    assert (result.exit_code, result.stdout) == (4, "")
    assert result.stderr.splitlines() == [
        "layer0: is downgrade, you want source",
        "strict: is true, you want false",
        "somebody else has changed CS-00001 since you read it; nothing was changed by you: "
        f"look at it with `inventory show`, and go on with its etag {now['etag']}",
    ]
    assert (now["layer0"], now["strict"]) == ("downgrade", True)
    going_on = await operator.run("edit", *STATION, "--set", "layer0=source", "--if-match", now["etag"])
    assert going_on.exit_code == 0


async def test_a_conflict_is_a_document_too(operator: Operator) -> None:
    result = await operator.run("edit", *STATION, "--set", "strict=true", "--if-match", "0000", "--json")
    assert result.exit_code == 4
    assert json.loads(result.stdout)["details"] == ["strict: is false, you want true"]


async def test_a_file_is_taken_back_as_it_was_shown_but_for_what_was_edited(operator: Operator, tmp_path: Path) -> None:
    file = tmp_path / "cs.json"
    file.write_text((await operator.run("show", *STATION, "--json")).stdout.replace("downgrade", "source"), "utf-8")
    assert (await operator.run("edit", "--from", str(file))).exit_code == 0
    assert (await operator.services.inventory_edits.get_station("CS-00001")).layer0 == "source"


async def test_a_new_key_is_printed_once_and_one_from_a_file_never(operator: Operator, tmp_path: Path) -> None:
    secure = ("edit", *STATION, "--set", "security=1")
    made = await operator.run(*secure, "--generate-key")
    assert made.exit_code == 0
    assert made.stdout.splitlines()[-1].startswith("its key, which is shown only now: ")
    (tmp_path / "key").write_text("a-key-of-sixteen-b\n", "ascii")
    given = await operator.run(*secure, "--key-file", str(tmp_path / "key"))
    assert given.exit_code == 0
    assert "a-key-of-sixteen-b" not in given.output


async def test_nothing_is_removed_where_nobody_can_be_asked(operator: Operator) -> None:
    result = await operator.run("remove", *EVSE)
    assert (result.exit_code, result.stderr) == (
        2,
        "nobody is there to ask; add --yes to remove deabce00001, or --dry-run\n",
    )
    assert (await operator.run("show", *EVSE)).exit_code == 0


async def test_a_removal_shows_what_would_go_and_asks(operator: Operator) -> None:
    no = await operator.run("remove", *STATION, given="n\n", interactive=True)
    assert (no.exit_code, "Remove station CS-00001 with 1 EVSE from the inventory?" in no.stderr) == (1, True)
    yes = await operator.run("remove", *STATION, given="y\n", interactive=True)
    assert (yes.exit_code, yes.stdout.splitlines()[-1]) == (0, "done: 1 station removed, 1 EVSE removed")
    assert (await operator.run("show", *STATION)).exit_code == 3


async def test_nothing_is_removed_that_was_changed_since_it_was_seen(operator: Operator) -> None:
    seen = json.loads((await operator.run("show", *STATION, "--json")).stdout)["etag"]
    await operator.somebody_else(strict=True)
    result = await operator.run("remove", *STATION, "--yes", "--if-match", seen)
    assert (result.exit_code, result.stdout) == (4, "")
    assert (await operator.run("remove", *STATION, "--yes", "--if-match", "*")).exit_code == 0
