"""Print how an account differs from its hub, for people. Never decides anything. Twin: `output`."""

from __future__ import annotations

from collections.abc import Iterator

from bridge.cli.output import counted
from bridge.core.differences import Standing
from bridge.core.modes import Mode
from bridge.web.sync_shapes import DocumentDifference, SyncReport

_SAID = {
    Standing.NEW: "new",
    Standing.CHANGED: "changed",
    Standing.AGAIN: "to be sent again",
    Standing.REFUSED: "refused by the hub",
    Standing.LEAVING: "to be deleted at the hub",
    Standing.WITHDRAWN: "no longer listed; stays at the hub until `upstream delete`",
    Standing.AGREED: "agreed",
}


def print_sync(report: SyncReport, *, lines: bool, everything: bool) -> None:
    """Print the differences, if wanted, and what follows; `everything`: what agreed is sent again, too."""
    if lines:
        for line in sync_lines(report):
            print(line)
    print(_outcome(report, everything))


def sync_lines(report: SyncReport) -> Iterator[str]:
    """Yield a line for each difference, its fields below it, statuses in counts, and what others made."""
    for document in report.documents:
        yield from _document_lines(document)
    if report.documents_agreed:
        yield f"{counted(report.documents_agreed, 'document')} agreed"
    if report.statuses:
        counts = ", ".join(f"{count} {standing}" for standing, count in sorted(report.statuses.items()))
        yield f"statuses: {counts}"
    for status in report.refused:
        yield f"  {status.evse_id}: {status.value or 'deletion'} refused by the hub: {status.why}"
    for entry in report.foreign:
        until = entry.valid_to or "removed"
        yield (
            f"made by others, never touched: {entry.kind} on {entry.evse_id} from {entry.valid_from} until {until} "
            f"(id {entry.remote_id})"
        )
    if report.held is not None:
        yield f"statuses are held: {report.held}"
    if report.documents_held is not None:
        yield f"documents are held: {report.documents_held}"


def _document_lines(document: DocumentDifference) -> Iterator[str]:
    name = f" ({document.name})" if document.name else ""
    why = f": {document.why}" if document.why else ""
    yield f"{document.kind} {document.key}{name}: {_SAID[document.standing]}{why}"
    for change in document.changes:
        yield f"  {change.field}: {_value(change.old)} → {_value(change.new)}"


def _value(value: str | None) -> str:
    return "nothing" if value is None else value


def _outcome(report: SyncReport, everything: bool) -> str:
    if not report.ordered:
        return f"{report.to_send} to send; nothing was sent"
    if report.mode is not Mode.LIVE:
        return f"{report.name} is {report.mode}: it is sent once `upstream enable {report.name}` is given"
    if everything:
        return f"{report.name}: sending everything now"
    return f"{report.name}: sending {report.to_send} now" if report.to_send else f"{report.name}: nothing differed"
