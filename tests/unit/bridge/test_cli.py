"""The verbs of `ocpp-bridge` that need no bridge, and how a command ends."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from socket import gaierror

import pytest
from typer.testing import CliRunner, Result

from bridge.app.listening import CannotListen
from bridge.cli.command import app
from bridge.cli.run import Parts
from bridge.settings import Settings
from bridge.store.errors import StoreUnavailable
from bridge.web.token import TokenUnusable

BAD = '[ocpp]\nport = 70000\n[web]\nhost = "a b"\n'


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Run in an empty folder and without our variables."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("BRIDGE_")]:
        monkeypatch.delenv(name)
    return tmp_path


def run(*arguments: str, parts: Parts | None = None) -> Result:
    return CliRunner().invoke(app, list(arguments), obj=parts)


def process(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "bridge.cli", *arguments],
        capture_output=True,
        text=True,
        timeout=30,
        env={**os.environ, **environ},
        stdin=subprocess.DEVNULL,
        check=False,
    )


def test_version_is_one_line() -> None:
    result = run("version")
    assert (result.exit_code, result.stdout) == (0, "ocpp-bridge 0.1.0\n")
    assert json.loads(run("version", "--json").stdout) == {"version": "0.1.0"}


def test_help_and_version_import_nothing_heavy() -> None:
    code = (
        "import sys, bridge.cli.command as cli\n"
        "try:\n    cli.app(['version'])\nexcept SystemExit: pass\n"
        "print(sorted({'aiohttp', 'sqlalchemy', 'ocpp', 'websockets', 'alembic'} & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(("nonsense",), id="unknown-command"),
        pytest.param(("serve", "--nonsense"), id="unknown-option"),
        pytest.param(("inventory", "import"), id="missing-argument"),
        pytest.param(("upstream", "enable", "hubject"), id="nobody-to-ask"),
    ],
)
def test_wrong_usage_is_exit_code_2(arguments: tuple[str, ...]) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert result.stdout == ""


def test_every_mistake_of_a_configuration_is_listed_and_exit_code_is_5(folder: Path) -> None:
    (folder / "bridge.toml").write_text(BAD, encoding="utf-8")
    for command in (("check-config",), ("serve",), ("status",), ("db", "upgrade"), ("upstream", "list")):
        result = run(*command)
        assert result.exit_code == 5, command
        assert result.stdout == ""
        assert result.stderr.splitlines() == [
            "bridge.toml: ocpp.port = 70000: should be a whole number from 0 to 65535",
            'bridge.toml: web.host = "a b": should be a host name or address such as "127.0.0.1"',
            "2 mistakes in the configuration" + ("" if command == ("check-config",) else "; nothing was started"),
        ]
    assert [path.name for path in folder.iterdir()] == ["bridge.toml"]


@pytest.mark.parametrize(
    "command",
    [
        pytest.param(("status",), id="status"),
        pytest.param(("upstream", "list"), id="upstream-list"),
        pytest.param(("upstream", "enable", "hubject", "--yes"), id="upstream-enable"),
        pytest.param(("inventory", "list"), id="inventory-list"),
        pytest.param(("db", "upgrade"), id="db-upgrade"),
    ],
)
def test_a_bad_configuration_is_one_document_too(folder: Path, command: tuple[str, ...]) -> None:
    (folder / "bridge.toml").write_text("[ocpp]\nport = 70000\n", encoding="utf-8")
    result = run(*command, "--json")
    assert (result.exit_code, json.loads(result.stdout)) == (
        5,
        {
            "error": "1 mistake in the configuration; nothing was started",
            "details": ["bridge.toml: ocpp.port = 70000: should be a whole number from 0 to 65535"],
        },
    )


def test_a_missing_file_and_a_missing_answer_are_documents_too() -> None:
    missing = run("inventory", "import", "none.csv", "--json")
    assert (missing.exit_code, json.loads(missing.stdout)) == (3, {"error": "none.csv: no such file", "details": []})
    nobody = run("upstream", "enable", "hubject", "--json")
    assert nobody.exit_code == 2
    assert json.loads(nobody.stdout)["error"] == (
        "nobody is there to ask; add --yes to switch hubject to live, or --dry-run"
    )


@pytest.mark.parametrize(
    "command",
    [
        "serve",
        "check-config",
        "version",
        "status",
        "inventory import",
        "inventory list",
        "upstream list",
        "upstream enable",
        "upstream disable",
        "upstream sync",
        "upstream delete",
        "db upgrade",
        "db backup",
        "db restore",
        "db check",
    ],
)
def test_every_command_has_an_example(command: str) -> None:
    result = run(*command.split(), "--help")
    assert result.exit_code == 0
    assert f"  ocpp-bridge {command}" in result.stdout.split("Examples:\n")[1]


def test_check_config_prints_one_document(folder: Path) -> None:
    (folder / "bridge.toml").write_text(BAD, encoding="utf-8")
    result = run("check-config", "--json")
    assert result.exit_code == 5
    assert json.loads(result.stdout) == {
        "valid": False,
        "mistakes": [
            {
                "source": "bridge.toml",
                "key": "ocpp.port",
                "problem": "should be a whole number from 0 to 65535",
                "value": "70000",
            },
            {
                "source": "bridge.toml",
                "key": "web.host",
                "problem": 'should be a host name or address such as "127.0.0.1"',
                "value": '"a b"',
            },
        ],
        "warnings": [],
    }


def test_check_config_warns_where_id_tags_are_not_set() -> None:
    result = run("check-config")
    assert (result.exit_code, result.stdout) == (0, "defaults and environment: the configuration is valid\n")
    assert "warning: ocpp.id_tags is not set: every idTag is rejected" in result.stderr


def test_the_file_is_the_named_one_then_the_environment_s_then_the_one_here(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("bridge.toml", "env.toml", "named.toml"):
        (folder / name).write_text("", encoding="utf-8")
    assert run("check-config").stdout == "bridge.toml: the configuration is valid\n"
    monkeypatch.setenv("BRIDGE_CONFIG", "env.toml")
    assert run("check-config").stdout == "env.toml: the configuration is valid\n"
    assert run("check-config", "--config", "named.toml").stdout == "named.toml: the configuration is valid\n"


def test_a_named_file_that_is_missing_is_exit_code_5() -> None:
    result = run("serve", "--config", "none.toml")
    assert (result.exit_code, result.stderr) == (
        5,
        "none.toml: cannot be read: no such file or directory\n1 mistake in the configuration; nothing was started\n",
    )


def test_serve_hands_the_settings_over_and_returns_the_bridge_s_exit_code(folder: Path) -> None:
    seen: list[Settings] = []

    def serve(settings: Settings) -> int:
        seen.append(settings)
        return 7

    (folder / "bridge.toml").write_text("[ocpp]\nport = 1234\n", encoding="utf-8")
    result = run("serve", parts=Parts(serve=serve))
    assert (result.exit_code, seen[0].ocpp.port) == (7, 1234)


@pytest.mark.parametrize(
    ("error", "line"),
    [
        pytest.param(
            CannotListen("web", "127.0.0.1", 8080, OSError(98, "error while attempting to bind on address …")),
            "cannot start: web.port 8080 on web.host 127.0.0.1: address already in use; "
            "end the program that uses it, or set web.port to another (0: any free one)",
            id="port-taken",
        ),
        pytest.param(
            CannotListen("ocpp", "0.0.0.0", 80, PermissionError(13, "Permission denied")),
            "cannot start: ocpp.port 80 on ocpp.host 0.0.0.0: permission denied; "
            "set ocpp.port to one that this user may use, above 1023",
            id="port-of-the-system",
        ),
        pytest.param(
            CannotListen("ocpp", "nowhere.invalid", 80, gaierror(-2, "Name or service not known")),
            "cannot start: ocpp.port 80 on ocpp.host nowhere.invalid: name or service not known; "
            "set ocpp.host to an address of this machine",
            id="host-unknown",
        ),
        pytest.param(
            StoreUnavailable("the file is read-only", "make it writable", "database /x"),
            "cannot start: database /x unavailable: the file is read-only; make it writable",
            id="database-unwritable",
        ),
        pytest.param(
            PermissionError(13, "Permission denied", "/x"), "cannot start: /x: Permission denied", id="folder"
        ),
        pytest.param(
            TokenUnusable(Path("/x/admin-token")),
            "cannot start: /x/admin-token should hold a token of at least 32 characters; "
            "remove it, and the next start makes a new one",
            id="token",
        ),
    ],
)
def test_what_keeps_the_bridge_from_starting_is_one_clear_line(error: Exception, line: str) -> None:
    def serve(settings: Settings) -> int:
        raise error

    result = run("serve", parts=Parts(serve=serve))
    assert result.exit_code == 1
    assert [text for text in result.stderr.splitlines() if not text.startswith("{")] == [line]


def test_a_missing_inventory_file_is_exit_code_3_and_one_that_is_no_text_5(folder: Path) -> None:
    missing = run("inventory", "import", "none.csv")
    assert (missing.exit_code, missing.stderr) == (3, "none.csv: no such file\n")
    (folder / "odd.csv").write_bytes(b"station\n\xff")
    odd = run("inventory", "import", "odd.csv")
    assert (odd.exit_code, odd.stderr) == (5, "odd.csv: should be UTF-8 text; byte 8 is not\n")


def test_a_database_is_upgraded_while_the_bridge_is_stopped(folder: Path) -> None:
    result = run("db", "upgrade")
    assert (result.exit_code, result.stdout) == (0, "")
    assert (folder / "state" / "bridge.db").stat().st_size > 0
    assert run("db", "upgrade").exit_code == 0


def test_a_state_folder_that_cannot_be_made_is_one_line(folder: Path) -> None:
    (folder / "state").write_text("a file", encoding="utf-8")
    result = run("db", "upgrade")
    assert result.exit_code == 1
    assert len(result.stderr.splitlines()) == 1


def test_exit_codes_leave_the_process() -> None:
    assert process("version").returncode == 0
    assert process("nonsense").returncode == 2
    wrong = process("check-config", BRIDGE_OCPP__PORT="x")
    assert wrong.returncode == 5
    assert wrong.stdout == ""
    assert wrong.stderr.splitlines()[0] == (
        'environment variable BRIDGE_OCPP__PORT: ocpp.port = "x": should be a whole number from 0 to 65535'
    )


def test_what_parts_of_the_bridge_log_inside_a_command_goes_to_stderr(folder: Path) -> None:
    """A stopped bridge's store is opened by the command itself, and stdout may be read by a program."""
    script = (
        "import structlog; from bridge.cli.run import Parts; Parts().stopped(); log = structlog.get_logger('x');"
        "log.warning('storage_failed', token='kept'); log.info('of_no_interest_here')"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=40, check=True)
    assert done.stdout == ""
    assert '"event": "storage_failed"' in done.stderr
    assert "kept" not in done.stderr
    assert "of_no_interest_here" not in done.stderr
