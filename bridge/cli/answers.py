"""Read a running bridge's answers as our shapes.

Never asks. Used by `client` and `temporary_client`.
"""

from __future__ import annotations

from typing import TypeVar

from pydantic import BaseModel, ValidationError

from bridge.cli.failures import Unexpected

_Answer = TypeVar("_Answer", bound=BaseModel)


def read_answer(text: str, model: type[_Answer]) -> _Answer:
    """Return the answer. Raises: Unexpected, where it is not understood."""
    try:
        return model.model_validate_json(text)
    except ValidationError as error:
        raise Unexpected(
            f"the bridge's answer is not understood: is it of another release? ({text[:256]!r})"
        ) from error
