"""Read a running bridge's answers as our shapes.

Never asks. Used by every client: what a failure means is said once.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, TypeVar

from pydantic import BaseModel, ValidationError

from bridge.cli.address import Address
from bridge.cli.failures import Missing, Unexpected, Unreachable
from bridge.web.problem_shapes import Problem
from bridge.web.services import Changed, Conflict, NeedsYes, RowsRefused, ServiceError, Unavailable, ValueRefused

if TYPE_CHECKING:
    from aiohttp import ClientResponse

_REDIRECTS = range(300, 400)
_Answer = TypeVar("_Answer", bound=BaseModel)


def read_answer(text: str, model: type[_Answer]) -> _Answer:
    """Return the answer. Raises: Unexpected, where it is not understood."""
    try:
        return model.model_validate_json(text)
    except ValidationError as error:
        raise Unexpected(
            f"the bridge's answer is not understood: is it of another release? ({text[:256]!r})"
        ) from error


def classified(status: int, text: str, model: type[_Answer]) -> _Answer:
    """Return the answer, or raise what the services inside the bridge raised.

    Raises: Missing, NeedsYes, Conflict, Changed, RowsRefused, ValueRefused, Unavailable, Unexpected.
    """
    if status in (200, 201):
        return read_answer(text, model)
    raise failure_of(status, text)


def failure_of(status: int, text: str) -> ServiceError:
    """Return what a failed request means. Raises: Unexpected, where it is no problem as the bridge tells them."""
    problem = read_answer(text, Problem)
    match status:
        case 404:
            return Missing(problem.detail)
        case 409 if problem.report is not None:
            return NeedsYes(problem.detail, problem.report)
        case 409:
            return Conflict(problem.detail)
        case 412:
            return Changed(problem.detail)
        case 422 if problem.row_errors:
            return RowsRefused(problem.row_errors)
        case 400 | 422:
            return ValueRefused("", problem.detail)
        case 503:
            return Unavailable(problem.detail)
        case 403:
            return Unexpected(f"the bridge does not let this key do that: {problem.detail}")
        case _:
            return Unexpected(f"the bridge answered {status} {problem.title}: {problem.detail}")


def check_bridge(address: Address, response: ClientResponse) -> None:
    """Let through what a bridge answered to whom it knows. Raises: Unreachable, Unexpected."""
    leads_to = response.headers.get("Location") if response.status in _REDIRECTS else None
    stranger = address.stranger(response.status, response.content_type, leads_to)
    if stranger is not None:
        raise Unreachable(stranger)
    if response.status == HTTPStatus.UNAUTHORIZED:
        raise Unexpected(address.refused)


def silent(address: Address, error: Exception) -> Unreachable:
    """Return that nobody answered."""
    return Unreachable(f"the bridge at {address.url} does not answer: {str(error) or 'timeout'}")
