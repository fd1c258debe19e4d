"""Write the documents that are made from the code: `python -m tests.documents.write` (`make docs`)."""

from __future__ import annotations

from pathlib import Path

from tests.documents import commands, configuration

DOCS = Path(__file__).parents[2] / "docs"
DOCUMENTS = {"cli.md": commands.document, "configuration.md": configuration.document}

if __name__ == "__main__":
    for name, document in DOCUMENTS.items():
        (DOCS / name).write_text(document(), encoding="utf-8")
