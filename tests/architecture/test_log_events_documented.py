"""docs/operations.md names the log's events as the code writes them."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
_SECTION = re.compile(r"^### What the log says\n(.*?)^## ", re.DOTALL | re.MULTILINE)
_WRITTEN = re.compile(r'"([a-z]+(?:_[a-z]+)+)"')
_FAILURES = re.compile(r"log\.(?:error|exception)\(\s*\"([a-z_]+)\"")

_ONE_THING = {
    "availability_failed",
    "bridge_ended_badly",
    "frame_failed",
    "import_follow_up_failed",
    "look_at_credentials_failed",
    "look_at_listeners_failed",
    "ping_failed",
    "quarantine_not_written",
    "resync_failed",
}
"""With a traceback that says what it is."""


def sources() -> str:
    return "\n".join(path.read_text("utf-8") for top in ("bridge", "csms") for path in (ROOT / top).rglob("*.py"))


def documented() -> set[str]:
    found = _SECTION.search((ROOT / "docs" / "operations.md").read_text("utf-8"))
    assert found is not None
    events = [line.split("|")[1] for line in found[1].splitlines() if line.startswith("| `")]
    return {name for event in events for name in re.findall(r"`([a-z]+(?:_[a-z]+)+)`", event)}


def test_every_event_that_is_documented_is_written() -> None:
    assert {"process_stood_still", "storage_failed", "mass_silence_ended"} <= documented()
    assert documented() - set(_WRITTEN.findall(sources())) == set()


def test_every_error_that_is_logged_is_documented() -> None:
    assert set(_FAILURES.findall(sources())) - documented() - _ONE_THING == set()
