"""Read the guards: `guards.toml`."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Guard:
    """One guard of the product, and how it is switched off."""

    name: str
    protects: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]
    """What must turn red without it: pytest's arguments."""

    def without(self, root: Path) -> str:
        """Return the source of its file without it. Raises: LookupError where that is not the code any more."""
        source = (root / self.file).read_text(encoding="utf-8")
        found = source.count(self.old)
        if found != 1:
            raise LookupError(f"{self.name}: the text to replace occurs {found} times in {self.file}, must be once")
        return source.replace(self.old, self.new)


def known_guards() -> dict[str, Guard]:
    """Return every guard by its name, in the order of the file. Raises: TypeError for a key that a guard has not."""
    found = tomllib.loads(Path(__file__).with_name("guards.toml").read_text(encoding="utf-8"))
    return {name: Guard(name, **{**content, "tests": tuple(content["tests"])}) for name, content in found.items()}
