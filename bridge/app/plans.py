"""Say what each account tells its hub besides statuses. Pure: what a plan reads, it reads when it is carried out.

Before it: `bridge.settings`. After it: `bridge.documents`, at start and with every import.
"""

from __future__ import annotations

from bridge.documents import DocumentPlan
from bridge.settings import Settings


def document_plans(settings: Settings) -> tuple[DocumentPlan, ...]:
    """Return a plan for each account and kind of document that it is set up to send."""
    return ()
