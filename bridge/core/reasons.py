"""Say a hub's reason beside its answer without saying the answer twice.

Pure. Reasons are stored whole ("HTTP 401: no such key", "603 unknown EVSE"), since some places show nothing else.
Before it: what was stored of a push. After it: lines that name HTTP status and code themselves.
"""

from __future__ import annotations


def beside(why: str, http: int | None, code: str = "") -> str:
    """Return a reason for a place beside the HTTP status and the hub's code: without those that it begins with."""
    rest = why if http is None else _without(f"HTTP {http}", why)
    return _without(code, rest) if code else rest


def _without(head: str, why: str) -> str:
    rest = why.removeprefix(head)
    # "6030" does not begin with the code 603.
    return rest.lstrip(" :,") if rest == "" or rest[0] in " :," else why
