"""The OpenAPI document: valid, and complete."""

from __future__ import annotations

import json
from typing import Annotated, Any

import pytest
from aiohttp import web
from openapi_pydantic import OpenAPI
from pydantic import AwareDatetime, Field

from bridge.core.roles import Role
from bridge.web.openapi import document, failures, operation_id
from bridge.web.route_table import Parameter, Route
from bridge.web.shapes import Shape


class Part(Shape):
    """Of a thing."""

    size: int
    """In metres."""


class Thing(Shape):
    """A thing."""

    made_at: AwareDatetime
    """When it was made."""
    parts: tuple[Part, ...] = ()


class Wish(Shape):
    """What is wanted."""

    name: Annotated[str, Field(max_length=5)]


async def handle(request: web.Request) -> web.Response:
    raise AssertionError("nothing is asked here")


def route(method: Any = "GET", path: str = "/api/v1/things", role: Role | None = Role.VIEWER, **more: Any) -> Route:
    return Route(method, path, handle, role, "Do it.", "things", **more)


def told(*routes: Route) -> dict[str, Any]:
    found = document(routes, "1.2.3")
    OpenAPI.model_validate(found)
    json.dumps(found)
    return found


def test_the_document_says_its_version_and_how_to_prove_oneself() -> None:
    found = told(route())
    assert (found["openapi"], found["info"]["version"], found["servers"][0]["url"]) == ("3.1.0", "1.2.3", "/")
    assert found["security"] == [{"bearer": []}, {"apiKey": []}]
    assert found["components"]["securitySchemes"]["apiKey"]["name"] == "X-API-Key"
    assert [tag["name"] for tag in found["tags"]] == ["things"]


def test_an_operation_says_whose_role_is_enough() -> None:
    operation = told(route("POST", role=Role.ADMIN))["paths"]["/api/v1/things"]["post"]
    assert (operation["x-role"], operation["description"]) == ("admin", "Needs the role **admin**.")
    assert "security" not in operation
    opened = told(route(role=None))["paths"]["/api/v1/things"]["get"]
    assert (opened["x-role"], opened["security"]) == ("none", [])


def test_parameters_have_their_kind_and_limits() -> None:
    query = (
        Parameter("limit", "How many.", "integer", 1, 9),
        Parameter("since", "From then.", "moment"),
        Parameter("all", "All.", "boolean"),
        Parameter("state", "So.", choices=("a", "b"), repeated=True),
    )
    path = "/api/v1/things/{id:[0-9]{1,18}}/{name}"
    operation = told(route(path=path, query=query, in_path=(Parameter("name", "Of the part."),)))
    found = operation["paths"]["/api/v1/things/{id}/{name}"]["get"]["parameters"]
    assert [(each["name"], each["in"], each["schema"]) for each in found] == [
        ("id", "path", {"type": "string", "minLength": 1, "pattern": "^[0-9]{1,18}$"}),
        ("name", "path", {"type": "string", "minLength": 1}),
        ("limit", "query", {"type": "integer", "minimum": 1, "maximum": 9}),
        ("since", "query", {"type": "string", "format": "date-time"}),
        ("all", "query", {"type": "boolean"}),
        ("state", "query", {"type": "array", "items": {"type": "string", "enum": ["a", "b"]}}),
    ]
    assert found[1]["description"] == "Of the part."


def test_shapes_are_components_with_the_texts_of_their_members() -> None:
    found = told(route("PUT", takes=Wish, gives=Thing, status=201))
    schemas = found["components"]["schemas"]
    assert schemas["Thing"]["properties"]["made_at"]["format"] == "date-time"
    assert schemas["Thing"]["properties"]["made_at"]["description"] == "When it was made."
    assert schemas["Part"]["properties"]["size"]["description"] == "In metres."
    assert schemas["Wish"]["properties"]["name"]["maxLength"] == 5
    operation = found["paths"]["/api/v1/things"]["put"]
    assert operation["requestBody"] == {
        "required": True,
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Wish"}}},
    }
    answer = operation["responses"]["201"]["content"]["application/json"]["schema"]
    assert answer == {"$ref": "#/components/schemas/Thing"}


@pytest.mark.parametrize(
    ("told_of", "expected"),
    [
        pytest.param(route(role=None), (400,), id="open"),
        pytest.param(route(), (400, 401, 403, 429, 503), id="asks"),
        pytest.param(route(fails=(404,)), (400, 401, 403, 404, 429, 503), id="one thing"),
        pytest.param(route("PUT", takes=Wish), (400, 401, 403, 413, 415, 429, 503), id="takes a body"),
        pytest.param(route("POST"), (400, 401, 403, 409, 422, 429, 503), id="may be repeated"),
        pytest.param(route("PATCH", guarded=True), (400, 401, 403, 412, 428, 429, 503), id="guarded"),
        pytest.param(route(also=(503,)), (400, 401, 403, 429), id="an answer all the same"),
    ],
)
def test_every_failure_that_a_request_can_have_is_told(told_of: Route, expected: tuple[int, ...]) -> None:
    assert failures(told_of) == expected
    (operation,) = told(told_of)["paths"]["/api/v1/things"].values()
    for status in expected:
        assert list(operation["responses"][str(status)]["content"]) == ["application/problem+json"]


def test_repeatable_and_guarded_requests_name_their_headers() -> None:
    found = told(route("POST"), route("PATCH", guarded=True))["paths"]["/api/v1/things"]
    assert found["post"]["parameters"] == [{"$ref": "#/components/parameters/IdempotencyKey"}]
    assert found["patch"]["parameters"] == [{"$ref": "#/components/parameters/IfMatch"}]


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/api/v1/evses", "get_evses"),
        ("GET", "/api/v1/evses/{evse_id}", "get_evses_by_evse_id"),
        ("PATCH", "/api/v1/temporary-statuses/{id:[0-9]{1,18}}", "patch_temporary_statuses_by_id"),
        ("GET", "/v2/temporary-evse-statuses", "get_v2_temporary_evse_statuses"),
        ("GET", "/livez", "get_livez"),
    ],
)
def test_operations_have_a_name_that_lasts(method: Any, path: str, expected: str) -> None:
    assert operation_id(route(method, path)) == expected


def test_what_is_not_described_is_left_out() -> None:
    assert told(route(), route("POST", described=False))["paths"]["/api/v1/things"].keys() == {"get"}
