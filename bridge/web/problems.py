"""Turn every failure of a request into one kind of answer, and give every request an id.

Never shows an exception's text unless it was written for operators. Source: RFC 9457 (problem details).
"""

from __future__ import annotations

import re
import secrets
from http import HTTPStatus
from typing import TYPE_CHECKING

import structlog
from aiohttp import web

from bridge.web.bodies import BodyRefused, pointer
from bridge.web.problem_shapes import FieldError, Problem
from bridge.web.services import (
    Changed,
    Conflict,
    NeedsYes,
    NotFound,
    RowsRefused,
    ServiceError,
    Unavailable,
    ValueRefused,
    WrongCursor,
)

if TYPE_CHECKING:
    from aiohttp.typedefs import Handler

log = structlog.get_logger(__name__)

REQUEST_ID = web.RequestKey("request_id", str)
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)
_LONGEST_PATH = 256
_KEPT_HEADERS = ("Allow", "Retry-After", "WWW-Authenticate")


def problem(request: web.Request, status: int, detail: str, **extensions: object) -> web.Response:
    """Return an answer of type application/problem+json."""
    body = Problem.model_validate(
        {
            "title": HTTPStatus(status).phrase,
            "status": status,
            "detail": detail,
            "instance": request.path[:_LONGEST_PATH],
            "request_id": request.get(REQUEST_ID, ""),
            **extensions,
        }
    )
    text = body.model_dump_json(exclude_defaults=False, exclude={"report"} if body.report is None else None)
    return web.Response(status=status, text=text, content_type="application/problem+json")


@web.middleware
async def request_ids(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Take the caller's X-Request-ID where it is harmless, otherwise make one; echo it, and bind it to the log."""
    given = request.headers.get("X-Request-ID", "")
    request[REQUEST_ID] = given if _REQUEST_ID.fullmatch(given) else secrets.token_hex(8)
    with structlog.contextvars.bound_contextvars(request_id=request[REQUEST_ID]):
        response = await handler(request)
    response.headers["X-Request-ID"] = request[REQUEST_ID]
    response.headers["Server"] = "ocpp-bridge"  # aiohttp would tell its own and Python's version
    response.headers.setdefault("Cache-Control", "no-store")
    return response


@web.middleware
async def problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer every failure as a problem."""
    try:
        return await handler(request)
    except web.HTTPException as error:
        return _of_http(request, error)
    except ServiceError as error:
        return _of_service(request, error)
    except Exception:
        log.exception("request_failed", method=request.method, path=request.path)
        return problem(request, 500, "the bridge failed at this request; its log has the request_id")


def _of_http(request: web.Request, error: web.HTTPException) -> web.StreamResponse:
    if error.status < 400:
        raise error
    match error.status:
        case 404:
            detail = f"there is nothing at {request.path[:_LONGEST_PATH]}"
        case 405:
            detail = f"{request.method[:16]} is not possible here"
        case 413:
            detail = "the body is too large"
        case _:
            detail = error.text or ""
    mistakes = error.errors if isinstance(error, BodyRefused) else ()
    response = problem(request, error.status, detail, errors=mistakes)
    for name in _KEPT_HEADERS:
        if name in error.headers:
            response.headers[name] = error.headers[name]
    return response


def _of_service(request: web.Request, error: ServiceError) -> web.Response:
    match error:
        case NotFound():
            return problem(request, 404, str(error))
        case NeedsYes():
            return problem(request, 409, str(error), report=error.report)
        case Conflict():
            return problem(request, 409, str(error))
        case Changed():
            return problem(request, 412, str(error))
        case WrongCursor():
            return problem(request, 400, str(error))
        case ValueRefused():
            mistakes = (FieldError(pointer=pointer(error.field), detail=error.wanted),) if error.field else ()
            return problem(request, 422, str(error), errors=mistakes)
        case RowsRefused():
            return problem(request, 422, str(error), errors=error.errors)
        case Unavailable():
            response = problem(request, 503, str(error))
            response.headers["Retry-After"] = "1"
            return response
        case _:
            raise AssertionError(f"{type(error).__name__} is no failure of a service that has an answer")
