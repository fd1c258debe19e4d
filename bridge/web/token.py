"""Make and read the admin token: a random key in a file that only this user can read.

Never logged, never compared by anything but its digest. Before it: the first start. After it: `auth`, and the command
line, which reads the same file.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

TOKEN_FILE = "admin-token"  # noqa: S105  # a name, no token
_BYTES = 32


class TokenUnusable(Exception):
    """The token's file is there and holds no token."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.path = path

    def __str__(self) -> str:
        """Return the text for the operator."""
        return (
            f"{self.path} should hold a token of at least 32 characters; remove it, and the next start makes a new one"
        )


def read_token(state_dir: Path) -> str | None:
    """Return the token, or None where none was made yet. Raises: TokenUnusable, OSError."""
    path = state_dir / TOKEN_FILE
    try:
        token = path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return None
    except UnicodeDecodeError as error:
        raise TokenUnusable(path) from error
    if len(token) < _BYTES or not token.isprintable() or " " in token:
        raise TokenUnusable(path)
    return token


def ensure_token(state_dir: Path) -> str:
    """Return the token, made on the first start (mode 0600). Raises: TokenUnusable, OSError.

    Written to a file of its own and linked into place, so that no reader ever sees half a token, and of two starts at
    the same time both use the same one.
    """
    state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    if (token := read_token(state_dir)) is not None:
        return token
    draft = state_dir / f".{TOKEN_FILE}.{secrets.token_hex(8)}"
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(_BYTES) + "\n")
        _link(draft, state_dir / TOKEN_FILE)
    finally:
        draft.unlink()
    token = read_token(state_dir)
    if token is None:
        raise AssertionError("the token was linked into place a moment ago")
    return token


def _link(draft: Path, path: Path) -> None:
    try:
        path.hardlink_to(draft)
    except FileExistsError:
        return
