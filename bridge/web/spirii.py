"""Serve temporary statuses in Spirii's own contract, so that a client written for Spirii works against the bridge.

Never decides anything about a status. Its failures have Spirii's shape, `{"error": {type, code, message, param,
request_id}}`, unlike those of the rest of the application: `spirii_errors` writes them for every path below `PATH`.
Before it: `auth`, whose token counts here as a Bearer key. After it: `temporary_services`.

Source: Spirii API, temporary-evse-statuses v2 (POST, GET list, PATCH, DELETE; GET one is ours) and its page on errors.
docs/temporary.md has every answer.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeVar

import structlog
from aiohttp import web
from pydantic import BaseModel, ValidationError

from bridge.core.roles import Role
from bridge.core.temporary import Impossible, parse_kind, parse_moment
from bridge.web.auth import PRINCIPAL
from bridge.web.problems import REQUEST_ID
from bridge.web.route_table import Parameter, Route
from bridge.web.scope import temporaries_for
from bridge.web.services import Conflict, NotFound, ServiceError, Unavailable, ValueRefused
from bridge.web.temporary_services import TemporaryServices
from bridge.web.temporary_shapes import (
    SpiriiChange,
    SpiriiItem,
    SpiriiItems,
    SpiriiWish,
    TemporaryChange,
    TemporaryWish,
    spirii_item,
)

if TYPE_CHECKING:
    from aiohttp.typedefs import Handler

log = structlog.get_logger(__name__)

PATH = "/v2/temporary-evse-statuses"

_Body = TypeVar("_Body", bound=BaseModel)
_KEPT_HEADERS = ("Allow", "Retry-After", "WWW-Authenticate")
_LONGEST_ID = 18
"""Digits: what a number of ours can have."""

ERRORS = {
    400: ("invalid_request_error", "bad_request"),
    401: ("authentication_error", "unauthorized"),
    403: ("permission_error", "forbidden"),
    404: ("not_found_error", "not_found"),
    405: ("invalid_request_error", "method_not_allowed"),
    409: ("conflict_error", "duplicate"),
    413: ("invalid_request_error", "body_too_large"),
    415: ("invalid_request_error", "unsupported_media_type"),
    422: ("validation_error", "invalid_value"),
    500: ("api_error", "internal_error"),
    503: ("api_error", "unavailable"),
}
"""HTTP status → type and code."""

_PARAMS = {
    "EVSE": "evseId",
    "temporary status": "id",
    "evse_ids": "evseId",
    "kind": "temporaryStatus",
    "status": "temporaryStatus",
    "valid_from": "validFrom",
    "valid_to": "validTo",
}
"""Our own names → Spirii's."""


@dataclass
class _Refused(Exception):
    """What is wrong with a request's form."""

    status: int
    message: str
    param: str | None = None
    code: str | None = None


class SpiriiRoutes:
    """The table of these routes."""

    def __init__(self, services: TemporaryServices) -> None:
        self._services = services

    def routes(self) -> Iterable[Route]:
        """Return every request of this table."""
        one, viewer, operator = f"{PATH}/{{id}}", Role.VIEWER, Role.OPERATOR
        route = partial(Route, tag="Spirii's contract", foreign=True, scoped=True)
        yield route("POST", PATH, self.create, operator, "Create one.", takes=SpiriiWish, gives=SpiriiItem, status=201)
        yield route(
            "GET",
            PATH,
            self.list_all,
            viewer,
            "List those in force.",
            gives=SpiriiItems,
            query=(
                Parameter("activeOnly", "false: also those that are not in force.", "boolean"),
                Parameter("evseId", "Of one."),
            ),
            fails=(404,),
        )
        yield route("GET", one, self.get, viewer, "Show one.", gives=SpiriiItem, fails=(404,))
        yield route(
            "PATCH", one, self.change, operator, "Change one.", takes=SpiriiChange, gives=SpiriiItem, fails=(404,)
        )
        yield route("DELETE", one, self.delete, operator, "Remove one.", status=204, fails=(404,))

    def _of(self, request: web.Request) -> TemporaryServices:
        return temporaries_for(request, self._services)

    async def create(self, request: web.Request) -> web.Response:
        """201 with the new one."""
        body = await _read(request, SpiriiWish)
        wish = TemporaryWish(
            evse_ids=(body.evseId,),
            status=parse_kind(body.temporaryStatus),
            valid_from=None if body.validFrom is None else parse_moment(body.validFrom, "valid_from"),
            valid_to=None if body.validTo is None else parse_moment(body.validTo, "valid_to"),
        )
        (item,) = (await self._of(request).create(wish, by=request[PRINCIPAL].name)).items
        return web.json_response(spirii_item(item), status=201, headers={"Location": f"{PATH}/{item.id}"})

    async def list_all(self, request: web.Request) -> web.Response:
        """200 with a bare array; `activeOnly` is "true" where it is not given."""
        active_only = request.query.get("activeOnly", "true")
        if active_only not in ("true", "false"):
            raise _Refused(400, "should be true or false", "activeOnly")
        found = await self._of(request).list(request.query.get("evseId"), "active" if active_only == "true" else "all")
        return web.json_response([spirii_item(item) for item in found.items])

    async def get(self, request: web.Request) -> web.Response:
        """200 with one."""
        return web.json_response(spirii_item(await self._of(request).get(_number(request))))

    async def change(self, request: web.Request) -> web.Response:
        """200 with the changed one."""
        number = _number(request)
        return web.json_response(spirii_item(await self._of(request).change(number, await _read_change(request))))

    async def delete(self, request: web.Request) -> web.Response:
        """204: from now on the EVSE shows its own status again."""
        await self._of(request).end((_number(request),))
        return web.Response(status=204)


