"""Keep what a mock hub holds per EVSE and besides, and the journal of every request it received.

Does no I/O and reads no clock: times come as arguments, in seconds since 1970. Before it: `server`. After it:
`control`.

A request is *open* from its receipt until it is answered or its connection is gone. Two open requests of one operation
are an overlap: OICP 2.3 CPO, Communication Paradigms: "data push requests that address the same operation MUST always
be processed sequentially"; Chargeprice's terms: no parallel requests.
"""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, TypeVar

_Key = TypeVar("_Key")

JOURNAL_LIMIT = 100_000
VIOLATIONS_LIMIT = 10_000


@dataclass(frozen=True, slots=True)
class Change:
    """What a request does to the hub's view once it is applied."""

    put: Mapping[str, str] = field(default_factory=dict)
    remove: tuple[str, ...] = ()
    replace: bool = False
    """A fullLoad: everything of the same owner that is not in `put` goes away."""
    owner: str = ""
    """Whose account it is about: what one puts, another's fullLoad leaves alone."""
    available_at: float | None = None
    """Chargeprice's valid_until: from this moment on the point counts as available."""
    documents: Mapping[tuple[str, str], Mapping[str, Any] | None] = field(default_factory=dict)
    """(kind, key) → what the hub holds besides statuses (a station, an EVSE's data); None removes it."""
    replace_documents: str | None = None
    """A fullLoad of this kind of documents: every one of the same owner that is not in `documents` goes away."""
    expected: Mapping[tuple[str, str], Mapping[str, Any] | None] = field(default_factory=dict)
    """Documents as the request found them: a lock version. Where one is another by now, nothing is applied."""
    required: tuple[tuple[str, str], ...] = ()
    """Documents that must still be held, else nothing is applied: an id that was removed does not come back."""


@dataclass(slots=True)
class Entry:
    """One request in the journal."""

    n: int
    received_at: float
    operation: str
    action: str
    records: tuple[tuple[str, str], ...]
    http: int | None = None
    code: str = ""
    answered_at: float | None = None
    applied_at: float | None = None
    applied_order: int | None = None
    """Position among everything applied: shows a late application that overwrote a newer value."""
    fault: str = ""
    overlap: bool = False


@dataclass(frozen=True, slots=True)
class Violation:
    """A rule of the hub's interface that a request broke."""

    n: int
    at: float
    what: str


@dataclass(frozen=True, slots=True)
class RateLimit:
    """What the hub's terms allow: `requests` within `seconds`."""

    requests: int
    seconds: float


