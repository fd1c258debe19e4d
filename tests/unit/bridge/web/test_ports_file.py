from __future__ import annotations

import json
from pathlib import Path

import pytest

from bridge.web.ports_file import Ports, read_ports, remove_ports, write_ports


def test_what_was_written_is_read(tmp_path: Path) -> None:
    ports = Ports(ocpp=9000, web=8080, web_host="127.0.0.1", pid=7, listeners={"plain": 9000, "tls": 9443})
    write_ports(tmp_path, ports)
    assert read_ports(tmp_path) == ports
    assert [path.name for path in tmp_path.iterdir()] == ["ports.json"]


def test_other_programs_can_read_it(tmp_path: Path) -> None:
    write_ports(tmp_path, Ports(ocpp=9000, web=8080, web_host="127.0.0.1", pid=7, listeners={"default": 9000}))
    content = json.loads((tmp_path / "ports.json").read_text(encoding="ascii"))
    listeners = {"default": 9000}
    assert content == {"ocpp": 9000, "web": 8080, "web_host": "127.0.0.1", "pid": 7, "listeners": listeners}


def test_a_file_of_an_earlier_release_is_read(tmp_path: Path) -> None:
    (tmp_path / "ports.json").write_text('{"ocpp":1,"web":2,"web_host":"::1","pid":3}', encoding="ascii")
    assert read_ports(tmp_path) == Ports(1, 2, "::1", 3)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{}",
        '{"ocpp": "x"}',
        "null",
        '{"ocpp":1,"web":null,"web_host":"","pid":1}',
        '{"ocpp":1,"web":2,"web_host":"","pid":1,"listeners":[]}',
    ],
)
def test_a_file_that_says_nothing_useful_counts_as_missing(tmp_path: Path, content: str) -> None:
    (tmp_path / "ports.json").write_text(content, encoding="ascii")
    assert read_ports(tmp_path) is None


def test_it_goes_away_and_may_already_be_gone(tmp_path: Path) -> None:
    write_ports(tmp_path, Ports(1, 2, "127.0.0.1", 3))
    remove_ports(tmp_path)
    remove_ports(tmp_path)
    assert read_ports(tmp_path) is None


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:8080"),
        ("0.0.0.0", "http://127.0.0.1:8080"),
        ("::", "http://[::1]:8080"),
        ("::1", "http://[::1]:8080"),
        ("10.0.0.5", "http://10.0.0.5:8080"),
    ],
)
def test_the_address_can_be_reached_from_this_machine(host: str, url: str) -> None:
    assert Ports(9000, 8080, host, 1).web_url == url
