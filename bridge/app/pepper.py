"""Make and read the pepper: the secret that makes the stored credentials of stations useless without it.

Kept in the state folder, apart from the database. Before it: the first start. After it: `csms.auth`, inventory imports.
"""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path

PEPPER_FILE = "pepper"
_BYTES = 32


class PepperUnusable(Exception):
    """The pepper's file is there and holds no pepper: no station could log in."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.path = path

    def __str__(self) -> str:
        """Return the text for the operator."""
        return (
            f"{self.path} should hold {_BYTES} bytes; restore it from a backup: without it no station can log in "
            "before its key is imported again"
        )


def ensure_pepper(state_dir: Path) -> bytes:
    """Return the pepper, made on the first start (mode 0600). Raises: PepperUnusable, OSError."""
    path = state_dir / PEPPER_FILE
    state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        pepper = path.read_bytes()
    except FileNotFoundError:
        return make_secret(path)
    if len(pepper) != _BYTES:
        raise PepperUnusable(path)
    return pepper


def make_secret(path: Path) -> bytes:
    """Return a new secret of 32 random bytes, kept in this file (mode 0600), or the one that is there meanwhile.

    Written to a file of its own that is linked into place: nobody reads half a secret, and the first one wins.

    Raises: OSError.
    """
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(_BYTES))
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):  # another process was first: its pepper counts
            os.link(draft, path)
    finally:
        draft.unlink(missing_ok=True)
    return path.read_bytes()
