"""Show text of strangers on a terminal so that the terminal obeys none of it. Pure."""

from __future__ import annotations

import re

_CONTROL = re.compile("[\x00-\x1f\x7f]")


def harmless(text: str) -> str:
    """Show control characters by their Unicode pictures, and other invisible ones as JSON would escape them."""
    if text.isprintable():
        return text
    text = _CONTROL.sub(lambda found: "␡" if found[0] == "\x7f" else chr(0x2400 + ord(found[0])), text)
    return "".join(each if each.isprintable() else _escaped(each) for each in text)


def _escaped(character: str) -> str:
    units = character.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[place : place + 4]}" for place in range(0, len(units), 4))
