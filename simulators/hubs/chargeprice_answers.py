"""Word Chargeprice's answers: errors, a station, a company.

Does no I/O and decides nothing. Before it: `chargeprice` and `chargeprice_resources`, which judge. Source: Chargeprice
API; the status endpoint's errors have no code, those of the other endpoints do.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from simulators.hubs.chargeprice_schemas import MAPPING_KEYS
from simulators.hubs.exchange import Judgement, Reply, Request, compact
from simulators.hubs.ledger import Change

CODES = {400: "BAD_REQUEST", 403: "FORBIDDEN", 404: "NOT_FOUND", 409: "VERSION_CONFLICT", 500: "INTERNAL_SERVER_ERROR"}
NOT_AUTHORIZED = "api_key not authorized to perform action"

_UNNAMED = "ELLA"
"""What a station's operator is called that was never put here; the name in Chargeprice's own example."""


@dataclass(frozen=True, slots=True)
class Call:
    """A request whose route is known, and the answers to it."""

    request: Request
    operation: str
    action: str
    segments: tuple[str, ...] = ()
    """The path's parameters as on the wire."""
    records: tuple[tuple[str, str], ...] = field(default=(), kw_only=True)

    @property
    def ids(self) -> tuple[str, ...]:
        """Return the path's parameters, percent-decoded."""
        return tuple(map(unquote, self.segments))

    def accepted(self, reply: Reply, change: Change | None = None) -> Judgement:
        """Return the judgement of a request that is allowed."""
        return Judgement(self.operation, reply, self.action, self.records, change)

    def refused(self, status: int, title: str, *, code: str = "", broken: tuple[str, ...] = ()) -> Judgement:
        """Return the judgement of a request that is refused, with the endpoint's own code unless one is given."""
        code = code or documented_code(self.action, status)
        reply = Reply(status, error_text(status, title, code), code=code)
        return Judgement(self.operation, reply, self.action, self.records, violations=broken)


def documented_code(action: str, status: int) -> str:
    """Return the code that Chargeprice documents for this answer; "": none."""
    return "" if action in ("", "status") else CODES.get(status, "")


def error_text(status: int, title: str, code: str) -> str:
    """Return the body of an error."""
    error = {"status": str(status), "title": title} | ({"code": code} if code else {})
    return compact({"errors": [error]})


def station_text(document: Mapping[str, Any], version: int, operator: Mapping[str, Any] | None) -> str:
    """Return the body that tells a station: no status, EVSE ids flat, availability unknown, its operator included."""
    points = document["attributes"]["charge_points"]
    hidden = ("status", "charge_points", "version")
    attributes = {name: value for name, value in document["attributes"].items() if name not in hidden} | {
        "version": version,
        "evse_ids": [evse_id for point in points for evse_id in point["evse_ids"]],
        "charge_points": [
            {name: point[name] for name in ("plug", "power", "count")} | {"available_count": None} for point in points
        ],
    }
    reference = document["relationships"]["operator"]["data"]
    name = _UNNAMED if operator is None else operator["attributes"]["name"]
    data = {"id": document["id"], "type": "charging_station", "attributes": attributes}
    data["relationships"] = {"operator": {"data": reference}}
    return compact({"data": data, "included": [dict(reference) | {"attributes": {"name": name}}]})


def company_data(document: Mapping[str, Any], version: int) -> dict[str, Any]:
    """Return a company as answers tell it: every key of its mapping, null where nothing is known."""
    attributes = dict(document["attributes"]) | {"version": version}
    mapping = attributes["external_source_mapping"]
    attributes["external_source_mapping"] = {name: mapping.get(name) for name in MAPPING_KEYS}
    return {
        "id": document["id"],
        "type": "company",
        "attributes": attributes,
        "relationships": dict(document["relationships"]),
    }
