from __future__ import annotations

import stat
from pathlib import Path

from bridge.app.session_secret import ensure_session_secret


def test_the_first_start_makes_a_secret_that_only_this_user_can_read(tmp_path: Path) -> None:
    secret = ensure_session_secret(tmp_path)
    file = tmp_path / "session-secret"
    assert len(secret) == 32
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert ensure_session_secret(tmp_path) == secret == file.read_bytes()


def test_what_is_no_secret_is_replaced_and_ends_all_sessions(tmp_path: Path) -> None:
    (tmp_path / "session-secret").write_bytes(b"short")
    assert len(ensure_session_secret(tmp_path)) == 32
    assert [path.name for path in tmp_path.iterdir()] == ["session-secret"]
