"""Every link within our documents leads somewhere: the file is there, and so is the heading that its anchor names."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "tests").glob("*.md")])
_BLOCK = re.compile(r"^(```|~~~).*?^\1[^\n]*$", re.DOTALL | re.MULTILINE)
_LINK = re.compile(r"\]\(([^()\s]+)\)")
_HEADING = re.compile(r"^#{1,6} (.+)$", re.MULTILINE)


def prose(text: str) -> str:
    """Return a document without what it shows as code in blocks."""
    return _BLOCK.sub("", text)


def links(text: str) -> Iterator[str]:
    """Give what a document links to within the repository."""
    for target in _LINK.findall(re.sub(r"`[^`\n]+`", "", prose(text))):
        if not re.match(r"[a-z]+:", target):
            yield target


def anchors(text: str) -> set[str]:
    """Return the anchors of a document's headings, as GitHub makes them."""
    made: Counter[str] = Counter()
    found = set()
    for heading in _HEADING.findall(prose(text)):
        words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).strip().lower()
        anchor = re.sub(r"[^\w\- ]", "", words).replace(" ", "-")
        found.add(f"{anchor}-{made[anchor]}" if made[anchor] else anchor)
        made[anchor] += 1
    return found


def leads_somewhere(link: str, document: Path, text: str) -> bool:
    path, _, anchor = link.partition("#")
    place = (document.parent / path).resolve() if path else document
    if not place.is_relative_to(ROOT) or not place.exists():
        return False
    return not anchor or anchor in anchors(text if place == document else place.read_text(encoding="utf-8"))


def broken(document: Path, text: str) -> list[str]:
    """Return the links of a document that lead nowhere."""
    return [link for link in links(text) if not leads_somewhere(link, document, text)]


@pytest.mark.parametrize("document", [pytest.param(each, id=str(each.relative_to(ROOT))) for each in DOCUMENTS])
def test_every_link_of_a_document_leads_somewhere(document: Path) -> None:
    assert broken(document, document.read_text(encoding="utf-8")) == []


def test_a_link_that_leads_nowhere_would_be_noticed() -> None:
    text = "# A\n\n## A\n\n[1](#a-1) [2](#b) [3](docs/none.md) [4](docs/glossary.md#glossary) [5](../x.md)\n"
    assert broken(ROOT / "README.md", text) == ["#b", "docs/none.md", "../x.md"]


def test_no_document_names_a_folder_of_the_machine_that_it_was_written_on() -> None:
    shown = {str(each.relative_to(ROOT)): each.read_text(encoding="utf-8") for each in DOCUMENTS}
    assert [name for name, text in shown.items() if re.search(r"(?<![\w.])/(home|root|work|Users)/", text)] == []
