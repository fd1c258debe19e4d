"""Describe the REST interface as an OpenAPI document, from the same tables that route its requests.

Pure, but for reading the shapes' own source for their texts. Never decides what is answered: it says what `Route`s say.
Before it: `route_table`. After it: `docs_routes`, which serves it.

Source: OpenAPI 3.1.0; RFC 9457 (problem details); draft-ietf-httpapi-idempotency-key-header-07.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from bridge.web.field_docs import field_docs
from bridge.web.openapi_texts import ABOUT, FAILURES, TAGS
from bridge.web.problem_shapes import Problem
from bridge.web.route_table import Parameter, Route
from bridge.web.temporary_shapes import SpiriiError

Json = dict[str, Any]
Mode = Literal["validation", "serialization"]
References = Mapping[tuple[type[BaseModel], Mode], Json]
_REF = "#/components/schemas/{model}"
_IN_PATH = re.compile(r"\{(\w+)(?::((?:[^{}]|\{[^{}]*\})*))?\}")
_ANYWHERE = re.compile(r"[^a-z0-9]+")
_HEADERS = {"X-Request-ID": {"$ref": "#/components/headers/RequestId"}}


def document(routes: Iterable[Route], version: str) -> Json:
    """Return the OpenAPI 3.1 document of those routes that are described, as JSON."""
    told = [route for route in routes if route.described]
    schemas, references = _schemas(told)
    paths: dict[str, Json] = {}
    for route in told:
        paths.setdefault(route.template, {})[route.method.lower()] = _operation(route, references)
    used = list(dict.fromkeys(route.tag for route in told))
    return {
        "openapi": "3.1.0",
        "info": {"title": "ocpp-bridge", "version": version, "description": ABOUT, "license": _LICENSE},
        "servers": [{"url": "/", "description": "the bridge that served this document"}],
        "security": [{"bearer": []}, {"apiKey": []}],
        "tags": [{"name": tag, "description": TAGS.get(tag, tag)} for tag in used],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "headers": {"RequestId": _REQUEST_ID, "ETag": _ETAG},
            "parameters": {"IdempotencyKey": _IDEMPOTENCY_KEY, "IfMatch": _IF_MATCH},
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "description": "A key: `ocpp-bridge key create`."},
                "apiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key", "description": "The same key."},
            },
        },
    }


def operation_id(route: Route) -> str:
    """Return the operation's name, which stays as long as its method and path do."""
    path = route.template.removeprefix("/api/v1").replace("{", "by ").lower()
    return f"{route.method.lower()}_{_ANYWHERE.sub('_', path).strip('_')}"


def failures(route: Route) -> tuple[int, ...]:
    """Return the statuses of every failure that a request can have, in their order."""
    found = {400, *route.fails}
    if route.role is not None:
        found |= {401, 403, 429, 503}
    if route.takes is not None:
        found |= {413, 415}
    if route.method == "POST" and route.role is not None:
        found |= {409, 422}
    if route.guarded:
        found |= {412, 428}
    return tuple(sorted(found - set(route.also)))


# --- operations -----------------------------------------------------------------------------------------------------


def _operation(route: Route, references: References) -> Json:
    role = "none" if route.role is None else route.role.value
    needs = "Open to everybody, without a key." if route.role is None else f"Needs the role **{role}**."
    found: Json = {
        "operationId": operation_id(route),
        "summary": route.about,
        "description": needs,
        "tags": [route.tag],
        "x-role": role,
        "parameters": [*_path_parameters(route), *map(_query_parameter, route.query), *_header_parameters(route)],
        "responses": _responses(route, references),
    }
    if route.role is None:
        found["security"] = []
    if route.takes is not None:
        schema = references[route.takes, "validation"]
        found["requestBody"] = {"required": not route.empty, "content": {"application/json": {"schema": schema}}}
    return found


def _path_parameters(route: Route) -> list[Json]:
    texts = {parameter.name: parameter.about for parameter in route.in_path}
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": {"type": "string", "minLength": 1} | ({"pattern": f"^{pattern}$"} if pattern else {}),
            **({"description": texts[name]} if name in texts else {}),
        }
        for name, pattern in _IN_PATH.findall(route.path)
    ]


def _query_parameter(parameter: Parameter) -> Json:
    schema = _parameter_schema(parameter)
    if parameter.repeated:
        schema = {"type": "array", "items": schema}
    return {"name": parameter.name, "in": "query", "description": parameter.about, "schema": schema}


