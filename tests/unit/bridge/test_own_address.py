"""An account at Spirii that is this bridge itself is a mistake of the configuration."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from bridge.settings import ConfigurationErrors, load_settings


def mistakes(tmp_path: Path, url: str, web: str = "port = 8443", **environ: str) -> str:
    file = tmp_path / "bridge.toml"
    file.write_text(
        f'[web]\n{web}\n[accounts.mirror]\nkind = "spirii"\nbase_url = "{url}"\napi_key = "s3cr3t"\n', encoding="utf-8"
    )
    try:
        load_settings(file, environ)
    except ConfigurationErrors as error:
        return str(error)
    return ""


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.8.0.1", "[::1]", "localhost", "0.0.0.0", "[::]", socket.gethostname().upper()]
)
def test_every_name_of_this_machine_with_the_ports_of_the_web_listener_is_refused(tmp_path: Path, host: str) -> None:
    said = mistakes(tmp_path, f"https://{host}:8443")
    assert f'accounts.mirror.base_url = "https://{host}:8443": is this bridge\'s own [web] address' in said
    assert "s3cr3t" not in said


def test_port_of_the_scheme_counts_where_none_is_named(tmp_path: Path) -> None:
    assert "own [web] address" in mistakes(tmp_path, "https://localhost", "port = 443")


def test_port_from_the_environment_counts(tmp_path: Path) -> None:
    assert "own [web] address" in mistakes(tmp_path, "http://127.0.0.1:9191", BRIDGE_WEB__PORT="9191")


def test_default_port_counts(tmp_path: Path) -> None:
    assert "own [web] address" in mistakes(tmp_path, "http://127.0.0.1:8080", "")


@pytest.mark.parametrize(
    ("url", "web"),
    [
        pytest.param("https://api.spirii.com", "port = 443", id="spirii itself"),
        pytest.param("https://192.0.2.7:8443", "port = 8443", id="another machine's address"),
        pytest.param("http://127.0.0.1:8444", "port = 8443", id="another port of this machine"),
        pytest.param("http://127.0.0.1:8443", "port = 0", id="a free port, which nobody could have named"),
    ],
)
def test_other_addresses_are_fine(tmp_path: Path, url: str, web: str) -> None:
    assert mistakes(tmp_path, url, web) == ""
