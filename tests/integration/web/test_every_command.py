"""Every command that asks a bridge ends as docs/cli.md says, whatever it is answered: exit code and document."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bridge.cli.command import app
from tests.documents.commands import Command, command_lines, every_command

PRINTS_LINES = {"ocpp-bridge events", "ocpp-bridge station log"}
"""One document per line; a failure is on stderr alone."""
KEEPS_ITS_OWN = {"ocpp-bridge health", "ocpp-bridge quirks"}
"""One whose exit code says whether a bridge is ready, and one whose first example asks none."""
FILES = {
    "stations.csv": "station\n",
    "listing.toml": "",
    "cp42.json": '{"station": "CP42", "strict": true}',
    "cp43.key": "0123456789abcdef",
    "a.key": "ocppb_" + "a" * 43,
}
ASKING = [
    one for one in every_command() if {"--api-key-file", "--json"} <= one.options and one.name not in KEEPS_ITS_OWN
]
FAILURES = [
    pytest.param((403, 1), id="the role is too low"),
    pytest.param((401, 1), id="the key is wrong"),
    pytest.param((503, 1), id="the store is busy"),
    pytest.param((404, 3), id="not there"),
    pytest.param((409, 4), id="conflict"),
    pytest.param((422, 2), id="refused"),
    pytest.param((200, 6), id="a page of something else"),
]


@pytest.fixture(params=FAILURES, scope="module")
def answering(request: pytest.FixtureRequest) -> Iterator[tuple[str, int]]:
    """A bridge that answers everything alike, and the exit code that this is."""
    status, code = request.param
    media = "text/html" if status == 200 else "application/problem+json"
    body = json.dumps({"title": "Title", "status": status, "detail": "why it is so"}).encode()

    class Alike(BaseHTTPRequestHandler):
        def answer(self) -> None:
            self.send_response(status)
            self.send_header("Content-Type", media)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
        setattr(Alike, f"do_{method}", Alike.answer)
    with ThreadingHTTPServer(("127.0.0.1", 0), Alike) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", code
        server.shutdown()


def arguments_of(command: Command) -> list[str]:
    """Return its first example without configuration and file descriptors, with a yes where it may be asked."""
    for words in command_lines(command.examples[0]):
        if " ".join(words).startswith(command.name):
            rest = words[1:]
            if "--config" in rest:
                place = rest.index("--config")
                del rest[place : place + 2]
            yes = ["--yes"] if "--yes" in command.options and not {"--yes", "--dry-run"} & set(rest) else []
            return [*rest, *yes, *([] if "--json" in rest else ["--json"])]
    raise AssertionError(f"{command.name} has no example of its own")


@pytest.mark.parametrize("command", [pytest.param(one, id=one.name) for one in ASKING])
def test_a_failure_is_its_exit_code_and_one_document(
    answering: tuple[str, int], command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, code = answering
    monkeypatch.chdir(tmp_path)
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    result = CliRunner().invoke(app, [*arguments_of(command), "--url", url, "--api-key-file", "a.key"])
    if command.name in PRINTS_LINES:
        assert result.stdout == ""
    else:
        assert set(json.loads(result.stdout)) == {"error", "details"}
    assert result.exit_code == code
    assert result.stderr.strip()
    assert "Traceback" not in result.stderr
