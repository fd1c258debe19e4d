"""Stations and companies against the mock Chargeprice: lock versions, conflicts, reads that tell nothing, deletions."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bridge.core.documents import DocumentKind, Learnt, Remote, canonical_json
from bridge.core.model import Accepted, Deferred, Held, Refused
from bridge.upstreams.chargeprice import Chargeprice, ChargepriceOptions
from bridge.upstreams.http import Timeouts
from bridge.upstreams.port import Document
from simulators.hubs.faults import FaultSpec

STATION = "20006f18-3ed4-4715-92b5-08e37e6dd18c"
REPLACED = "1a006f18-3ed4-4715-92b5-08e37e6dd183"
COMPANY = "1e49b853-36fc-47ed-9826-97828b5b2fdd"
EMP = "2e49b853-36fc-47ed-9826-97828b5b2fdd"
GROUP = "3e49b853-36fc-47ed-9826-97828b5b2fdd"

SPAR = {
    "id": STATION,
    "type": "charging_station",
    "attributes": {
        "name": "Spar",
        "latitude": 10.0,
        "longitude": 20.0,
        "country": "AT",
        "address": "Stangersdorf-Gewerbegebiet 110 A, 8403 Lebring",
        "free_parking": True,
        "free_charging": False,
        "status": "operational",
        "charge_points": [{"plug": "ccs", "power": 50.0, "count": 2, "evse_ids": ["AT*ION*E1234"]}],
    },
    "relationships": {"operator": {"data": {"type": "company", "id": COMPANY}}},
}
ENBW = {
    "id": COMPANY,
    "type": "company",
    "attributes": {
        "name": "EnBW",
        "url": "http://www.energy.com",
        "is_cpo": True,
        "is_emp": True,
        "external_source_mapping": {"going_electric_names": ["EnBW"]},
    },
    "relationships": {"supported_emps": {"data": [{"type": "company", "id": EMP}]}},
}


def station(version: int = 0, acked: str | None = None, **more: object) -> Document:
    data = {**SPAR, **{name: value for name, value in more.items() if name == "meta"}}
    data["attributes"] = {**SPAR["attributes"], **{name: value for name, value in more.items() if name != "meta"}}
    return Document(DocumentKind.STATION, STATION, canonical_json(data), acked, remote=Remote(version=version))


def company(version: int = 0, **relationships: object) -> Document:
    data = {**ENBW, "relationships": {**ENBW["relationships"], **relationships}}
    return Document(DocumentKind.COMPANY, COMPANY, canonical_json(data), remote=Remote(version=version))


def deletion(kind: DocumentKind, key: str) -> Document:
    return Document(kind, key, "", remote=Remote(version=3))


@pytest.fixture
async def hub(mocks):
    yield mocks.chargeprice
    assert mocks.chargeprice.ledger.violations() == []


@pytest.fixture
async def upstream(mocks):
    made = Chargeprice(ChargepriceOptions(mocks.chargeprice_url, COMPANY, "demo-key"))
    yield made
    await made.close()


def journal(hub) -> list[tuple[str, int]]:
    return [(entry["action"], entry["http"]) for entry in hub.ledger.journal()]


def held(hub, kind: str, key: str):
    return hub.ledger.document(kind, key)


def written_elsewhere(hub, key: str, version: int) -> None:
    """Somebody else writes: what is held counts as being at this version."""
    hub.hub.configure({"versions": {key: version}})


# --- stations -------------------------------------------------------------------------------------------------------


async def test_station_is_created_at_version_one_and_changed_at_the_next(hub, upstream) -> None:
    created = await upstream.push_document(station())
    changed = await upstream.push_document(station(created.learnt.version, name="Spar Lebring"))
    assert (created.outcome, created.http, created.learnt) == (Accepted(), 201, Learnt(version=1))
    assert (changed.outcome, changed.http, changed.learnt) == (Accepted(), 200, Learnt(version=2))
    assert held(hub, "station", STATION)["attributes"]["name"] == "Spar Lebring"
    assert (created.requests, changed.requests) == (1, 1)


async def test_version_that_somebody_else_wrote_is_read_and_followed(hub, upstream) -> None:
    await upstream.push_document(station())
    written_elsewhere(hub, STATION, 7)
    answer = await upstream.push_document(station(1, name="Spar Lebring"))
    assert (answer.outcome, answer.http, answer.learnt, answer.requests) == (Accepted(), 200, Learnt(version=8), 3)
    assert journal(hub) == [("station", 201), ("station", 409), ("read", 200), ("station", 200)]


async def test_station_of_unknown_version_is_found_by_its_conflict(hub, upstream) -> None:
    await upstream.push_document(station())
    answer = await upstream.push_document(station(0, name="Spar Lebring"))
    assert (answer.outcome, answer.learnt) == (Accepted(), Learnt(version=2))


async def test_lost_answer_is_healed_by_reading(hub, mocks) -> None:
    hasty = Timeouts(timedelta(seconds=5), timedelta(seconds=0.4))
    upstream = Chargeprice(ChargepriceOptions(mocks.chargeprice_url, COMPANY, "demo-key", timeouts=hasty))
    await hub.script(FaultSpec(kind="reset_after", count=1))
    lost = await upstream.push_document(station())
    again = await upstream.push_document(station())
    await upstream.close()
    assert isinstance(lost.outcome, Deferred)
    assert lost.outcome.in_doubt
    assert (again.outcome, again.learnt) == (Accepted(), Learnt(version=2))


@pytest.mark.parametrize("missed", [1, 2])
async def test_key_that_may_not_read_counts_on_and_holds_nothing(hub, upstream, missed) -> None:
    await upstream.push_document(station())
    hub.hub.configure({"read_keys": ["another-key"]})
    written_elsewhere(hub, STATION, 1 + missed)
    answer = await upstream.push_document(station(1, name="Spar Lebring"))
    assert (answer.outcome, answer.learnt) == (Accepted(), Learnt(version=2 + missed))
    assert answer.requests == 1 + 2 * missed


async def test_station_that_reads_hide_is_counted_on(hub, upstream) -> None:
    await upstream.push_document(station(status="out_of_order"))
    written_elsewhere(hub, STATION, 2)
    answer = await upstream.push_document(station(1, status="out_of_order", name="Spar Lebring"))
    assert (answer.outcome, answer.learnt) == (Accepted(), Learnt(version=3))
    assert ("read", 404) in journal(hub)


async def test_station_that_was_deleted_there_is_created_again(hub, upstream) -> None:
    answer = await upstream.push_document(station(8))
    assert (answer.outcome, answer.http, answer.learnt) == (Accepted(), 201, Learnt(version=1))


async def test_conflicts_without_an_end_are_shown_and_the_next_push_counts_on(hub, upstream) -> None:
    await upstream.push_document(station())
    hub.hub.configure({"read_keys": ["another-key"]})
    written_elsewhere(hub, STATION, 5)
    given_up = await upstream.push_document(station(1, name="Spar Lebring"))
    assert given_up.outcome == Refused(
        "HTTP 409: VERSION_CONFLICT Version conflict, 4 times: does something else write it, too?"
    )
    assert given_up.learnt == Learnt(version=4)
    again = await upstream.push_document(station(given_up.learnt.version, name="Spar Lebring"))
    assert (again.outcome, again.learnt) == (Accepted(), Learnt(version=6))


async def test_other_conflict_is_shown_and_not_answered(hub, upstream) -> None:
    await hub.script(FaultSpec(kind="status", status=409, code="ID_CONFLICT", description="id is taken"))
    answer = await upstream.push_document(station())
    assert (answer.outcome, answer.requests) == (Refused("HTTP 409: ID_CONFLICT id is taken"), 1)


async def test_hub_that_fails_while_it_is_read_leaves_nothing_in_doubt(hub, upstream) -> None:
    await upstream.push_document(station())
    await hub.script(FaultSpec(kind="status", status=409, code="VERSION_CONFLICT", count=1))
    await hub.script(FaultSpec(kind="status", status=500, action=("read",)))
    answer = await upstream.push_document(station(1, name="Spar Lebring"))
    assert isinstance(answer.outcome, Deferred)
    assert not answer.outcome.in_doubt
    assert answer.requests == 2


async def test_replacement_is_asked_for_until_it_was_acknowledged_once(hub, upstream) -> None:
    await upstream.push_document(Document(DocumentKind.STATION, REPLACED, _renamed(station().content, REPLACED)))
    first = station(meta={"replaces_charging_staton_id": REPLACED})
    await upstream.push_document(first)
    assert held(hub, "station", REPLACED) is None
    await upstream.push_document(Document(DocumentKind.STATION, REPLACED, _renamed(station().content, REPLACED)))
    changed = station(1, first.content, meta={"replaces_charging_staton_id": REPLACED}, name="Spar Lebring")
    answer = await upstream.push_document(changed)
    assert (answer.outcome, answer.http) == (Accepted(), 200)
    assert held(hub, "station", REPLACED) is not None


async def test_replacement_of_another_station_is_a_new_order(hub, upstream) -> None:
    first = station(meta={"replaces_charging_staton_id": REPLACED})
    await upstream.push_document(first)
    other = Document(DocumentKind.STATION, EMP, _renamed(station().content, EMP))
    await upstream.push_document(other)
    await upstream.push_document(station(1, first.content, meta={"replaces_charging_staton_id": EMP}))
    assert held(hub, "station", EMP) is None


def _renamed(content: str, key: str) -> str:
    return content.replace(STATION, key)


# --- companies ------------------------------------------------------------------------------------------------------


async def test_company_is_created_and_changed(hub, upstream) -> None:
    created = await upstream.push_document(company())
    changed = await upstream.push_document(company(created.learnt.version))
    assert (created.outcome, created.http, created.learnt) == (Accepted(), 201, Learnt(version=1))
    assert (changed.outcome, changed.http, changed.learnt) == (Accepted(), 200, Learnt(version=2))


async def test_groups_that_are_not_ours_to_set_outlive_a_change(hub, upstream) -> None:
    group = {"data": {"type": "company_group", "id": GROUP}}
    await upstream.push_document(company(cpo_group=group))
    await upstream.push_document(company(1))
    relationships = held(hub, "company", COMPANY)["relationships"]
    assert relationships == {**ENBW["relationships"], "cpo_group": group}


async def test_group_that_is_ours_to_set_is_set(hub, upstream) -> None:
    group = {"data": {"type": "company_group", "id": GROUP}}
    await upstream.push_document(company(cpo_group=group))
    await upstream.push_document(company(1, cpo_group={"data": None}))
    assert held(hub, "company", COMPANY)["relationships"]["cpo_group"] == {"data": None}


async def test_company_of_a_key_that_may_not_read_is_written_all_the_same(hub, upstream) -> None:
    hub.hub.configure({"read_keys": ["another-key"]})
    created = await upstream.push_document(company())
    written_elsewhere(hub, COMPANY, 2)
    changed = await upstream.push_document(company(1))
    assert (created.learnt, changed.outcome, changed.learnt) == (Learnt(version=1), Accepted(), Learnt(version=3))


# --- refusals and deletions -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("document", "what"), [(station(), "stations"), (company(), "companies")])
async def test_key_that_may_not_write_holds_and_says_what(hub, mocks, document, what) -> None:
    upstream = Chargeprice(ChargepriceOptions(mocks.chargeprice_url, COMPANY, "demo-key"))
    await hub.script(FaultSpec(kind="status", status=403, description="api_key not authorized to perform action"))
    answer = await upstream.push_document(document)
    await upstream.close()
    assert answer.outcome == Held(
        f"{what}: HTTP 403: FORBIDDEN api_key not authorized to perform action", perhaps_row=True
    )


async def test_foreign_station_reads_like_a_key_that_may_not_write(hub, upstream) -> None:
    hub.hub.configure({"foreign_stations": [STATION]})
    answer = await upstream.push_document(station())
    assert answer.outcome == Held(
        "stations: HTTP 403: FORBIDDEN api_key not authorized to perform action", perhaps_row=True
    )


@pytest.mark.parametrize(
    ("document", "kind"),
    [(station(), DocumentKind.STATION), (company(), DocumentKind.COMPANY)],
    ids=["station", "company"],
)
async def test_deletion_is_once_done_and_then_agreed(hub, upstream, document, kind) -> None:
    await upstream.push_document(document)
    gone = await upstream.push_document(deletion(kind, document.key))
    again = await upstream.push_document(deletion(kind, document.key))
    assert (gone.outcome, gone.http, again.outcome, again.http) == (Accepted(), 204, Accepted(), 404)
    assert held(hub, str(kind), document.key) is None


async def test_company_with_tariffs_is_not_deleted_and_says_why(hub, upstream) -> None:
    await upstream.push_document(company())
    hub.hub.configure({"companies_with_tariffs": [COMPANY]})
    answer = await upstream.push_document(deletion(DocumentKind.COMPANY, COMPANY))
    assert isinstance(answer.outcome, Refused)
    assert "Company still has tariffs" in answer.outcome.why


async def test_station_prefix_is_that_of_the_account(mocks) -> None:
    mocks.chargeprice.hub.configure({"station_prefix": "v1"})
    options = ChargepriceOptions(mocks.chargeprice_url, COMPANY, "demo-key", station_prefix="v1")
    upstream = Chargeprice(options)
    answer = await upstream.push_document(station())
    await upstream.close()
    assert answer.http == 201
    wrong = Chargeprice(ChargepriceOptions(mocks.chargeprice_url, COMPANY, "demo-key"))
    answer = await wrong.push_document(station(1))
    await wrong.close()
    assert answer.outcome == Held(
        "stations: HTTP 404: NO_ROUTE_FOUND no route found (base URL or API version is wrong)"
    )


async def test_request_is_chargeprices_example_byte_by_byte(raw_server) -> None:
    async def created(writer) -> None:
        writer.write(b"HTTP/1.1 201 Created\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}")

    server = await raw_server(created)
    upstream = Chargeprice(ChargepriceOptions(server.url, COMPANY, "my-secret-key"))
    answer = await upstream.push_document(station())
    await upstream.push_document(deletion(DocumentKind.STATION, STATION))
    await upstream.close()
    put, delete = (request.decode() for request in server.requests)
    assert put.startswith(f"PUT /v2/charging_stations/{STATION} HTTP/1.1\r\n")
    assert "Api-Key: my-secret-key" in put
    assert "Content-Type: application/json" in put
    assert delete.startswith(f"DELETE /v1/charging_stations/{STATION} HTTP/1.1\r\n")
    assert "Content-Type" not in delete
    assert answer.learnt == Learnt(version=1)
