"""What a run of the benchmark may be told. Before it: `__main__`. After it: the rows."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Options:
    """How much is measured."""

    stations: int = 200
    """That report at saturation."""
    many: int = 10_000
    """Of the rows about size."""
    seconds: float = 6
    """How long a round lasts."""
    rounds: int = 3
    wire_log: bool = True
    seed: int = 7
