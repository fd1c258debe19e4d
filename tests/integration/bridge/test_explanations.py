"""Explanations over the real store: the whole page of one EVSE, and that its status is always the stored one."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest
from pydantic import SecretStr
from test_events import SETTINGS
from tests_bridge import Bridge, FakeUpstream, running, until

from bridge.app.explanations import StoreExplanations
from bridge.core.effective import EffectiveOptions
from bridge.core.model import Accepted, AccountName, Outcome, Refused
from bridge.core.modes import Mode
from bridge.derive import DeriveOptions
from bridge.edits import ModeOrder, set_modes
from bridge.settings import Account, SpiriiAccount
from bridge.upstreams.port import Record
from bridge.web.services import NotFound, ValueRefused
from csms.events import OcppVersion, StationDisconnected, StationId


@pytest.fixture
def explanations(bridge: Bridge) -> StoreExplanations:
    return StoreExplanations(SETTINGS, bridge.store, clock=bridge.clock, derive=bridge.options)


async def test_one_page_says_all_there_is_to_say(bridge: Bridge, explanations: StoreExplanations):
    def answer(record: Record) -> Outcome:
        return Refused("018: duplicate") if record.value == "Occupied" else Accepted()

    epoch = await bridge.connect("one")
    upstream = FakeUpstream(answer=answer)
    async with running(bridge.lane(upstream)):
        await bridge.report("one", epoch, 2, "Unavailable")
        await until(lambda: any(record.value == "OutOfService" for record in upstream.pushed))
        bridge.clock.pass_(seconds=3)
        await bridge.report("one", epoch, 1, "Charging")
        await until(lambda: any(record.value == "Occupied" for record in upstream.pushed))
    bridge.clock.pass_(seconds=75)
    found = await explanations.of_evse("de.abc.e1-1")
    assert list(found.text) == [
        "DE*ABC*E1*1 is charging since 12:00:03 UTC: connector 1 reported Charging.",
        "one is connected since 12:00:00 UTC over ocpp1.6, last heard 1 min ago.",
        "",
        "What was reported:",
        "  connector 1: Charging by StatusNotification, 1 min ago",
        "",
        "How that became the status:",
        "  1. The EVSE is charging: connector 1 reported Charging.",
        "  2. No transaction is known of this EVSE.",
        "  3. There is no report about the EVSE or the station as a whole.",
        "  4. The station is not declared unreachable.",
        "  5. Nothing is held.",
        "  6. No temporary status is in force.",
        "  7. The EVSE is charging.",
        "",
        "Until when:",
        "  12:15:03 UTC: the station is declared unreachable, unless it is heard before",
        "",
        "hubject (oicp, live):",
        "  It should have Occupied: the hub's word for charging is Occupied.",
        "  It acknowledged Unknown at 12:00:00 UTC.",
        "  The hub refuses it (018: duplicate); it is tried again at 18:00:03 UTC, or at once when its value changes.",
        "  Last attempts, the newest first:",
        "    12:00:03 UTC Occupied: refused after 0 ms, HTTP 200, code 000: 018: duplicate",
        "    12:00:00 UTC Unknown: accepted after 0 ms, HTTP 200, code 000",
        "",
        "chargeprice (chargeprice, live):",
        "  It should have occupied: the hub's word for charging is occupied.",
        "  It has acknowledged nothing yet.",
        "  It is due now, and goes out as soon as those before it are sent.",
    ]
    hub = found.hubs[0]
    assert (hub.account, hub.next, hub.why, hub.agreed) == ("hubject", "refused", "018: duplicate", False)
    assert [attempt.outcome for attempt in hub.attempts] == ["refused", "accepted"]


async def test_doubts_are_told_with_their_reason(bridge: Bridge, explanations: StoreExplanations):
    epoch = await bridge.connect("two", OcppVersion.V201)
    await bridge.report("two", epoch, 1, "Occupied", evse=1, version=OcppVersion.V201)
    await bridge.intake.record(StationDisconnected(StationId("two"), epoch))
    bridge.prober.open.clear()
    for _ in range(3):
        bridge.clock.pass_(minutes=20)
        await bridge.ticker.tick()
    found = await explanations.of_evse("DE*ABC*E2*1")
    assert (found.status, found.facts[0].doubt) == ("unknown", "the station is declared unreachable since")
    assert found.connection.connected is False
    assert found.connection.text.startswith("two is not connected since 12:00:00 UTC, last heard")
    assert "It is declared unreachable since" in found.connection.text
    assert [step.text for step in found.steps if step.changed] == [
        "The station is declared unreachable: occupied becomes unknown."
    ]


async def test_the_id_may_be_written_in_any_way_and_near_misses_are_named(
    bridge: Bridge, explanations: StoreExplanations
):
    assert (await explanations.of_evse("deabce21")).evse_id == "DE*ABC*E2*1"
    with pytest.raises(NotFound) as missing:
        await explanations.of_evse("DE*ABC*E2*3")
    assert str(missing.value) == (
        "there is no EVSE 'DE*ABC*E2*3' in the inventory; did you mean DE*ABC*E2*2 or DE*ABC*E2*1 or DE*ABC*E1*2?"
    )
    for nonsense in ("", "*", "ß", "' OR 1=1", "x" * 5000):
        with pytest.raises(NotFound):
            await explanations.of_evse(nonsense)
    await bridge.import_(
        "station,version,key,connector,evse_id,operator\n"
        "three,1.6,0123456789abcdef,1,DE*ABC*E3*11,demo\nthree,,,2,DE*ABC*E31*1,demo\n"
    )
    with pytest.raises(ValueRefused, match=r"may be DE\*ABC\*E3\*11 and DE\*ABC\*E31\*1"):
        await explanations.of_evse("DEABCE311")


async def test_evses_of_other_operators_are_not_there(bridge: Bridge, explanations: StoreExplanations):
    found = await explanations.of_evse("DE*ABC*E1*1", frozenset({"demo"}))
    assert found.operator == "demo"
    with pytest.raises(NotFound) as missing:
        await explanations.of_evse("DE*ABC*E1*1", frozenset({"other"}))
    assert str(missing.value) == "there is no EVSE 'DE*ABC*E1*1' in the inventory"


async def test_an_account_that_is_off_says_so(bridge: Bridge, explanations: StoreExplanations):
    off = SETTINGS.model_copy(
        update={
            "accounts": {
                name: account.model_copy(update={"mode": Mode.OFF}) for name, account in SETTINGS.accounts.items()
            }
        }
    )
    found = await StoreExplanations(off, bridge.store, clock=bridge.clock, derive=bridge.options).of_evse("DE*ABC*E1*1")
    assert found.hubs[0].next == "off"
    assert "The account is off: nothing is sent until it is enabled." in found.hubs[0].text


async def test_an_account_that_is_not_told_of_the_evse_is_shown_in_its_mode(bridge: Bridge):
    accounts = SETTINGS.accounts | {"second": SETTINGS.accounts["chargeprice"].model_copy(update={"mode": None})}
    settings = SETTINGS.model_copy(update={"accounts": accounts})
    await bridge.writer.submit(set_modes, ModeOrder(AccountName("second"), Mode.LIVE, "me", False, bridge.clock()))
    explanations = StoreExplanations(settings, bridge.store, clock=bridge.clock, derive=bridge.options)
    hub = (await explanations.of_evse("DE*ABC*E1*1")).hubs[2]
    assert (hub.account, hub.mode, hub.told) == ("second", "live", False)
    assert hub.text == ("It is not told of this EVSE: the operator demo does not refer to the account.",)


@pytest.mark.parametrize(
    ("accounts", "said"),
    [
        pytest.param({}, "No hub account is set up: nobody is told.", id="no-account"),
        pytest.param(
            {"spirii": SpiriiAccount(kind="spirii", base_url="http://127.0.0.1:1", api_key=SecretStr("k" * 16))},
            "No hub account is set up: nobody is told.",
            id="temporary-statuses-alone",
        ),
        pytest.param(
            SETTINGS.accounts,
            "No hub account serves the operator demo: nobody is told. "
            "The accounts that serve it are those of [operators.demo] in the configuration.",
            id="none-serves-the-operator",
        ),
    ],
)
async def test_where_nobody_is_told_the_page_says_so_and_why(bridge: Bridge, accounts: dict[str, Account], said: str):
    settings = SETTINGS.model_copy(update={"accounts": accounts})
    alone = DeriveOptions(EffectiveOptions(timedelta(seconds=2)), {"demo": ()})
    found = await StoreExplanations(settings, bridge.store, clock=bridge.clock, derive=alone).of_evse("DE*ABC*E1*1")
    assert found.nobody == said
    assert found.text[found.text.index("Hubs:") + 1] == f"  {said}"


async def test_nothing_is_said_of_nobody_where_an_account_is_told(explanations: StoreExplanations):
    found = await explanations.of_evse("DE*ABC*E1*1")
    assert (found.nobody, "Hubs:" in found.text) == ("", False)


@pytest.mark.parametrize("seed", range(4))
async def test_the_explained_status_is_the_stored_one_whatever_happens(
    bridge: Bridge, explanations: StoreExplanations, seed: int
):
    chance = random.Random(seed)
    epochs = {"one": await bridge.connect("one"), "two": await bridge.connect("two", OcppVersion.V201)}
    for _ in range(40):
        bridge.clock.pass_(seconds=chance.choice((0, 0.4, 1.5, 2.5, 70, 1000)))
        match chance.randrange(5):
            case 0:
                await bridge.ticker.tick()
            case 1:
                begins = bridge.clock.now + timedelta(milliseconds=chance.randrange(5000))
                await bridge.temporary(
                    chance.choice(("DE*ABC*E1*1", "DE*ABC*E2*1")),
                    kind=chance.choice(("MAINTENANCE", "BLOCKED", "RESERVED")),
                    begins=begins,
                    ends=begins + timedelta(seconds=chance.choice((1, 60, 600))),
                )
            case 2:
                status = chance.choice(("Available", "Occupied", "Unavailable", "Faulted"))
                await bridge.report("two", epochs["two"], 1, status, evse=1, version=OcppVersion.V201)
            case _:
                status = chance.choice(("Available", "Charging", "Faulted", "Preparing"))
                await bridge.report("one", epochs["one"], chance.choice((0, 1)), status)
        for evse_id in ("DE*ABC*E1*1", "DE*ABC*E2*1"):
            found = await explanations.of_evse(evse_id)
            assert found.status == await bridge.effective(evse_id)
            assert found.steps[-2].status == found.status
            assert found.steps[-1].status == found.status
