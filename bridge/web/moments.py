"""Read the moments of a body as RFC 3339 says, with an offset, and nothing else.

By itself pydantic would take the text "0" for the year 1970. Never reads a query: `queries` does. Used by shapes of
orders.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import AwareDatetime, BeforeValidator

from bridge.core.temporary import Impossible, NoMoment, parse_moment


def _read(value: Any) -> Any:
    if isinstance(value, datetime):
        return value
    if not isinstance(value, str):
        raise ValueError("should be text such as 2026-12-01T08:00:00Z")
    try:
        return parse_moment(value, "")
    except NoMoment:
        return datetime.fromisoformat(value.strip().upper())
    except Impossible as error:
        raise ValueError(error.wanted) from error


GivenMoment = Annotated[AwareDatetime, BeforeValidator(_read)]
"""A moment in somebody's order. One of the right form that UTC does not have is the services' to refuse."""
