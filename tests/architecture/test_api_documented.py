"""docs/api.md shows requests that there are, and what they are answered.

Method, path, query and body of every example are held against the OpenAPI document, events against their shapes.
"""

from __future__ import annotations

import json
import re
import shlex
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import jsonschema_rs

from bridge.web.event_shapes import DeliveryEvent, ResetEvent, StatusEvent
from bridge.web.history_shapes import EvseHistory
from bridge.web.openapi import document
from bridge.web.openapi_texts import FAILURES
from bridge.web.route_table import ROUTES
from bridge.web.routes import create_app
from tests.integration.web.conftest import FakeServices

PAGE = (Path(__file__).parents[2] / "docs" / "api.md").read_text(encoding="utf-8")


@cache
def described() -> dict[str, Any]:
    return document(create_app(FakeServices(), "x" * 40)[ROUTES].values(), "0")


def commands() -> list[list[str]]:
    """The words of each curl command."""
    blocks = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
    return [shlex.split(line) for block in blocks for line in block.replace("\\\n", " ").splitlines()]


def place_of(words: list[str]) -> tuple[str, str]:
    """Method and address of a curl command."""
    return words[words.index("-X") + 1] if "-X" in words else "GET", words[-1].removeprefix("$BRIDGE")


def operation_of(method: str, path: str) -> Any:
    paths = described()["paths"]
    for template, item in sorted(paths.items(), key=lambda each: each[0].count("{")):
        pattern = re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(template))
        if re.fullmatch(pattern, path) and method.lower() in item:
            return item[method.lower()]
    raise AssertionError(f"there is no {method} {path}")


def test_every_example_is_a_request_that_there_is() -> None:
    assert len(commands()) >= 20
    for method, address in map(place_of, commands()):
        place = urlsplit(address)
        operation = operation_of(method, place.path)
        known = {parameter["name"] for parameter in operation["parameters"] if parameter.get("in") == "query"}
        assert {name for name, _ in parse_qsl(place.query)} <= known, address


def test_every_body_is_one_that_its_request_takes() -> None:
    with_body = [words for words in commands() if "-d" in words]
    assert len(with_body) >= 6
    for words in with_body:
        method, address = place_of(words)
        schema = operation_of(method, urlsplit(address).path)["requestBody"]["content"]["application/json"]["schema"]
        check = jsonschema_rs.validator_for({**schema, "components": described()["components"]})
        check.validate(json.loads(words[words.index("-d") + 1]))


def test_the_events_and_the_history_that_are_shown_have_the_shape_of_what_is_sent() -> None:
    shapes = {"reset": ResetEvent, "status": StatusEvent, "delivery": DeliveryEvent}
    shown = re.findall(r"^event: (\w+)\ndata: (.+)$", PAGE, re.MULTILINE)
    assert {name for name, _ in shown} == shapes.keys()
    for name, data in shown:
        assert shapes[name].model_validate_json(data)
    [history] = [text for text in re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL) if '"items"' in text]
    assert [span.status for span in EvseHistory.model_validate_json(history).items] == ["unknown", "charging"]


def test_every_failure_of_the_document_is_explained() -> None:
    told = {int(status) for row in re.findall(r"^\| ([\d, ]+) \|", PAGE, re.MULTILINE) for status in row.split(",")}
    assert told == FAILURES.keys()
