"""docs/temporary.md: its examples are answered as it says, and its table of errors is the code's."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

from yarl import URL

from bridge.core.mapping import chargeprice, oicp
from bridge.core.model import EvseStatus, TemporaryKind
from bridge.web.spirii import ERRORS, PATH
from tests.integration.web.test_spirii import Call, call, clock

__all__ = ["call", "clock"]

DOCUMENT = (Path(__file__).parents[3] / "docs" / "temporary.md").read_text(encoding="utf-8")
EXAMPLE = re.compile(r"```sh\n(curl .*?)```\n\nAnswer (\d{3})[:.]\n(?:\n```json\n(.*?)```)?", re.DOTALL)


def request_of(command: str) -> tuple[str, URL, dict[str, str], str | None]:
    """Return method, address, headers and body of a curl command."""
    words = iter(shlex.split(command.replace("\\\n", " "))[1:])
    method, address, headers, body = "GET", "", {}, None
    for word in words:
        match word:
            case "-X":
                method = next(words)
            case "-H":
                name, _, value = next(words).partition(": ")
                headers[name] = value
            case "-d":
                body = next(words)
            case _:
                address = word
    return method, URL(address), headers, body


async def test_examples_are_answered_as_the_document_says(call: Call) -> None:
    examples = EXAMPLE.findall(DOCUMENT)
    assert len(examples) == DOCUMENT.count("\ncurl ") == 5
    for command, status, answer in examples:
        method, url, headers, body = request_of(command)
        assert url.path.startswith(PATH)
        assert headers.pop("Authorization") == "Bearer $TOKEN"
        content: dict[str, Any] = {} if body is None else {"data": body}
        place = url.path.removeprefix(PATH)
        got = await call(method, place, headers=headers, params=dict(url.query), **content)
        assert got == (int(status), json.loads(answer) if answer else None), command


def rows(name: str) -> list[list[str]]:
    table = DOCUMENT.partition(f"<!-- table: {name} -->\n\n")[2].partition("\n\n")[0].splitlines()[2:]
    assert table, f"docs/temporary.md has no table {name}"
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table]


def test_table_of_errors_is_the_codes() -> None:
    assert {int(status): (kind, code) for status, kind, code, _ in rows("errors")} == ERRORS


def test_table_of_statuses_is_the_mapping() -> None:
    documented = rows("statuses")
    assert [row[0] for row in documented] == list(TemporaryKind)
    for kind, _, hubject, chargeprice_word in documented:
        status = EvseStatus(kind.lower())
        assert (hubject, chargeprice_word) == (oicp.TABLE[status], chargeprice.TABLE[status])
