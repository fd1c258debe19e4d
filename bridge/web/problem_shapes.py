"""Shape what is answered where a request fails.

Never holds a value that may be secret: a mistake is named by its place. Used by `problems` and the command line.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from bridge.web.shapes import ImportReport, RowError, Shape


class FieldError(Shape):
    """One mistake in a body. Source: RFC 9457 §3, whose example names places so."""

    pointer: str
    """The place. Source: RFC 6901 (JSON Pointer); empty: the body as a whole."""
    detail: str
    """What would be right, never with the value: it may be a key."""


class Problem(BaseModel):
    """An error. Source: RFC 9457, with `request_id`, `errors` and `report` as extension members."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    type: str = "about:blank"
    title: str
    status: int
    detail: str = ""
    instance: str = ""
    """The path that was asked for."""
    request_id: str = ""
    """As in the header X-Request-ID, and in the log."""
    errors: tuple[FieldError | RowError, ...] = ()
    """Each mistake: of a body by its place, of an imported file by its line."""
    report: ImportReport | None = None
    """With 409 for an import: what it would have changed."""

    @property
    def row_errors(self) -> tuple[RowError, ...]:
        """Those of an imported file."""
        return tuple(error for error in self.errors if isinstance(error, RowError))
