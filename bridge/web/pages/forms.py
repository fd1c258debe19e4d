"""Read what a form sent, field by field, and keep it for the page that shows the form again.

Never decides what a value means. Before it: a page's form. After it: the handler, with services' own models.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from aiohttp import web
from pydantic import ValidationError

LONGEST = 100_000
"""A thousand EVSE ids, each on a line, with room."""


@dataclass(slots=True)
class Form:
    """What was sent, and what is wrong with it."""

    fields: Mapping[str, tuple[str, ...]]
    mistakes: dict[str, str] = field(default_factory=dict)
    """Field → what would be right; the empty name is the form as a whole."""

    def text(self, name: str, default: str = "") -> str:
        """Return a field's value without the space around it."""
        values = self.fields.get(name, ())
        return values[-1].strip() if values else default

    def whole(self, name: str) -> int | None:
        """Return a whole number; None where the field is empty or was noted as a mistake."""
        text = self.text(name)
        if not text:
            return None
        if not (text.isascii() and text.isdigit() and len(text) < 10):
            self.mistakes[name] = "should be a whole number"
            return None
        return int(text)

    def ticked(self, name: str) -> bool:
        """Tell whether a box is ticked."""
        return bool(self.text(name))

    def all(self, name: str) -> tuple[str, ...]:
        """Return every value of a field that may be given several times."""
        return tuple(value.strip() for value in self.fields.get(name, ()) if value.strip())

    def note(self, error: ValidationError) -> None:
        """Note what one of our models refused, without the values: a form may hold keys."""
        for details in error.errors(include_url=False, include_input=False, include_context=False):
            name = str(details["loc"][0]) if details["loc"] else ""
            self.mistakes.setdefault(name, str(details["msg"]).removeprefix("Value error, "))


async def read_form(request: web.Request) -> Form:
    """Return what the form sent; files are none of ours and are left out. Raises: HTTPBadRequest, too much of it."""
    sent = await request.post()
    fields: dict[str, list[str]] = {}
    for name, value in sent.items():
        if isinstance(value, str):
            if len(value) > LONGEST:
                raise web.HTTPBadRequest(text=f"{name[:64]} should have at most {LONGEST} characters")
            fields.setdefault(name, []).append(value)
    return Form({name: tuple(values) for name, values in fields.items()})


EMPTY = Form({})
"""Of a page that is shown for the first time."""
