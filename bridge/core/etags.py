"""Name a content by its digest, and tell whether somebody's condition about it holds. Pure.

Source: RFC 9110 §8.8.3 (ETag), §13.1.1 (If-Match) and §13.1.2 (If-None-Match).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


def etag_of(content: Mapping[str, Any]) -> str:
    """Return the ETag of a content of plain values, quotes included."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), default=str)
    return f'"{hashlib.sha256(text.encode()).hexdigest()[:20]}"'


@dataclass(frozen=True, slots=True)
class Condition:
    """What must be so for a change to be made."""

    tags: frozenset[str] = frozenset()
    """If-Match: the content has one of these."""
    anything: bool = False
    """If-Match: * — there is something."""
    nothing: bool = False
    """If-None-Match: * — there is nothing."""

    def holds(self, tag: str | None) -> bool:
        """Tell whether it is so; `tag` None: there is nothing."""
        if self.nothing:
            return tag is None
        return tag is not None and (self.anything or tag in self.tags)


ANYTHING = Condition(anything=True)
"""Change whatever there is."""
