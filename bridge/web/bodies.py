"""Read a request's body as one of our shapes, and write a shape as an answer.

Never shows a value of a body in a mistake: a body may hold keys. Used by every table of routes.
"""

from __future__ import annotations

from typing import TypeVar

from aiohttp import web
from pydantic import BaseModel, ValidationError

_Body = TypeVar("_Body", bound=BaseModel)


def answer(shape: BaseModel, status: int = 200) -> web.Response:
    """Return a shape as JSON."""
    return web.Response(status=status, text=shape.model_dump_json(), content_type="application/json")


async def read(request: web.Request, model: type[_Body], *, empty: bool = False) -> _Body:
    """Return the body as `model`; a body without content counts as {} where `empty`. Raises: HTTPBadRequest."""
    content = await request.read()
    if not content and empty:
        content = b"{}"
    try:
        return model.model_validate_json(content, strict=True)
    except ValidationError as error:
        raise web.HTTPBadRequest(text=_said(error)) from error


def _said(error: ValidationError) -> str:
    """Return what is wrong with each field, without the values: a body may hold keys."""
    found = []
    for details in error.errors(include_url=False, include_input=False):
        place = ".".join(str(part) for part in details["loc"]) or "body"
        found.append(f"{place}: {details['msg']}")
    return "; ".join(found[:20])
