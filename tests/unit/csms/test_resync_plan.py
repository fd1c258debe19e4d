from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from csms.commands import Answered, CallFailed, Gone, Outcome, TimedOut, Unreadable
from csms.events import ConnectorAddress, OcppVersion, ResyncOutcome
from csms.options import ServerOptions
from csms.quirk_settings import QuirkSettings
from csms.resync_plan import (
    STATION,
    Ask,
    AskBoot,
    Conclude,
    Finish,
    GoOnWithoutBoot,
    Plan,
    Step,
    Wait,
    askable,
    refused,
    trigger_payload,
)

V16, V201, V21 = OcppVersion.V16, OcppVersion.V201, OcppVersion.V21
ONE, TWO = ConnectorAddress(0, 1), ConnectorAddress(0, 2)
OPTIONS = ServerOptions()  # design §8: 10 s for a first CALL, 5 s to settle, 30 s after a Boot


def plan(
    connectors: tuple[ConnectorAddress, ...] = (ONE, TWO),
    *,
    version: OcppVersion = V16,
    options: ServerOptions = OPTIONS,
    jitter: float = 0.0,
    accepted: bool = True,
    refuses: bool = False,
    firmware: str | None = None,
) -> Plan:
    return Plan(
        version,
        connectors,
        options,
        now=100.0,
        jitter=jitter,
        accepted=accepted,
        refuses=refuses,
        firmware=firmware,
    )


def test_silent_connection_is_asked_after_the_wait_for_a_first_call_and_the_settle_time() -> None:
    asked = plan()
    assert asked.step(100.0) == Wait(115.0)
    assert asked.step(114.9) == Wait(115.0)
    assert asked.step(115.0) == Ask(ONE)


def test_first_call_starts_the_settle_time_and_later_calls_do_not_prolong_it() -> None:
    asked = plan()
    asked.called(102.0)
    asked.called(106.0)
    assert asked.step(106.0) == Wait(107.0)
    assert asked.step(107.0) == Ask(ONE)


def test_boot_gives_the_station_thirty_seconds() -> None:
    asked = plan()
    asked.called(101.0)
    asked.booted(101.0, "1.0")
    assert asked.step(107.0) == Wait(131.0)
    assert asked.step(131.0) == Ask(ONE)


def test_the_fleet_is_spread_by_the_jitter() -> None:
    options = replace(OPTIONS, trigger_spread=timedelta(seconds=120))
    asked = plan(options=options, jitter=0.5)
    assert asked.step(115.0) == Wait(175.0)


def test_connectors_are_asked_in_order_and_those_that_reported_are_not() -> None:
    asked = plan()
    asked.reported(ONE)
    assert asked.step(115.0) == Ask(TWO)
    asked.concluded(TWO, ResyncOutcome.TIMED_OUT)
    assert asked.step(175.0) == Finish()
    asked.finish()
    assert asked.step(176.0) == Wait(None)


def test_nothing_to_ask_still_finishes_once() -> None:
    asked = plan(())
    assert asked.step(100.0) == Wait(115.0)
    assert asked.step(115.0) == Finish()
    asked.finish()
    assert asked.step(115.0) == Wait(None)


def test_station_that_refused_is_concluded_without_a_question() -> None:
    asked = plan()
    asked.refuse()
    assert asked.step(115.0) == Conclude(ONE, ResyncOutcome.REFUSED)
    asked.concluded(ONE, ResyncOutcome.REFUSED)
    assert asked.step(115.0) == Conclude(TWO, ResyncOutcome.REFUSED)


def test_station_known_to_refuse_is_never_asked() -> None:
    assert plan(refuses=True).step(115.0) == Conclude(ONE, ResyncOutcome.REFUSED)


def test_station_that_never_was_accepted_is_asked_to_boot_once_and_for_its_statuses_after_that() -> None:
    asked = plan(accepted=False)
    asked.called(102.0)
    assert asked.step(102.0) == Wait(107.0)
    assert asked.step(107.0) == AskBoot()
    asked.boot_asked()
    assert asked.step(10_000.0) == Wait(None)
    asked.booted(10_000.0, "1.0")
    asked.accepted()
    assert asked.step(10_000.0) == Wait(10_030.0)
    assert asked.step(10_030.0) == Ask(ONE)


def test_boot_that_storage_lost_is_asked_for_again() -> None:
    asked = plan(accepted=False)
    asked.boot_asked()
    asked.lost(120.0)
    assert asked.step(120.0) == Wait(121.0)
    assert asked.step(121.0) == AskBoot()


def test_16_station_that_does_not_boot_when_asked_goes_on_without() -> None:
    asked = plan(accepted=False)
    asked.boot_asked()
    assert asked.boot_missing()
    assert asked.step(175.0) == Ask(ONE)


def test_201_station_that_does_not_boot_when_asked_stays_refused() -> None:
    asked = plan((ConnectorAddress(1, 1),), version=V201, accepted=False)
    asked.boot_asked()
    assert not asked.boot_missing()
    assert asked.step(175.0) == Wait(None)


