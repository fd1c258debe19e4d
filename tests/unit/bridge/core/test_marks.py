from __future__ import annotations

from datetime import timedelta

import pytest

from bridge.core.marks import Marks, is_restored

MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize(
    ("stored", "seen", "idle", "restored"),
    [
        (0, None, None, False),
        (0, None, timedelta(days=9), False),
        (7, 7, timedelta(days=9), False),
        (8, 7, MINUTE, False),
        (6, 7, MINUTE, True),
        (0, 7, None, True),
        (7, None, MINUTE, False),
        (7, None, 16 * MINUTE, True),
    ],
    ids=[
        "a new database",
        "one of an older release, which counted none",
        "as it was left",
        "the file was not written after the last mark",
        "an older copy",
        "an older copy of before marks were counted",
        "the file is gone, the bridge was here just now",
        "no file, and no bridge for long: on another machine",
    ],
)
def test_a_database_is_known_for_an_older_copy_by_its_marks(
    stored: int, seen: int | None, idle: timedelta | None, restored: bool
) -> None:
    assert is_restored(Marks(stored), None if seen is None else Marks(seen), idle) is restored
