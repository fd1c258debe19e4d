"""Every action that a station may send, with a request made from its schema, is answered as its schema says."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

import jsonschema
import pytest

from csms import schemas
from csms.events import OcppVersion
from tests.integration.csms.conftest import Site
from tests.integration.csms.fakes import dial

FOLDERS = {OcppVersion.V16: "ocpp.v16", OcppVersion.V201: "ocpp.v201", OcppVersion.V21: "ocpp.v21"}
REQUEST = {OcppVersion.V16: "", OcppVersion.V201: "Request", OcppVersion.V21: "Request"}


def schema(version: OcppVersion, name: str) -> Any:
    return json.loads(files(FOLDERS[version]).joinpath("schemas", f"{name}.json").read_text("utf-8-sig"))


def smallest(wanted: Any, root: Any) -> Any:
    """Return a value that the schema takes, with nothing in it that may be left away."""
    while "$ref" in wanted:
        wanted = root["definitions"][wanted["$ref"].rpartition("/")[2]]
    if "enum" in wanted:
        return wanted["enum"][0]
    match wanted.get("type"):
        case "object":
            return {name: smallest(wanted["properties"][name], root) for name in wanted.get("required", ())}
        case "array":
            return [smallest(wanted["items"], root)] * max(1, wanted.get("minItems", 0))
        case "string":
            return {"date-time": "2026-11-26T01:00:00Z", "uri": "http://host.example/"}.get(wanted.get("format"), "A")
        case "integer" | "number":
            return max(1, wanted.get("minimum", 1))
        case "boolean":
            return True
        case kind:
            raise AssertionError(f"no value of type {kind}")


def every_action() -> list[Any]:
    return [
        pytest.param(version, action, id=f"{version.value} {action}")
        for version in OcppVersion
        for action in sorted(schemas.station_actions(version))
    ]


@pytest.mark.parametrize(("version", "action"), every_action())
async def test_the_smallest_request_has_a_valid_answer_also_where_the_station_is_held_to_the_letter(
    site: Site, version: OcppVersion, action: str
) -> None:
    wanted = schema(version, f"{action}{REQUEST[version]}")
    request = smallest(wanted, wanted)
    jsonschema.validate(request, wanted)
    site.registry.add("STRICT", strict=True)
    for identity in ("CP1", "STRICT"):
        station = await dial(site.port, identity, offers=[version.value])
        answer = await station.call(action, request)
        assert (answer[0], answer[1]) == (3, "m1"), answer
        jsonschema.validate(answer[2], schema(version, f"{action}Response"))
