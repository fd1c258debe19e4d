"""Read the query of a request as its route describes it: known names, each in its form.

Whoever misspells a filter would otherwise be shown everything and believe it. Never decides what a value means. Before
it: `route_table`, which checks every request. After it: handlers, which take the values from here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from aiohttp import web

from bridge.core.temporary import Impossible, parse_moment

if TYPE_CHECKING:
    from bridge.web.route_table import Parameter

QUERY = web.RequestKey("query", Mapping[str, Any])
"""What was given: a value in the type of its kind, a tuple of them where it may be repeated."""
_Value = TypeVar("_Value")
_LARGEST = 2**63 - 1


def read_query(parameters: Sequence[Parameter], given: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Return the query's values by name. Raises: HTTPBadRequest, which says what would be right."""
    known = {parameter.name: parameter for parameter in parameters}
    found: dict[str, Any] = {}
    for name, text in given:
        parameter = known.get(name)
        if parameter is None:
            raise web.HTTPBadRequest(text=_unknown(name, known))
        value = _value(parameter, text)
        if parameter.repeated:
            found[name] = (*found.get(name, ()), value)
        elif name in found:
            raise web.HTTPBadRequest(text=f"{name} should be given once")
        else:
            found[name] = value
    return found


def whole(request: web.Request, name: str) -> int | None:
    """Return a whole number of the query; None where it was not given."""
    return _typed(request, name, int)


def flag(request: web.Request, name: str) -> bool | None:
    """Return a yes or no of the query; None where it was not given."""
    return _typed(request, name, bool)


def text(request: web.Request, name: str) -> str | None:
    """Return a text of the query; None where it was not given."""
    return _typed(request, name, str)


def texts(request: web.Request, name: str) -> tuple[str, ...]:
    """Return a text of the query that may be repeated; empty where it was not given."""
    return _typed(request, name, tuple) or ()


def moment(request: web.Request, name: str) -> datetime | None:
    """Return a moment of the query, in UTC; None where it was not given."""
    return _typed(request, name, datetime)


def _typed(request: web.Request, name: str, kind: type[_Value]) -> _Value | None:
    value = request[QUERY].get(name)
    if value is not None and not isinstance(value, kind):
        raise AssertionError(f"the route describes {name} as another kind than its handler reads")
    return value


def _unknown(name: str, known: Iterable[str]) -> str:
    there = ", ".join(known)
    return f"{name[:64]!r} is nothing that can be asked here; " + (f"there is {there}" if there else "nothing is")


def _one_of(choices: Sequence[str]) -> str:
    return " or ".join(choices) if len(choices) < 3 else f"one of {', '.join(choices)}"


def _value(parameter: Parameter, text: str) -> Any:
    name = parameter.name
    match parameter.kind:
        case "integer":
            least, most = parameter.least or 0, _LARGEST if parameter.most is None else parameter.most
            if not (text.isascii() and text.isdigit() and len(text) < 20 and least <= int(text) <= most):
                raise web.HTTPBadRequest(text=f"{name} should be a whole number from {least} to {most}")
            return int(text)
        case "boolean":
            if text not in ("true", "false"):
                raise web.HTTPBadRequest(text=f"{name} should be true or false")
            return text == "true"
        case "moment":
            try:
                return parse_moment(text, name)
            except Impossible as error:
                raise web.HTTPBadRequest(text=f"{name} {error.wanted}") from error
        case "string":
            if parameter.choices and text not in parameter.choices:
                raise web.HTTPBadRequest(text=f"{name} should be {_one_of(parameter.choices)}")
            if "\0" in text:
                raise web.HTTPBadRequest(text=f"{name} should be text")
            return text
