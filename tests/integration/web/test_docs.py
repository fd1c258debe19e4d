"""The OpenAPI document against the router that it describes, and the page that shows it."""

from __future__ import annotations

import re
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestClient
from openapi_pydantic import OpenAPI

from bridge.web.openapi_texts import TAGS
from bridge.web.route_table import ROUTES
from bridge.web.routes import create_app


def routed(app: web.Application) -> set[tuple[str, str]]:
    return {
        (route.method, route.resource.canonical)
        for route in app.router.routes()
        if route.resource is not None and route.method != "HEAD"
    }


async def test_the_router_and_the_document_have_the_same_requests(client: TestClient, services: Any) -> None:
    app = create_app(services, "x" * 40)
    found = await (await client.get("/openapi.json")).json()
    OpenAPI.model_validate(found)
    described = {(method.upper(), path) for path, item in found["paths"].items() for method in item}
    left_out = {key for key, route in app[ROUTES].items() if not route.described}
    assert routed(app) - described == left_out
    assert described - routed(app) == set()
    assert not {path for _, path in left_out if path.startswith(("/api/", "/v2/"))}
    assert len(described) > 50


async def test_every_operation_has_a_name_of_its_own_and_a_heading_with_a_text(client: TestClient) -> None:
    found = await (await client.get("/openapi.json")).json()
    operations = [operation for item in found["paths"].values() for operation in item.values()]
    assert len({operation["operationId"] for operation in operations}) == len(operations)
    assert {tag for operation in operations for tag in operation["tags"]} <= TAGS.keys()
    for operation in operations:
        assert operation["summary"].endswith(".")
        assert operation["x-role"] in ("none", "viewer", "operator", "admin")


async def test_spiriis_contract_is_in_the_document_with_its_own_failures(client: TestClient) -> None:
    found = await (await client.get("/openapi.json")).json()
    create = found["paths"]["/v2/temporary-evse-statuses"]["post"]
    assert create["responses"]["201"]["content"]["application/json"]["schema"]["$ref"].endswith("/SpiriiItem")
    assert create["responses"]["422"]["content"]["application/json"]["schema"]["$ref"].endswith("/SpiriiError")


async def test_the_page_works_without_another_host_under_a_strict_policy(client: TestClient) -> None:
    response = await client.get("/docs")
    text = await response.text()
    assert (response.status, response.content_type) == (200, "text/html")
    policy = response.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert re.search(r"<script(?![^>]* src=)|<style|\bon\w+=|https?://", text) is None
    for address in re.findall(r'(?:src|href)="(/assets[^"]+)"', text):
        assert (await client.get(address)).status == 200
