"""Name what is wrong in a configuration: where, which key, which value, and what would be right.

Never shows a secret: a mistake about one carries no value.

    Exception
    └── ConfigurationErrors     every mistake of one configuration, at once
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mistake:
    """One thing that is wrong."""

    source: str
    """The file, or the environment variable or secret file by name."""
    key: str
    """Dotted, for example ocpp.port; empty where the whole source is meant."""
    problem: str
    """What would be right."""
    value: str | None = None
    """As it is shown; None for a secret, a whole table or something that is missing."""

    def __str__(self) -> str:
        """Return the line that an operator reads."""
        key = f"{self.key}: " if self.key and self.value is None else self.key
        value = "" if self.value is None else f" = {self.value}: "
        return f"{self.source}: {key}{value}{self.problem}"


class ConfigurationErrors(Exception):
    """The configuration has mistakes; nothing was started."""

    def __init__(self, mistakes: Iterable[Mistake]) -> None:
        self.mistakes = tuple(sorted(mistakes, key=lambda mistake: (mistake.key, mistake.source)))
        super().__init__("\n".join(str(mistake) for mistake in self.mistakes))
