"""Name who asks: what a key is called, what its role is, and whose EVSEs it is about.

Never checks a key. Before it: `access`, which found the key. After it: each handler, as `request[PRINCIPAL]`.
"""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web

from bridge.core.roles import Role


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks."""

    name: str
    """As it is stored beside an order."""
    role: Role
    operators: frozenset[str] | None = None
    """Whose EVSEs this is about, by the operators' names in the configuration; None: everybody's."""
    key: int = 0
    """The store's number of the key; 0: the admin token."""


PRINCIPAL = web.RequestKey("principal", Principal)
