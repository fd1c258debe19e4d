"""Read the wire fixtures: one file per entry of the catalogue of what real charging hardware does.

id, quirk, devices, evidence, copes     text, as docs/hardware.md shows it
host                                    "csms" (fakes, the default) or "bridge" (real intake and store)
[server]                                times of `ServerOptions`, in milliseconds
[station]                               fields of the registry's record; `connectors = [[evse, connector], …]`
inventory                               of the bridge: the inventory file
[[step]]                                what happens, in order; see `play.Play`
events                                  what was recorded, in order
[counts]                                what was counted at least
never                                   actions that no CALL of ours may have
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "fixtures"
TEXTS = ("id", "quirk", "devices", "evidence", "copes")
OTHERS = ("host", "server", "station", "inventory", "step", "events", "counts", "never")


@dataclass(frozen=True)
class Fixture:
    """One file."""

    name: str
    id: str
    quirk: str
    devices: str
    evidence: str
    copes: str
    host: str = "csms"
    inventory: str = ""
    server: dict[str, Any] = field(default_factory=dict)
    station: dict[str, Any] = field(default_factory=dict)
    step: list[dict[str, Any]] = field(default_factory=list)
    events: list[str] | None = None
    counts: dict[str, int] = field(default_factory=dict)
    never: list[str] = field(default_factory=list)

    @property
    def order(self) -> tuple[int, str, str]:
        """By the number in the catalogue; what has none comes last."""
        digits = self.id.rstrip("abcdefgh").removeprefix("#")
        return (int(digits) if digits.isdigit() else 1000, self.id, self.name)


def read(path: Path) -> Fixture:
    """Return one fixture. Raises: AssertionError, where the file has a key that nobody reads."""
    values = tomllib.loads(path.read_text(encoding="utf-8"))
    unknown = set(values) - {*TEXTS, *OTHERS}
    assert not unknown, f"{path.name}: unknown keys {sorted(unknown)}"
    assert values.get("step"), f"{path.name}: nothing happens"
    return Fixture(name=path.stem, **values)


def every() -> list[Fixture]:
    """Return all of them in the catalogue's order."""
    return sorted((read(path) for path in FOLDER.glob("*.toml")), key=lambda fixture: fixture.order)
