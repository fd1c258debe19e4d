"""Be Chargeprice's charging stations and companies: lock versions, reads that hide, deletes.

Does no I/O and reads no clock. Before it: `chargeprice`, which knows routes and keys. After it: the ledger's documents
of the kinds "station" and "company", as they were put, by id in lower case.
Source: Chargeprice API, PUT /v2/charging_stations/:id, GET and DELETE /v1/charging_stations/:id, PUT and DELETE
/v1/companies/:id, GET /v1/companies. The 404 of a delete is ours: what is not there is not documented for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl

from pydantic import BaseModel, ConfigDict

from simulators.hubs.chargeprice_answers import NOT_AUTHORIZED, Call, company_data, station_text
from simulators.hubs.chargeprice_schemas import REPLACES, company_errors, is_uuid, parse, station_errors
from simulators.hubs.exchange import Judgement, Reply, compact, media_type_fault
from simulators.hubs.ledger import Change, Ledger

_PAGE_SIZE = 100


class ResourceOptions(BaseModel):
    """What the mock knows about stations and companies."""

    model_config = ConfigDict(extra="forbid")

    company_ids: tuple[str, ...] | None = None
    """Companies that the keys may write, and write statuses for; None: any UUID."""
    foreign_stations: tuple[str, ...] = ()
    """Stations that are not ours, or whose source is not "manual": they cannot be written (403)."""
    companies_with_tariffs: tuple[str, ...] = ()
    """Companies that cannot be deleted (400)."""
    versions: dict[str, int] = {}
    """Versions that others have written since, by id: what is held counts as being at this one, if that is higher."""


def put_station(call: Call, options: ResourceOptions, ledger: Ledger, now: float) -> Judgement:
    """Judge PUT /v2/charging_stations/:id."""
    del now
    station = call.ids[0].lower()
    body = parse(call.request.body)
    if errors := _errors(call, station_errors(body, station)):
        return call.refused(400, "; ".join(errors)[:200], broken=tuple(errors))
    data = body["data"]
    replaced = data.get("meta", {}).get(REPLACES, "").lower()
    call = replace(call, records=((station, f"version {data['attributes']['version']}"),))
    if station in _lowered(options.foreign_stations):
        return call.refused(403, NOT_AUTHORIZED)
    document = _document(station, data)
    operator = ledger.document("company", data["relationships"]["operator"]["data"]["id"].lower())
    text = station_text(document, data["attributes"]["version"], operator)
    gone = {("station", replaced): None} if replaced else {}
    return _put(call, "station", document, text, options, ledger, gone)


def put_company(call: Call, options: ResourceOptions, ledger: Ledger, now: float) -> Judgement:
    """Judge PUT /v1/companies/:id at `now`, in seconds since 1970."""
    company = call.ids[0].lower()
    body = parse(call.request.body)
    if errors := _errors(call, company_errors(body, company)):
        return call.refused(400, "; ".join(errors)[:200], broken=tuple(errors))
    document = _document(company, body["data"])
    version = document["attributes"]["version"]
    call = replace(call, records=((company, f"version {version}"),))
    if not _is_ours(company, options):
        return call.refused(403, NOT_AUTHORIZED)
    held = ledger.document("company", company)
    moment = int(now * 1000)
    created = moment if held is None else held["attributes"]["created_at"]
    document["attributes"] |= {"created_at": created, "updated_at": moment}
    return _put(call, "company", document, compact({"data": company_data(document, version)}), options, ledger)


def show_station(call: Call, options: ResourceOptions, ledger: Ledger, now: float) -> Judgement:
    """Judge GET /v1/charging_stations/:id, by id or EVSE id: what is not operational is not found."""
    del now
    wanted = call.ids[0]
    call = replace(call, records=((wanted.lower() if is_uuid(wanted) else wanted, ""),))
    if wrong := [name for name, _ in parse_qsl(call.request.query) if name != "availability"]:
        return _bad_query(call, f"unknown parameter {wrong[0][:50]}")
    for document in ledger.documents("station").values():
        if _is_called(document, wanted) and document["attributes"]["status"] == "operational":
            version = _version(document, options)
            operator = ledger.document("company", document["relationships"]["operator"]["data"]["id"].lower())
            return call.accepted(Reply(200, station_text(document, version, operator)))
    return call.refused(404, f"charging station {wanted[:100]}")


def list_companies(call: Call, options: ResourceOptions, ledger: Ledger, now: float) -> Judgement:
    """Judge GET /v1/companies with filter[id], page[size] and page[number]; the other filters are not played."""
    del now
    query = dict(parse_qsl(call.request.query, keep_blank_values=True))
    if wrong := set(query) - {"filter[id]", "page[size]", "page[number]"}:
        return _bad_query(call, f"parameter {sorted(wrong)[0][:50]} is not known here")
    size, number = query.get("page[size]", str(_PAGE_SIZE)), query.get("page[number]", "1")
    if not (_is_positive(size) and _is_positive(number) and int(size) <= _PAGE_SIZE):
        return _bad_query(call, f"page[size] must be from 1 to {_PAGE_SIZE}, and page[number] from 1")
    wanted = None if "filter[id]" not in query else _lowered(query["filter[id]"].split(","))
    if wanted is not None:
        call = replace(call, records=tuple((company, "") for company in sorted(wanted)))
    found = [held for company, held in ledger.documents("company").items() if wanted is None or company in wanted]
    page = found[(int(number) - 1) * int(size) : int(number) * int(size)]
    listed = [company_data(document, _version(document, options)) for document in page]
    return call.accepted(Reply(200, compact({"data": listed, "meta": {"overall_count": len(found)}})))


def delete_station(call: Call, options: ResourceOptions, ledger: Ledger, now: float) -> Judgement:
    """Judge DELETE /v1/charging_stations/:id."""
    del now
    allowed = call.ids[0].lower() not in _lowered(options.foreign_stations)
    return _delete(call, "station", allowed, ledger)


def delete_company(call: Call, options: ResourceOptions, ledger: Ledger, now: float) -> Judgement:
    """Judge DELETE /v1/companies/:id: one that has tariffs stays."""
    del now
    company = call.ids[0].lower()
    if company in _lowered(options.companies_with_tariffs):
        call = replace(call, records=((company, ""),))
        return call.refused(400, "Company still has tariffs. Delete or move the tariffs before deleting the company.")
    return _delete(call, "company", _is_ours(company, options), ledger)


def _put(
    call: Call,
    kind: str,
    document: dict[str, Any],
    text: str,
    options: ResourceOptions,
    ledger: Ledger,
    gone: Mapping[tuple[str, str], None] | None = None,
) -> Judgement:
    """Take the document where its lock version is the next one, or 1 where nothing is held."""
    name = (kind, document["id"])
    held = ledger.document(*name)
    following = 1 if held is None else _version(held, options) + 1
    if document["attributes"]["version"] != following:
        return call.refused(409, "Version conflict")
    change = Change(documents={**(gone or {}), name: document}, expected={name: held})
    return call.accepted(Reply(201 if held is None else 200, text), change)


def _delete(call: Call, kind: str, allowed: bool, ledger: Ledger) -> Judgement:
    name = (kind, call.ids[0].lower())
    call = replace(call, records=((name[1], ""),))
    if not is_uuid(name[1]):
        return call.refused(400, "id is not a UUID", broken=("id is not a UUID",))
    if not allowed:
        return call.refused(403, NOT_AUTHORIZED)
    if ledger.document(*name) is None:
        return call.refused(404, f"{kind} {name[1]}")
    return call.accepted(Reply(204), Change(documents={name: None}))


def _errors(call: Call, of_body: list[str]) -> list[str]:
    wrong = media_type_fault(call.request)
    errors = [] if wrong is None else [wrong]
    if not is_uuid(call.ids[0]):
        errors.append("the id in the path is not a UUID")
    return errors + of_body


def _document(key: str, data: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: dict(data[name]) for name in ("attributes", "relationships")}
    return {"id": key, "type": data["type"], **kept}


def _version(document: Mapping[str, Any], options: ResourceOptions) -> int:
    written_by_others = {key.lower(): version for key, version in options.versions.items()}
    return max(int(document["attributes"]["version"]), written_by_others.get(document["id"], 0))


def _is_ours(company: str, options: ResourceOptions) -> bool:
    return options.company_ids is None or company in _lowered(options.company_ids)


def _is_called(document: Mapping[str, Any], name: str) -> bool:
    points = document["attributes"]["charge_points"]
    return document["id"] == name.lower() or any(name in point["evse_ids"] for point in points)


def _bad_query(call: Call, what: str) -> Judgement:
    return call.refused(400, what, broken=(what,))


def _is_positive(text: str) -> bool:
    return text.isascii() and text.isdigit() and int(text) > 0


def _lowered(ids: tuple[str, ...] | list[str]) -> set[str]:
    return {one.strip().lower() for one in ids}
