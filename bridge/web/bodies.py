"""Read a request's body as one of our shapes, and write a shape as an answer.

Never shows a value of a body in a mistake: a body may hold keys. Used by every table of routes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from aiohttp import web
from pydantic import BaseModel, ValidationError

from bridge.web.problem_shapes import FieldError

_MOST_SHOWN = 20
_Body = TypeVar("_Body", bound=BaseModel)


def answer(shape: BaseModel, status: int = 200) -> web.Response:
    """Return a shape as JSON."""
    return web.Response(status=status, text=shape.model_dump_json(), content_type="application/json")


class BodyRefused(web.HTTPBadRequest):
    """The body is not of the form that it should have; `errors` name each place."""

    def __init__(self, errors: Sequence[FieldError]) -> None:
        said = [f"{error.pointer.removeprefix('/').replace('/', '.') or 'body'}: {error.detail}" for error in errors]
        super().__init__(text="; ".join(said))
        self.errors = tuple(errors)


def pointer(*path: str | int) -> str:
    """Return the JSON Pointer to a place in a body. Source: RFC 6901 §3 and §4."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in path)


async def read(request: web.Request, model: type[_Body], *, empty: bool = False) -> _Body:
    """Return the body as `model`; a body without content counts as {} where `empty`.

    Raises: BodyRefused; HTTPUnsupportedMediaType where it does not say that it is JSON.
    """
    content = await request.read()
    if content:
        _check_media(request)
    elif empty:
        content = b"{}"
    try:
        return model.model_validate_json(content, strict=True)
    except ValidationError as error:
        raise BodyRefused(_mistakes(error)) from error


def _check_media(request: web.Request) -> None:
    """Take no other type for JSON: a form of another site's page could be sent as text/plain."""
    charset = (request.charset or "utf-8").lower()
    if request.content_type != "application/json" or charset not in ("utf-8", "utf8"):
        raise web.HTTPUnsupportedMediaType(text="send the body with Content-Type: application/json, in UTF-8")


def _mistakes(error: ValidationError) -> list[FieldError]:
    """Return what is wrong with each field, without the values: a body may hold keys."""
    found = error.errors(include_url=False, include_input=False)
    return [
        FieldError(pointer=pointer(*details["loc"]), detail=details["msg"].removeprefix("Value error, "))
        for details in found[:_MOST_SHOWN]
    ]
