"""docs/api.md shows requests that there are: method, path and query of every example, against the OpenAPI document."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from bridge.web.openapi import document
from bridge.web.openapi_texts import FAILURES
from bridge.web.route_table import ROUTES
from bridge.web.routes import create_app
from tests.integration.web.conftest import FakeServices

PAGE = (Path(__file__).parents[2] / "docs" / "api.md").read_text(encoding="utf-8")


def described() -> dict[str, Any]:
    return document(create_app(FakeServices(), "x" * 40)[ROUTES].values(), "0")


def examples() -> list[tuple[str, str]]:
    """Method and address of each curl command."""
    found = []
    for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL):
        for line in block.replace("\\\n", " ").splitlines():
            words = shlex.split(line)
            method = words[words.index("-X") + 1] if "-X" in words else "GET"
            found.append((method, words[-1].removeprefix("$BRIDGE")))
    return found


def operation_of(method: str, path: str) -> Any:
    paths = described()["paths"]
    for template, item in sorted(paths.items(), key=lambda each: each[0].count("{")):
        pattern = re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(template))
        if re.fullmatch(pattern, path) and method.lower() in item:
            return item[method.lower()]
    raise AssertionError(f"there is no {method} {path}")


def test_every_example_is_a_request_that_there_is() -> None:
    assert len(examples()) >= 11
    for method, address in examples():
        place = urlsplit(address)
        operation = operation_of(method, place.path)
        known = {parameter["name"] for parameter in operation["parameters"] if parameter.get("in") == "query"}
        assert {name for name, _ in parse_qsl(place.query)} <= known, address


def test_every_failure_of_the_document_is_explained() -> None:
    told = {int(status) for row in re.findall(r"^\| ([\d, ]+) \|", PAGE, re.MULTILINE) for status in row.split(",")}
    assert told == FAILURES.keys()
