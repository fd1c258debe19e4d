"""What `ocpp-bridge init` writes, and what it never overwrites."""

from __future__ import annotations

import json
import os
import stat
import tomllib
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from bridge.cli.command import app
from bridge.inventory_file import parse_inventory
from bridge.settings import load_settings


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["init", *arguments])


def test_what_is_written_is_a_valid_configuration_and_a_valid_inventory(tmp_path: Path) -> None:
    done = run(str(tmp_path / "site"), "--station", "CP 42,a", "--ocpp", "2.0.1", "--operator", 'A "B"')
    assert done.exit_code == 0
    settings = load_settings(tmp_path / "site" / "bridge.toml", {})
    assert (settings.state_dir, settings.operators["own"].name) == (tmp_path / "site" / "state", 'A "B"')
    rows = (tmp_path / "site" / "stations.csv").read_bytes()
    inventory = parse_inventory(rows, operators=("own",), read_key_file=lambda _: b"")
    assert [(one.station, one.version) for one in inventory.stations] == [("CP 42,a", "ocpp2.0.1")]
    assert "ocpp-bridge station show 'CP 42,a'" in done.stdout
    assert ":9000/CP%2042%2Ca " in done.stdout


def test_each_station_gets_a_key_of_its_own_that_only_this_user_can_read(tmp_path: Path) -> None:
    keys = [json.loads(run(str(tmp_path / name), "--json").stdout)["key"] for name in ("one", "two")]
    assert [len(key) for key in keys] == [20, 20]
    assert len(set(keys)) == 2
    for name in ("bridge.toml", "stations.csv"):
        assert stat.S_IMODE((tmp_path / "one" / name).stat().st_mode) == 0o600


@pytest.mark.parametrize("there", ["bridge.toml", "stations.csv"])
def test_a_file_that_exists_is_kept_and_nothing_else_is_written(tmp_path: Path, there: str) -> None:
    (tmp_path / there).write_text("mine", encoding="utf-8")
    done = run(str(tmp_path))
    assert (done.exit_code, done.stderr) == (4, f"{tmp_path / there} exists already; name another folder\n")
    assert [path.name for path in tmp_path.iterdir()] == [there]
    assert (tmp_path / there).read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        pytest.param(("--ocpp", "1.7"), "--ocpp", id="version"),
        pytest.param(("--evse-id", "E1"), "--evse-id", id="EVSE id"),
        pytest.param(("--operator", " "), "--operator", id="operator"),
    ],
)
def test_what_could_not_be_imported_is_wrong_usage(tmp_path: Path, arguments: tuple[str, ...], problem: str) -> None:
    done = run(str(tmp_path / "site"), *arguments)
    assert done.exit_code == 2
    assert done.stderr.startswith(problem)
    assert not (tmp_path / "site").exists()


def test_the_reference_s_keys_are_a_part_of_every_key_there_is(tmp_path: Path) -> None:
    assert run(str(tmp_path)).exit_code == 0
    written = tomllib.loads((tmp_path / "bridge.toml").read_text(encoding="utf-8"))
    assert set(written) == {"state_dir", "ocpp", "web", "operators"}
    assert os.path.isabs(written["state_dir"])
