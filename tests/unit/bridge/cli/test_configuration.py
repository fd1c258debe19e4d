"""What `ocpp-bridge config show` says of every setting."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from bridge.cli.command import app

FILE = """\
[ocpp]
id_tags = "list"
id_tag_list = ["CARD-1"]
[status]
offline_after = "1200 s"
[accounts.cp]
kind = "chargeprice"
base_url = "https://api.chargeprice.app"
company_id = "11111111-2222-3333-4444-555555555555"
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file, a secret and a variable, each with a value that the others do not have."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bridge.toml").write_text(FILE, encoding="utf-8")
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "bridge_accounts__cp__api_key").write_text("SECRET-IN-FILE\n", encoding="utf-8")
    monkeypatch.setenv("BRIDGE_SECRETS_DIR", "secrets")
    monkeypatch.setenv("BRIDGE_DATABASE_URL", "postgresql://bridge:SECRET-IN-URL@127.0.0.1/bridge")
    monkeypatch.delenv("BRIDGE_CONFIG", raising=False)
    return tmp_path


def show(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["config", "show", *arguments])


def shown() -> dict[str, tuple[object, str]]:
    return {one["key"]: (one["value"], one["source"]) for one in json.loads(show("--json").stdout)["values"]}


def test_each_value_is_shown_with_where_it_is_from() -> None:
    found = shown()
    secret = "secret file secrets/bridge_accounts__cp__api_key"
    assert found["status.offline_after"] == ("20 min", "bridge.toml")
    assert found["status.available_hold"] == ("2 s", "default")
    assert found["secrets_dir"] == ("secrets", "environment variable BRIDGE_SECRETS_DIR")
    assert found["accounts.cp.per_minute"] == (900, "default")
    assert found["accounts.cp.api_key_file"] == ("secrets/bridge_accounts__cp__api_key", secret)


def test_no_secret_is_shown_and_no_card() -> None:
    found = shown()
    assert found["database_url"] == ("***", "environment variable BRIDGE_DATABASE_URL")
    assert found["accounts.cp.api_key"][0] == "***"
    assert found["ocpp.id_tag_list"] == ("***", "bridge.toml")
    for text in (show().output, show("--json").output):
        assert not any(secret in text for secret in ("SECRET-IN", "CARD-1"))


def test_only_what_differs_from_the_defaults_can_be_asked_for() -> None:
    keys = [line.split()[0] for line in show("--changed").stdout.splitlines()[1:]]
    assert keys == [
        *("secrets_dir", "database_url", "ocpp.id_tags", "ocpp.id_tag_list", "status.offline_after"),
        *("accounts.cp.base_url", "accounts.cp.kind", "accounts.cp.company_id"),
        *("accounts.cp.api_key", "accounts.cp.api_key_file"),
    ]


def test_a_configuration_that_is_wrong_is_not_shown(folder: Path) -> None:
    (folder / "bridge.toml").write_text("[ocpp]\nport = 70000\n[accounts.cp]\nkind = 'spirii'\n", encoding="utf-8")
    done = show()
    assert (done.exit_code, done.stdout) == (5, "")
    assert "bridge.toml: ocpp.port = 70000: should be a whole number from 0 to 65535" in done.stderr
