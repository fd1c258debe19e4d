"""Read a running bridge's answers as our shapes.

Never asks. Used by every client: what a failure means is said once, but for those whose failures say more.
"""

from __future__ import annotations

from typing import TypeVar

from pydantic import BaseModel, ValidationError

from bridge.cli.failures import Missing, Unexpected
from bridge.web.problem_shapes import Problem
from bridge.web.services import Conflict, Unavailable, ValueRefused

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

    Raises: Missing, Conflict, ValueRefused, Unavailable, Unexpected.
    """
    if status in (200, 201):
        return read_answer(text, model)
    problem = read_answer(text, Problem)
    match status:
        case 404:
            raise Missing(problem.detail)
        case 409:
            raise Conflict(problem.detail)
        case 400 | 422:
            raise ValueRefused("", problem.detail)
        case 503:
            raise Unavailable(problem.detail)
        case 401:
            raise Unexpected("the bridge refuses the token in the file admin-token: is the state folder its own?")
        case _:
            raise Unexpected(f"the bridge answered {status} {problem.title}: {problem.detail}")
