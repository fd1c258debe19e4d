"""Keep a credential that is read from files, and take a new one over when the files change.

Never lets go of a usable credential for one that is not, never logs and never waits. Content counts, not a file's
times: so a rename over the file, a link that is switched (as Kubernetes does) and a write in place are one case, and a
touched file is none. Before it: `bridge.app.credentials`, which looks every few seconds. After it: an account's
upstream, which asks for the current value with each request.

    Exception
    └── CredentialUnusable      what the files hold cannot be used
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

LARGEST_FILE = 4 * 2**20
"""Bytes of a file that are read; a system's whole CA bundle has 250 KiB."""

Contents = Mapping[Path, bytes]

_Value = TypeVar("_Value")


class CredentialUnusable(Exception):
    """What the files hold cannot be used; the text is for the operator and holds no secret."""


@dataclass(frozen=True, slots=True)
class Reloaded:
    """The files changed, and what they hold now is the credential."""


@dataclass(frozen=True, slots=True)
class NotReloaded:
    """The files changed to something unusable; the credential is the old one. Said once for each such content."""

    why: str


class FileCredential(Generic[_Value]):
    """A credential in files. `look` may run in another thread than `current`, but not twice at once."""

    def __init__(self, files: Sequence[Path], read: Callable[[Contents], _Value]) -> None:
        """Read the files. `read` makes the value of their contents, and raises CredentialUnusable.

        Raises: CredentialUnusable, OSError.
        """
        self._files = tuple(files)
        self._read = read
        contents = read_files(self._files)
        self._current = read(contents)
        self._taken = _digest(contents)
        self._doubted = b""
        self._complained = b""

    def current(self) -> _Value:
        """Return the credential that counts now."""
        return self._current

    def look(self, accept: Callable[[_Value], None] | None = None) -> Reloaded | NotReloaded | None:
        """Read the files; return what became of a change, None where there is none. Blocks for the disk.

        `accept` raises CredentialUnusable for a new value that should not replace the old one. What cannot be used is
        doubted at the first look and complained of at the second: it may only be half written yet.
        """
        try:
            contents = read_files(self._files)
        except OSError as error:
            reason = (error.strerror or "unknown").lower()
            return self._doubt(repr(error).encode(), f"{error.filename} cannot be read: {reason}")
        digest = _digest(contents)
        if digest == self._taken:
            self._doubted = self._complained = b""
            return None
        try:
            value = self._read(contents)
            if accept is not None:
                accept(value)
            if _digest(read_files(self._files)) != digest:
                return None
        except CredentialUnusable as error:
            return self._doubt(digest, str(error))
        except OSError:
            return None
        self._current, self._taken = value, digest
        self._doubted = self._complained = b""
        return Reloaded()

    def _doubt(self, seen: bytes, why: str) -> NotReloaded | None:
        if seen == self._complained:
            return None
        if seen != self._doubted:
            self._doubted = seen
            return None
        self._complained = seen
        return NotReloaded(why)


def read_files(files: Sequence[Path]) -> Contents:
    """Return what the files hold, each cut at `LARGEST_FILE`. Raises: OSError, with the file's name."""
    found = {}
    for file in files:
        with file.open("rb") as opened:
            found[file] = opened.read(LARGEST_FILE)
    return found


def _digest(contents: Contents) -> bytes:
    """Return what tells contents apart; the contents themselves hold secrets and are not kept."""
    whole = hashlib.sha256()
    for content in contents.values():
        whole.update(hashlib.sha256(content).digest())
    return whole.digest()