# --- reading --------------------------------------------------------------------------------------------------------


def _number(request: web.Request) -> int:
    text = request.match_info["id"]
    if not (text.isascii() and text.isdigit() and len(text) <= _LONGEST_ID):
        raise _Refused(404, f"there is no temporary status {text[:64]!r}: ids are whole numbers", "id")
    return int(text)


async def _read_change(request: web.Request) -> TemporaryChange:
    body = await _read(request, SpiriiChange)
    given: dict[str, Any] = {}
    if "temporaryStatus" in body.model_fields_set:
        given["status"] = parse_kind(body.temporaryStatus)
    if "validFrom" in body.model_fields_set:
        given["valid_from"] = None if body.validFrom is None else parse_moment(body.validFrom, "valid_from")
    if "validTo" in body.model_fields_set:
        given["valid_to"] = None if body.validTo is None else parse_moment(body.validTo, "valid_to")
    return TemporaryChange(**given)


async def _read(request: web.Request, model: type[_Body]) -> _Body:
    """Return the body. Raises: _Refused, which names the first member that is wrong."""
    if request.content_type != "application/json":
        raise _Refused(415, "send the body with Content-Type: application/json")
    try:
        return model.model_validate_json(await request.read(), strict=True)
    except ValidationError as error:
        raise _of_body(error) from error


def _of_body(error: ValidationError) -> _Refused:
    details = error.errors(include_url=False, include_input=False)[0]
    param = str(details["loc"][0]) if details["loc"] else None
    match details["type"]:
        case "json_invalid":
            return _Refused(400, "the body is no JSON document")
        case "missing":
            return _Refused(400, "is needed", param, "parameter_missing")
        case "extra_forbidden" if param == "evseId":
            return _Refused(400, "cannot be changed: delete this one and create another", param, "parameter_unknown")
        case "extra_forbidden":
            return _Refused(400, f"there is no parameter {param}", param, "parameter_unknown")
        case "model_type" | "model_attributes_type":
            return _Refused(400, "the body should be a JSON object")
        case _:
            return _Refused(400, "should be text in quotes", param, "parameter_invalid")


# --- failures -------------------------------------------------------------------------------------------------------


@web.middleware
async def spirii_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer every failure below `PATH` in Spirii's shape; leave all others alone."""
    if request.path != PATH and not request.path.startswith(f"{PATH}/"):
        return await handler(request)
    try:
        return await handler(request)
    except web.HTTPException as error:
        return _of_http(request, error)
    except _Refused as error:
        return _error(request, error.status, error.message, error.param, error.code)
    except Impossible as error:
        return _error(request, 422, str(error), _PARAMS.get(error.field))
    except ServiceError as error:
        return _of_service(request, error)
    except Exception:
        log.exception("request_failed", method=request.method, path=request.path)
        return _error(request, 500, "the bridge failed at this request; its log has the request_id")


def _of_http(request: web.Request, error: web.HTTPException) -> web.StreamResponse:
    if error.status < 400:
        raise error
    texts = {
        404: f"there is nothing at {request.path[:256]}",
        405: f"{request.method[:16]} is not possible here",
        413: "the body is too large",
    }
    response = _error(request, error.status, texts.get(error.status, error.text or ""))
    for name in _KEPT_HEADERS:
        if name in error.headers:
            response.headers[name] = error.headers[name]
    return response


def _of_service(request: web.Request, error: ServiceError) -> web.Response:
    match error:
        case NotFound():
            return _error(request, 404, str(error), _PARAMS.get(error.what))
        case Conflict():
            return _error(request, 409, str(error))
        case ValueRefused():
            return _error(request, 422, error.wanted, _PARAMS.get(error.field))
        case Unavailable():
            response = _error(request, 503, str(error))
            response.headers["Retry-After"] = "1"
            return response
        case _:
            raise AssertionError(f"{type(error).__name__} is no failure of these services")


def _error(
    request: web.Request, status: int, message: str, param: str | None = None, code: str | None = None
) -> web.Response:
    kind, usual_code = ERRORS.get(status, ("invalid_request_error", HTTPStatus(status).phrase.lower()))
    body = {
        "type": kind,
        "code": code or usual_code,
        "message": f"{param} {message}" if param and not message.startswith("there is no ") else message,
        "param": param,
        "request_id": request.get(REQUEST_ID, ""),
    }
    return web.json_response({"error": body}, status=status)
