"""Check what is put to Chargeprice against its documents: one line per breach, every field, nothing unknown.

Does no I/O and knows nothing of what is held. Before it: `chargeprice` and `chargeprice_resources`, which judge.
Source: Chargeprice API, PUT .../charge_points/:charge_point_id/status [DRAFT]; PUT /v2/charging_stations/:id;
PUT /v1/companies/:id; enums (Plugs).
"""

from __future__ import annotations

import json
import math
import uuid
from collections.abc import Mapping
from typing import Any, TypeGuard

from simulators.hubs.exchange import unknown_and_missing

STATUSES = ("available", "occupied", "reserved", "maintainance", "unknown")
STATION_STATUSES = ("operational", "out_of_order", "removed", "under_construction")
PLUGS = ("ccs", "type2", "chademo", "schuko", "type1", "type3", "tesla_ccs", "tesla_suc", "ccs1", "nacs")
MAPPING_KEYS = (
    "plugsurfing_ids",
    "going_electric_names",
    "going_electric_charge_card_ids",
    "google_sheet_names",
    "open_charge_map_operator_ids",
)
REPLACES = "replaces_charging_staton_id"
"""Chargeprice's own spelling."""
COUNTRIES = tuple(
    """
    AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ
    CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO
    FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE
    JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO
    MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW
    PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM
    TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW
    """.split()  # noqa: SIM905 - a list of 249 literals would be a line each
)
"""ISO 3166-1 alpha-2."""

_STATION = {
    "name", "version", "latitude", "longitude", "country", "address", "status", "free_parking", "free_charging",
    "charge_points",
}  # fmt: skip
_POINT = {"plug", "power", "count", "evse_ids"}
_COMPANY = {"name", "version", "is_cpo", "is_emp", "external_source_mapping"}


def parse(raw: bytes) -> Any:
    """Return the JSON value, or None where it is none."""
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return None


def is_uuid(value: object) -> bool:
    """Tell whether this is a UUID as text, with its hyphens."""
    try:
        return isinstance(value, str) and str(uuid.UUID(value)) == value.lower()
    except ValueError:
        return False


def status_errors(body: object) -> list[str]:
    """Return one line per breach of a charge point status."""
    if not isinstance(body, dict) or not isinstance(body.get("data"), dict):
        return ["body: must be an object with an object data"]
    data = body["data"]
    errors = unknown_and_missing(body, {"data"}, set(), "")
    errors += unknown_and_missing(data, {"type", "attributes"}, set(), "data.")
    if data.get("type") != "charge_point_status":
        errors.append("data.type: must be charge_point_status")
    attributes = data.get("attributes")
    if not isinstance(attributes, dict):
        return [*errors, "data.attributes: must be an object"]
    errors += unknown_and_missing(attributes, {"status"}, {"valid_until"}, "data.attributes.")
    if attributes.get("status") not in STATUSES:
        errors.append(f"data.attributes.status: must be one of {', '.join(STATUSES)}")
    until = attributes.get("valid_until")
    if until is not None and (not _is_whole(until) or until < 10**11):
        errors.append("data.attributes.valid_until: must be milliseconds since 1970, or null")
    return errors


def station_errors(body: object, station: str) -> list[str]:
    """Return one line per breach of a charging station that is put under this id."""
    errors = _resource_errors(body, station, "charging_station", {"meta"})
    if not isinstance(body, dict) or not _is_resource(body.get("data")):
        return errors
    data = body["data"]
    errors += _attribute_errors(data["attributes"])
    errors += unknown_and_missing(data["relationships"], {"operator"}, set(), "data.relationships.")
    if "operator" in data["relationships"]:
        errors += _to_one_errors(data["relationships"]["operator"], "data.relationships.operator", "company")
    if "meta" in data:
        errors += _meta_errors(data["meta"], station)
    return errors


def company_errors(body: object, company: str) -> list[str]:
    """Return one line per breach of a company that is put under this id."""
    errors = _resource_errors(body, company, "company", set())
    if not isinstance(body, dict) or not _is_resource(body.get("data")):
        return errors
    attributes, relationships = body["data"]["attributes"], body["data"]["relationships"]
    errors += unknown_and_missing(attributes, _COMPANY, {"url"}, "data.attributes.")
    errors += _shared_errors(attributes)
    errors += [
        f"data.attributes.{name}: must be true or false"
        for name in ("is_cpo", "is_emp")
        if name in attributes and not isinstance(attributes[name], bool)
    ]
    if "url" in attributes and not _is_text(attributes["url"]):
        errors.append("data.attributes.url: must be a string that is not empty")
    if "external_source_mapping" in attributes:
        errors += _mapping_errors(attributes["external_source_mapping"])
    return errors + _company_relationship_errors(relationships)


def _resource_errors(body: object, resource: str, kind: str, optional: set[str]) -> list[str]:
    """Check the JSON:API frame around a resource."""
    if not isinstance(body, dict) or not isinstance(body.get("data"), dict):
        return ["body: must be an object with an object data"]
    data = body["data"]
    errors = unknown_and_missing(body, {"data"}, set(), "")
    errors += unknown_and_missing(data, {"id", "type", "attributes", "relationships"}, optional, "data.")
    if "id" in data and (not is_uuid(data["id"]) or data["id"].lower() != resource.lower()):
        errors.append("data.id: must be the UUID in the path")
    if data.get("type", kind) != kind:
        errors.append(f"data.type: must be {kind}")
    errors += [
        f"data.{name}: must be an object"
        for name in ("attributes", "relationships")
        if name in data and not isinstance(data[name], dict)
    ]
    return errors


