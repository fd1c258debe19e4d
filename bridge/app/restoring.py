"""Put a backup in the place of a stopped bridge's database, so that its next start knows.

Before it: `bridge.cli.database`. After it: `store.backup`, and `database_marks` at that start.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

from bridge.app.database_marks import read_marks_file, write_marks_file
from bridge.core.marks import Marks
from bridge.settings import Settings
from bridge.store import backup
from bridge.store.backup import Copied
from bridge.store.errors import CopyFailed


def restore_database(settings: Settings, file: Path, database: Path) -> tuple[Copied, Path | None]:
    """Restore, and note it; return the copy, and where the replaced database is. Raises: StoreError."""
    return backup.restore(file, database, settings.state_dir, partial(_note, settings.state_dir))


def _note(state_dir: Path, copied: Copied) -> None:
    """Note a count of marks that the copy has not reached.

    Before the database is replaced: one that was not after all is only asked and told everything once more.
    """
    seen = read_marks_file(state_dir) or Marks(0)
    try:
        write_marks_file(state_dir, replace(seen, mark=max(seen.mark, copied.mark) + 1))
    except OSError as error:
        raise CopyFailed(f"{state_dir}: {error.strerror or error}") from error