def _parameter_schema(parameter: Parameter) -> Json:
    match parameter.kind:
        case "integer":
            limits = {"minimum": parameter.least, "maximum": parameter.most}
            return {"type": "integer", **{name: value for name, value in limits.items() if value is not None}}
        case "boolean":
            return {"type": "boolean"}
        case "moment":
            return {"type": "string", "format": "date-time"}
        case "string":
            choices = [str(each) for each in parameter.choices]
            return {"type": "string"} | ({"enum": choices} if choices else {})


def _header_parameters(route: Route) -> list[Json]:
    found = []
    if route.method == "POST" and route.role is not None:
        found.append({"$ref": "#/components/parameters/IdempotencyKey"})
    if route.guarded:
        found.append({"$ref": "#/components/parameters/IfMatch"})
    return found


def _responses(route: Route, references: References) -> Json:
    good: Json = {"description": route.about, "headers": _good_headers(route)}
    if route.gives is not None:
        good["content"] = {route.media: {"schema": references[route.gives, "serialization"]}}
    elif route.media != "application/json":
        good["content"] = {route.media: {"schema": {"type": "string"}}}
    for media in route.or_media:
        good["content"][media] = {"schema": {"type": "string"}}
    answers = {str(status): good for status in (route.status, *route.also)}
    return answers | {str(status): _failure(route, status, references) for status in failures(route)}


def _good_headers(route: Route) -> Json:
    return _HEADERS | ({"ETag": {"$ref": "#/components/headers/ETag"}} if route.tagged else {})


def _failure(route: Route, status: int, references: References) -> Json:
    shape, media = (SpiriiError, "application/json") if route.foreign else (Problem, "application/problem+json")
    return {
        "description": FAILURES[status],
        "headers": _HEADERS | (_RETRY_AFTER if status in (429, 503) else {}),
        "content": {media: {"schema": references[shape, "serialization"]}},
    }


# --- components -----------------------------------------------------------------------------------------------------


def _schemas(routes: Sequence[Route]) -> tuple[Json, References]:
    """Return the schemas by name, and where each shape is to be found."""
    wanted: dict[tuple[type[BaseModel], Mode], None] = {(Problem, "serialization"): None}
    wanted[SpiriiError, "serialization"] = None
    for route in routes:
        if route.gives is not None:
            wanted[route.gives, "serialization"] = None
        if route.takes is not None:
            wanted[route.takes, "validation"] = None
    references, definitions = models_json_schema(list(wanted), ref_template=_REF)
    schemas: Json = definitions.get("$defs", {})
    models = {each.__name__: each for model, _ in wanted for each in _reached(model)}
    for name, schema in schemas.items():
        _tell(schema, models.get(name.removesuffix("-Input").removesuffix("-Output")))
    return schemas, {key: references[key] for key in wanted}


def _reached(model: type[BaseModel]) -> Iterable[type[BaseModel]]:
    """Yield a shape and every shape within it."""
    seen: dict[type[BaseModel], None] = {model: None}
    waiting: list[Any] = [field.annotation for field in model.model_fields.values()]
    while waiting:
        each = waiting.pop()
        if isinstance(each, type) and issubclass(each, BaseModel) and each not in seen:
            seen[each] = None
            waiting += [field.annotation for field in each.model_fields.values()]
        waiting += getattr(each, "__args__", ())
    return seen


def _tell(schema: Json, model: type[BaseModel] | None) -> None:
    if model is None:
        return
    texts = field_docs(model)
    for name, member in schema.get("properties", {}).items():
        if name in texts:
            member.setdefault("description", texts[name])


_LICENSE = {"name": "Apache-2.0", "identifier": "Apache-2.0"}
_REQUEST_ID = {
    "description": "The request's id, as in the bridge's log: the caller's own X-Request-ID, or one that was made.",
    "schema": {"type": "string"},
}
_ETAG = {
    "description": "Names the content, for If-Match. Source: RFC 9110 §8.8.3.",
    "schema": {"type": "string"},
}
_RETRY_AFTER = {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "string"}}}
_IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "Names this order, so that sending it again carries it out once; kept for 24 hours.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": r"^[\x21-\x7e]+$"},
}
_IF_MATCH = {
    "name": "If-Match",
    "in": "header",
    "required": True,
    "description": "The ETag of the content that is to be changed, or * for whatever there is.",
    "schema": {"type": "string"},
}
