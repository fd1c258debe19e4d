from __future__ import annotations

import stat
from pathlib import Path

import pytest

from bridge.web.token import TokenUnusable, ensure_token, read_token


def test_the_first_start_makes_a_token_that_only_this_user_can_read(tmp_path: Path) -> None:
    token = ensure_token(tmp_path / "state")
    file = tmp_path / "state" / "admin-token"
    assert len(token) == 43
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in (tmp_path / "state").iterdir()] == ["admin-token"]


def test_later_starts_use_the_same_token(tmp_path: Path) -> None:
    assert ensure_token(tmp_path) == ensure_token(tmp_path) == read_token(tmp_path)


def test_two_installations_have_different_tokens(tmp_path: Path) -> None:
    assert ensure_token(tmp_path / "a") != ensure_token(tmp_path / "b")


def test_before_the_first_start_there_is_none(tmp_path: Path) -> None:
    assert read_token(tmp_path) is None


@pytest.mark.parametrize(
    "content", [b"", b"short\n", b"x" * 20 + b" " + b"x" * 20, "é".encode() * 40, b"x" * 40 + b"\ny"]
)
def test_a_file_without_a_token_is_never_replaced_nor_used(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "admin-token").write_bytes(content)
    with pytest.raises(TokenUnusable, match="should hold a token of at least 32 characters"):
        ensure_token(tmp_path)
    assert (tmp_path / "admin-token").read_bytes() == content


def test_an_operator_s_own_token_is_taken(tmp_path: Path) -> None:
    (tmp_path / "admin-token").write_text("my-own-token-that-is-long-enough-to-count\n", encoding="ascii")
    assert ensure_token(tmp_path) == "my-own-token-that-is-long-enough-to-count"
