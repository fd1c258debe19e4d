"""docs/counts.md lists every kind that can be counted, and none that cannot."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from bridge.app.counts import OTHERS
from csms.faults import Fault

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "counts.md").read_text(encoding="utf-8")
SOURCES = [path for folder in ("csms", "bridge/app") for path in sorted((ROOT / folder).rglob("*.py"))]


def documented() -> set[str]:
    """Return what stands in the first column of the page's tables."""
    rows = re.findall(r"^\| (`.+?) \|", PAGE, re.MULTILINE)
    return {kind for row in rows for kind in re.findall(r"`([a-z0-9_]+…?)`", row)}


def calls(*names: str) -> Iterator[ast.expr]:
    """Give the first argument of every call of a function or method of one of these names."""
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and node.args:
                name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                if name in names:
                    yield node.args[0]


def words(expression: ast.expr) -> set[str]:
    """Return the texts that an expression may be; a formatted one ends in … where its variable part begins."""
    match expression:
        case ast.Constant(value=str(text)):
            return {text}
        case ast.IfExp(body=body, orelse=orelse):
            return words(body) | words(orelse)
        case ast.JoinedStr(values=[ast.Constant(value=str(text)), *_]):
            return {f"{text}…"}
        case _:
            return set()


def found(*names: str) -> set[str]:
    return {word for argument in calls(*names) for word in words(argument)}


def counted() -> set[str]:
    kinds = found("count", "_count", "_refuse") | {OTHERS, "certificate_unreadable"}
    assert {"frame_malformed_…", "call_refused_…", "handshake_refused_…"} <= kinds
    kinds -= {"frame_malformed_…", "call_refused_…"}
    kinds |= {f"call_refused_{fault}" for fault in Fault}
    kinds |= {f"frame_malformed_{kind}" for kind in found("Malformed", "_unread", "Refused")}
    return {kind for kind in kinds if re.fullmatch(r"[a-z0-9_]+…?", kind)}


def leniencies() -> tuple[set[str], set[str]]:
    """Return what messages are called in notes, and what is noted of them."""
    subjects = {"message"}
    for path in sorted((ROOT / "csms").glob("v*/translate.py")):
        subjects |= set(re.findall(r'^    "\w+": \("(\w+)", \w+\),$', path.read_text(encoding="utf-8"), re.MULTILINE))
    return {f"{subject}_" for subject in subjects}, {f"lenient_{what}" for what in found("note") | {"schema"}}


def test_every_kind_that_can_be_counted_is_documented_and_no_other() -> None:
    subjects, whats = leniencies()
    assert documented() == counted() | subjects | whats


def test_the_search_finds_what_is_known_to_be_there() -> None:
    assert {"frame_failed", "message_flood", "control_slowed", "frame_malformed_too_deep", "ping_failed"} <= counted()
    assert leniencies()[0] >= {"status_", "boot_", "security_", "message_"}
    assert {"lenient_case", "lenient_missing", "lenient_station_word"} <= leniencies()[1]