@pytest.mark.parametrize(
    ("known", "booted", "step"),
    [
        pytest.param("1.0", "1.1", Ask(ONE), id="another-firmware-may-do-it"),
        pytest.param("1.0", "1.0", Conclude(ONE, ResyncOutcome.REFUSED), id="the-same-one-still-refuses"),
        pytest.param(None, "1.0", Conclude(ONE, ResyncOutcome.REFUSED), id="nobody-knows-the-old-one"),
    ],
)
def test_refusal_is_about_one_firmware(known: str | None, booted: str, step: Step) -> None:
    asked = plan(refuses=True, firmware=known)
    asked.booted(100.0, booted)
    assert asked.step(130.0) == step


def test_lost_status_of_the_station_itself_is_asked_for_until_it_is_recorded() -> None:
    asked = plan((ONE,))
    asked.reported(ONE)
    asked.finish()
    asked.lost(500.0, [STATION])
    assert asked.step(501.0) == Ask(STATION)
    asked.lost(501.0, [ONE])
    assert asked.step(503.0) == Ask(STATION)
    asked.reported(STATION)
    assert asked.step(503.0) == Ask(ONE)


def test_lost_status_of_the_station_itself_is_not_asked_for_after_a_boot() -> None:
    asked = plan((ONE,))
    asked.lost(500.0, [STATION])
    asked.booted(501.0, "1.0")
    assert asked.step(531.0) == Ask(ONE)


def test_lost_status_above_the_connectors_of_201_ends_without_a_question() -> None:
    asked = plan((), version=V201)
    asked.lost(500.0, [ConnectorAddress(1, 0)])
    assert asked.step(501.0) == Conclude(ConnectorAddress(1, 0), ResyncOutcome.TIMED_OUT)


def test_only_the_first_report_of_an_address_is_news() -> None:
    asked = plan()
    assert asked.reported(ONE)
    assert not asked.reported(ONE)
    asked.set_back(100.0)
    assert asked.reported(ONE)


def test_boot_after_the_end_asks_everything_afresh() -> None:
    asked = plan()
    for address in (ONE, TWO):
        asked.reported(address)
    asked.finish()
    before = asked.round
    asked.booted(500.0, "1.0")
    assert asked.round == before + 1
    assert asked.step(529.0) == Wait(530.0)
    assert asked.step(530.0) == Ask(ONE)


def test_what_storage_lost_is_asked_again_with_growing_waits_until_it_is_recorded() -> None:
    asked = plan((ONE,))
    asked.reported(ONE)
    asked.finish()
    waits, now = [], 500.0
    for _ in range(8):
        asked.lost(now)
        step = asked.step(now)
        assert isinstance(step, Wait)
        assert step.until is not None
        waits.append(step.until - now)
        now = step.until
        assert asked.step(now) == Ask(ONE)
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60]
    asked.reported(ONE)
    assert asked.step(now) == Finish()
    asked.finish()
    asked.lost(now)
    assert asked.step(now) == Wait(now + 1)


def test_several_losses_during_one_wait_do_not_prolong_it() -> None:
    asked = plan((ONE,))
    for now in (500.0, 500.1, 500.2):
        asked.lost(now)
    assert asked.step(500.3) == Wait(501.0)


def test_outcome_that_could_not_be_recorded_waits_and_what_was_reported_stays() -> None:
    asked = plan()
    asked.reported(ONE)
    asked.set_back(120.0)
    assert asked.step(120.0) == Wait(121.0)
    assert asked.step(121.0) == Ask(TWO)


def test_address_of_another_version_ends_without_a_question() -> None:
    asked = plan((ConnectorAddress(1, 1),))
    assert asked.step(115.0) == Conclude(ConnectorAddress(1, 1), ResyncOutcome.TIMED_OUT)


def test_the_station_as_a_whole_is_never_a_question() -> None:
    assert plan((ConnectorAddress(0, 0),)).step(115.0) == Finish()


@pytest.mark.parametrize(
    ("version", "address", "payload"),
    [
        # OCPP 1.6 §6.51 TriggerMessage.req
        pytest.param(V16, TWO, {"requestedMessage": "StatusNotification", "connectorId": 2}, id="1.6"),
        pytest.param(V16, STATION, {"requestedMessage": "StatusNotification"}, id="1.6-station"),
        # OCPP 2.0.1 Part 2 TriggerMessageRequest, EVSEType
        pytest.param(
            V201,
            ConnectorAddress(3, 2),
            {"requestedMessage": "StatusNotification", "evse": {"id": 3, "connectorId": 2}},
            id="2.0.1",
        ),
        pytest.param(
            V21,
            ConnectorAddress(3, 2),
            {"requestedMessage": "StatusNotification", "evse": {"id": 3, "connectorId": 2}},
            id="2.1",
        ),
    ],
)
def test_trigger_names_one_address(version: OcppVersion, address: ConnectorAddress, payload: dict[str, object]) -> None:
    assert trigger_payload(version, address) == payload


