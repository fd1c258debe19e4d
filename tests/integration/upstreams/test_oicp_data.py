"""Data of EVSEs against the mock Hubject over real sockets: actions, fullLoad, and what a status needs of it."""

import json
import time

import pytest

from bridge.core.documents import DocumentKind
from bridge.core.model import Accepted, Deferred, EvseId, Refused, WrongAction
from bridge.upstreams.oicp import Oicp, OicpOptions
from bridge.upstreams.port import Document, Record
from simulators.hubs.faults import FaultSpec
from simulators.hubs.hubject import HubjectOptions
from simulators.hubs.mocks import MockOptions, Mocks

RECORD = {
    "ChargingStationNames": [{"lang": "en", "value": "ABC Charging Station Test"}],
    "Address": {
        "City": "Berlin",
        "Country": "DEU",
        "HouseNum": "22",
        "PostalCode": "10829",
        "Street": "EUREF CAMPUS",
    },
    "GeoCoordinates": {"Google": {"Coordinates": "52.480495 13.356465"}},
    "Plugs": ["Type 2 Outlet"],
    "ChargingFacilities": [{"PowerType": "AC_3_PHASE", "Power": 22}],
    "RenewableEnergy": True,
    "CalibrationLawDataAvailability": "Local",
    "AuthenticationModes": ["NFC RFID Classic", "REMOTE"],
    "PaymentOptions": ["No Payment"],
    "ValueAddedServices": ["Reservation"],
    "Accessibility": "Restricted access",
    "HotlinePhoneNumber": "+49123123123123",
    "IsOpen24Hours": True,
    "IsHubjectCompatible": True,
    "DynamicInfoAvailable": "true",
}


@pytest.fixture
async def hubs():
    async with Mocks(MockOptions(hubject=HubjectOptions(needs_data=True))) as running:
        yield running


@pytest.fixture
async def upstream(hubs):
    made = Oicp(OicpOptions(hubs.hubject_url, "DE*ABC", data_operator_name="ABC technologies"))
    yield made
    await made.close()


def data(n, *, delete=False, **more):
    content = "" if delete else json.dumps({**RECORD, **more.pop("fields", {})})
    return Document(DocumentKind.EVSE_DATA, f"DE*ABC*E{n}", content, **more)


def held(hubs):
    return set(hubs.hubject.ledger.documents("evse_data"))


async def test_full_load_of_data_replaces_all_of_it(hubs, upstream):
    await upstream.full_load_documents([data(1), data(2), data(3)])
    answer = await upstream.full_load_documents([data(2), data(3)])
    assert (answer.outcome, answer.code, len(answer.reference)) == (Accepted(), "000", 36)
    assert held(hubs) == {"DE*ABC*E2", "DE*ABC*E3"}
    assert hubs.hubject.ledger.violations() == []


async def test_update_of_what_is_not_there_is_to_be_an_insert_and_back(hubs, upstream):
    outcome = (await upstream.push_document(data(1, known=True))).outcome
    assert isinstance(outcome, WrongAction)
    assert outcome.known is False
    assert (await upstream.push_document(data(1, known=False))).outcome == Accepted()
    outcome = (await upstream.push_document(data(1, known=False))).outcome
    assert isinstance(outcome, WrongAction)
    assert outcome.known is True
    assert (await upstream.push_document(data(1, known=True, fields={"RenewableEnergy": False}))).outcome == Accepted()
    assert hubs.hubject.ledger.document("evse_data", "DE*ABC*E1")["RenewableEnergy"] is False


@pytest.mark.parametrize("acked", [None, json.dumps(RECORD)], ids=["never acknowledged", "acknowledged"])
async def test_removed_evse_loses_its_data(hubs, upstream, acked):
    await upstream.push_document(data(1, known=False))
    answer = await upstream.push_document(data(1, delete=True, acked=acked, known=True))
    assert answer.outcome == Accepted()
    assert held(hubs) == set()


async def test_deletion_of_what_is_gone_already_is_done(upstream):
    assert (await upstream.push_document(data(1, delete=True, known=True))).outcome == Accepted()


async def test_full_load_names_the_evse_whose_data_is_wrong(hubs, upstream):
    answer = await upstream.full_load_documents([data(1), data(2, fields={"Plugs": ["Unspecified"]}), data(3)])
    assert answer.http == 400
    assert isinstance(answer.outcome, Refused)
    assert answer.outcome.named == ("DEABCE2",)
    assert held(hubs) == set()


async def test_status_of_an_evse_without_data_is_refused_until_it_has_some(hubs, upstream):
    status = Record(EvseId("DE*ABC*E1"), "Available", known=False)
    refused = (await upstream.push(status)).outcome
    assert isinstance(refused, Refused)
    assert refused.why.startswith("603 ")
    await upstream.push_document(data(1, known=False))
    assert (await upstream.push(status)).outcome == Accepted()
    assert hubs.hubject.ledger.state(time.time()) == {"DE*ABC*E1": "Available"}


async def test_lost_answer_to_data_is_doubt(hubs, upstream):
    await hubs.hubject.script(FaultSpec(kind="reset_after"))
    outcome = (await upstream.push_document(data(1, known=False))).outcome
    assert isinstance(outcome, Deferred)
    assert outcome.in_doubt
    assert held(hubs) == {"DE*ABC*E1"}
