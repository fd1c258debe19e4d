"""State what the web and the command line need of the bridge to know why an EVSE shows what it shows.

Holds no implementation. `bridge.app` supplies one over the open store; `bridge.cli` one over a running bridge's REST
interface. Expected failures are the exceptions of `services`.
"""

from __future__ import annotations

from typing import Protocol

from bridge.web.explanation_shapes import Explanation


class ExplanationServices(Protocol):
    """Every method may raise Unavailable."""

    async def of_evse(self, evse_id: str, operators: frozenset[str] | None = None) -> Explanation:
        """Explain one EVSE, in whatever spelling of its id; of these operators, None: of anybody.

        Raises: NotFound; ValueRefused where the spelling may mean two EVSEs.
        """
        ...