@pytest.mark.parametrize(
    ("version", "address", "possible"),
    [
        pytest.param(V16, ConnectorAddress(0, 1), True, id="1.6-connector"),
        pytest.param(V16, ConnectorAddress(0, 0), True, id="1.6-station"),
        pytest.param(V16, ConnectorAddress(1, 1), False, id="1.6-evse"),
        pytest.param(V201, ConnectorAddress(1, 1), True, id="2.0.1-connector"),
        pytest.param(V201, ConnectorAddress(1, 0), False, id="2.0.1-evse"),
        pytest.param(V201, ConnectorAddress(0, 1), False, id="2.0.1-without-evse"),
        pytest.param(V21, ConnectorAddress(1, 1), True, id="2.1-connector"),
        pytest.param(V21, ConnectorAddress(1, 0), False, id="2.1-evse"),
        pytest.param(V21, ConnectorAddress(0, 1), False, id="2.1-without-evse"),
    ],
)
def test_connectors_can_be_asked_and_the_station_in_16_only(
    version: OcppVersion, address: ConnectorAddress, possible: bool
) -> None:
    assert askable(version, address) is possible


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        # OCPP 1.6 TriggerMessageStatus, OCPP 2.0.1 TriggerMessageStatusEnumType
        pytest.param(Answered({"status": "Accepted"}), False, id="accepted"),
        pytest.param(Answered({"status": "Rejected"}), True, id="rejected"),
        pytest.param(Answered({"status": "NotImplemented"}), True, id="not-implemented"),
        pytest.param(Answered({}), True, id="nonsense"),
        pytest.param(CallFailed("NotSupported"), True, id="call-error"),
        pytest.param(Unreadable(), False, id="unreadable"),
        pytest.param(TimedOut(), False, id="timed-out"),
        pytest.param(Gone(), False, id="gone"),
    ],
)
def test_refusals(outcome: Outcome, expected: bool) -> None:
    assert refused(outcome) is expected


@pytest.mark.parametrize("version", [V16, V201])
def test_a_station_in_quarantine_is_asked_for_one_boot_and_never_goes_on_without(version: OcppVersion) -> None:
    asked = Plan(version, (), OPTIONS, now=100.0, jitter=0.0, accepted=False, refuses=False, quarantined=True)
    assert asked.step(115.0) == AskBoot()
    asked.boot_asked()
    assert not asked.boot_missing()
    assert asked.step(1000.0) == Wait(None)


def test_a_station_in_quarantine_that_boots_by_itself_is_asked_for_nothing() -> None:
    asked = Plan(V16, (), OPTIONS, now=100.0, jitter=0.0, accepted=False, refuses=False, quarantined=True)
    asked.booted(101.0, "1.0")
    assert asked.step(1000.0) == Wait(None)


def adapted(quirks: QuirkSettings, options: ServerOptions = OPTIONS, **other: Any) -> Plan:
    asked = plan(**other)
    asked.adapt(options, quirks)
    return asked


def test_station_that_must_never_be_triggered_is_given_up_without_a_refusal_to_remember() -> None:
    asked = adapted(QuirkSettings(never_trigger=True))
    assert asked.step(115.0) == Conclude(ONE, ResyncOutcome.TIMED_OUT)


@pytest.mark.parametrize(("version", "accepted"), [(V16, True), (V201, False)])
def test_station_that_must_not_be_asked_to_boot_is_not_asked(version: OcppVersion, accepted: bool) -> None:
    asked = adapted(QuirkSettings(never_trigger_boot=True), version=version, accepted=False)
    assert asked.step(115.0) == GoOnWithoutBoot()
    asked.boot_asked()
    assert asked.boot_missing() is accepted
    assert asked.step(115.0) == (Ask(ONE) if accepted else Wait(None))


def test_replayed_status_is_asked_for_when_the_replay_is_over() -> None:
    asked = adapted(QuirkSettings(replays=True))
    asked.called(100.0)
    asked.replayed(101.0, ONE)
    asked.replayed(108.0, STATION)
    assert asked.step(112.9) == Wait(113.0)
    assert asked.step(113.0) == Ask(STATION)


def test_status_that_answers_a_question_stands_however_old_it_says_it_is() -> None:
    asked = adapted(QuirkSettings(replays=True), connectors=(ONE,))
    asked.called(100.0)
    asked.asked(ONE)
    asked.replayed(106.0, ONE)
    assert asked.has_reported(ONE)
    assert asked.step(106.0) == Finish()


def test_replay_after_the_end_of_the_resync_is_asked_for_too() -> None:
    asked = adapted(QuirkSettings(replays=True), connectors=(ONE,))
    asked.called(100.0)
    asked.reported(ONE)
    assert asked.step(105.0) == Finish()
    asked.finish()
    asked.replayed(110.0, ONE)
    assert asked.step(110.0) == Wait(115.0)
    assert asked.step(115.0) == Ask(ONE)