class Ledger:
    """One mock hub's memory."""

    def __init__(
        self, rate_limit: RateLimit | None = None, other_limits: Mapping[str, RateLimit] | None = None
    ) -> None:
        """Watch `rate_limit`; an operation whose first word is in `other_limits` counts by itself, against that."""
        self._rate_limit = rate_limit
        self._other_limits = dict(other_limits or {})
        self.reset()

    def reset(self) -> None:
        """Forget everything but the numbers given out, which never repeat."""
        self._count = getattr(self, "_count", 0)
        self._applied = 0
        self._held: dict[str, str] = {}
        self._owners: dict[str, str] = {}
        self._available_at: dict[str, float] = {}
        self._journal: deque[Entry] = deque(maxlen=JOURNAL_LIMIT)
        self._violations: deque[Violation] = deque(maxlen=VIOLATIONS_LIMIT)
        self._tally: Counter[str] = Counter()
        self._open: dict[int, Entry] = {}
        self._answered: dict[str, tuple[int, float]] = {}
        self._arrivals: defaultdict[str, deque[float]] = defaultdict(deque)
        self._documents: dict[tuple[str, str], dict[str, Any]] = {}
        self._document_owners: dict[tuple[str, str], str] = {}
        self._full_loads: dict[str, frozenset[str]] = {}

    def begin(self, at: float, operation: str, action: str, records: tuple[tuple[str, str], ...]) -> Entry:
        """Open a journal entry for a request whose head came at `at`; notes an overlap and a rate above the limit."""
        self._count += 1
        overlaps = [entry.n for entry in self._open.values() if entry.operation == operation]
        last, answered_at = self._answered.get(operation, (0, at))
        if answered_at > at:  # answered while this one's body was on its way
            overlaps.append(last)
        entry = Entry(self._count, at, operation, action, records, overlap=bool(overlaps))
        self._journal.append(entry)
        self._open[entry.n] = entry
        self._tally["requests"] += 1
        if overlaps:
            self.violate(entry.n, at, f"parallel push: request {overlaps[0]} of the same operation was not answered")
        self._watch_rate(entry, at)
        return entry

    def _watch_rate(self, entry: Entry, at: float) -> None:
        name = entry.operation.partition(" ")[0]
        limit = self._other_limits.get(name, self._rate_limit)
        if limit is None:
            return
        arrivals = self._arrivals[name if name in self._other_limits else ""]
        arrivals.append(at)
        while arrivals[0] <= at - limit.seconds:
            arrivals.popleft()
        if len(arrivals) > limit.requests:
            self.violate(entry.n, at, f"more than {limit.requests} requests in {limit.seconds:g} s")

    def apply(self, entry: Entry, change: Change, at: float) -> None:
        """Let the request take effect, over whatever is held now, unless that is not what the change goes with."""
        if self._outdated(change):
            self._tally["outdated"] += 1
            return
        self._applied += 1
        entry.applied_at, entry.applied_order = at, self._applied
        self._apply_statuses(change)
        self._apply_documents(change)
        self._tally["applied"] += 1

    def _apply_statuses(self, change: Change) -> None:
        if change.replace:
            self._full_loads[change.owner] = frozenset(change.put)
        for key in (*change.remove, *(_owned(self._owners, change.owner) if change.replace else ())):
            for memory in (self._held, self._owners, self._available_at):
                memory.pop(key, None)
        for key, value in change.put.items():
            self._held[key], self._owners[key] = value, change.owner
            self._available_at.pop(key, None)
            if change.available_at is not None:
                self._available_at[key] = change.available_at

    def _outdated(self, change: Change) -> bool:
        changed = any(self._documents.get(name) != document for name, document in change.expected.items())
        return changed or any(name not in self._documents for name in change.required)

    def _apply_documents(self, change: Change) -> None:
        if change.replace_documents is not None:
            for name in _owned(self._document_owners, change.owner):
                if name[0] == change.replace_documents:
                    del self._documents[name], self._document_owners[name]
        for name, document in change.documents.items():
            if document is None:
                self._documents.pop(name, None)
                self._document_owners.pop(name, None)
            else:
                self._documents[name], self._document_owners[name] = dict(document), change.owner

    def documents(self, kind: str, owner: str | None = None) -> dict[str, dict[str, Any]]:
        """Return the documents of a kind that the hub holds, by key; of one owner where one is named."""
        mine = (name for name in sorted(self._documents) if owner in (None, self._document_owners[name]))
        return {key: self._documents[one, key] for one, key in mine if one == kind}

    def last_full_load(self, owner: str = "") -> frozenset[str]:
        """Return the EVSEs of the last fullLoad that was applied for this owner."""
        return self._full_loads.get(owner, frozenset())

    def document(self, kind: str, key: str) -> dict[str, Any] | None:
        """Return one document, or None where the hub holds none."""
        return self._documents.get((kind, key))

    def answer(self, entry: Entry, http: int, code: str, at: float) -> None:
        """Close the request as answered."""
        entry.http, entry.code, entry.answered_at = http, code, at
        self._open.pop(entry.n, None)
        self._answered[entry.operation] = (entry.n, at)
        self._tally["answered"] += 1
        self._tally[f"http {http}" + (f" code {code}" if code else "")] += 1

    def abandon(self, entry: Entry) -> None:
        """Close the request without an answer: its connection is gone."""
        self._open.pop(entry.n, None)

    def violate(self, n: int, at: float, what: str) -> None:
        """Note a broken rule."""
        self._violations.append(Violation(n, at, what))
        self._tally["violations"] += 1

    def note_fault(self, entry: Entry, fault: str) -> None:
        """Note which fault the request met."""
        entry.fault = f"{entry.fault},{fault}" if entry.fault else fault
        self._tally[f"fault {fault}"] += 1

    def holds(self, key: str) -> bool:
        """Tell whether the hub holds a status for this EVSE."""
        return key in self._held

    def state(self, at: float) -> dict[str, str]:
        """Return what the hub holds at this moment, per EVSE."""
        passed = {key for key, moment in self._available_at.items() if moment <= at}
        return {key: "available" if key in passed else value for key, value in sorted(self._held.items())}

    def journal(self, after: int = 0, limit: int = 1000) -> list[dict[str, Any]]:
        """Return at most `limit` entries with a number above `after`, oldest first."""
        skipped = (entry for entry in self._journal if entry.n > after)
        return [asdict(entry) for entry, _ in zip(skipped, range(limit), strict=False)]

    def violations(self) -> list[dict[str, Any]]:
        """Return the broken rules, oldest first."""
        return [asdict(violation) for violation in self._violations]

    def summary(self) -> dict[str, Any]:
        """Return counts: requests, applied, answered, violations, overlaps, per answer and per fault."""
        overlaps = sum(entry.overlap for entry in self._journal)
        return {
            "last": self._count,
            "held": len(self._held),
            "open": len(self._open),
            "overlaps": overlaps,
            **{name: self._tally[name] for name in ("requests", "answered", "applied", "violations")},
            "counts": dict(sorted(self._tally.items())),
        }


def _owned(owners: Mapping[_Key, str], owner: str) -> list[_Key]:
    return [key for key, one in owners.items() if one == owner]