def _is_resource(data: object) -> bool:
    return isinstance(data, dict) and all(isinstance(data.get(name), dict) for name in ("attributes", "relationships"))


def _shared_errors(attributes: Mapping[str, Any]) -> list[str]:
    errors = []
    if "name" in attributes and not _is_text(attributes["name"]):
        errors.append("data.attributes.name: must be a string that is not empty")
    if "version" in attributes and (not _is_whole(attributes["version"]) or attributes["version"] < 1):
        errors.append("data.attributes.version: must be a whole number from 1")
    return errors


def _attribute_errors(attributes: Mapping[str, Any]) -> list[str]:
    where = "data.attributes."
    errors = unknown_and_missing(attributes, _STATION, set(), where) + _shared_errors(attributes)
    for name, bound in (("latitude", 90), ("longitude", 180)):
        if name in attributes and (not _is_number(attributes[name]) or abs(attributes[name]) > bound):
            errors.append(f"{where}{name}: must be a number of degrees from -{bound} to {bound}")
    if "country" in attributes and attributes["country"] not in COUNTRIES:
        errors.append(f"{where}country: must be an ISO 3166-1 alpha-2 code")
    if "address" in attributes and not _is_text(attributes["address"]):
        errors.append(f"{where}address: must be a string that is not empty")
    if "status" in attributes and attributes["status"] not in STATION_STATUSES:
        errors.append(f"{where}status: must be one of {', '.join(STATION_STATUSES)}")
    for name in ("free_parking", "free_charging"):
        if not isinstance(attributes.get(name), bool | None):
            errors.append(f"{where}{name}: must be true, false or null")
    if "charge_points" in attributes:
        errors += _points_errors(attributes["charge_points"], f"{where}charge_points")
    return errors


def _points_errors(points: object, where: str) -> list[str]:
    if not isinstance(points, list):
        return [f"{where}: must be an array"]
    errors: list[str] = []
    for index, point in enumerate(points):
        errors += _point_errors(point, f"{where}[{index}]")
    return errors


def _point_errors(point: object, where: str) -> list[str]:
    if not isinstance(point, dict):
        return [f"{where}: must be an object"]
    errors = unknown_and_missing(point, _POINT, set(), f"{where}.")
    if "plug" in point and point["plug"] not in PLUGS:
        errors.append(f"{where}.plug: must be one of {', '.join(PLUGS)}")
    if "power" in point and (not _is_number(point["power"]) or point["power"] <= 0):
        errors.append(f"{where}.power: must be a number of kW above 0")
    if "count" in point and (not _is_whole(point["count"]) or point["count"] < 1):
        errors.append(f"{where}.count: must be a whole number from 1")
    ids = point.get("evse_ids", [])
    if not isinstance(ids, list) or not all(map(_is_text, ids)):
        errors.append(f"{where}.evse_ids: must be an array of strings that are not empty")
    return errors


def _meta_errors(meta: object, station: str) -> list[str]:
    if not isinstance(meta, dict):
        return ["data.meta: must be an object"]
    errors = unknown_and_missing(meta, set(), {REPLACES}, "data.meta.")
    replaced = meta.get(REPLACES, "")
    if REPLACES in meta and (not _is_text(replaced) or replaced.lower() == station.lower()):
        errors.append(f"data.meta.{REPLACES}: must be the id of another station")
    return errors


def _mapping_errors(mapping: object) -> list[str]:
    where = "data.attributes.external_source_mapping"
    if not isinstance(mapping, dict):
        return [f"{where}: must be an object"]
    errors = unknown_and_missing(mapping, set(), set(MAPPING_KEYS), f"{where}.")
    for name, names in mapping.items():
        listed = isinstance(names, list) and all(_is_text(one) or _is_whole(one) for one in names)
        if names is not None and not listed:
            errors.append(f"{where}.{name}: must be an array of names or ids, or null")
    return errors


def _company_relationship_errors(relationships: Mapping[str, Any]) -> list[str]:
    where = "data.relationships."
    groups = ("cpo_group", "emp_group")
    errors = unknown_and_missing(relationships, {"supported_emps"}, set(groups), where)
    if "supported_emps" in relationships:
        errors += _to_many_errors(relationships["supported_emps"], f"{where}supported_emps", "company")
    for name in groups:
        group = relationships.get(name)
        if group is not None and group != {"data": None}:
            errors += _to_one_errors(group, f"{where}{name}", None)
    return errors


def _to_one_errors(relationship: object, where: str, kind: str | None) -> list[str]:
    if not isinstance(relationship, dict) or set(relationship) != {"data"}:
        return [f"{where}: must be an object with data"]
    return _reference_errors(relationship["data"], f"{where}.data", kind)


def _to_many_errors(relationship: object, where: str, kind: str) -> list[str]:
    if not isinstance(relationship, dict) or not isinstance(relationship.get("data"), list) or len(relationship) != 1:
        return [f"{where}: must be an object with an array data"]
    errors: list[str] = []
    for index, reference in enumerate(relationship["data"]):
        errors += _reference_errors(reference, f"{where}.data[{index}]", kind)
    return errors


def _reference_errors(reference: object, where: str, kind: str | None) -> list[str]:
    """Check a resource identifier; None: Chargeprice does not document which type it has."""
    if not isinstance(reference, dict):
        return [f"{where}: must be an object with type and id"]
    errors = unknown_and_missing(reference, {"type", "id"}, set(), f"{where}.")
    if reference.get("type") != kind if kind is not None else not _is_text(reference.get("type")):
        errors.append(f"{where}.type: must be {kind or 'a string that is not empty'}")
    if not is_uuid(reference.get("id")):
        errors.append(f"{where}.id: must be a UUID")
    return errors


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _is_whole(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
