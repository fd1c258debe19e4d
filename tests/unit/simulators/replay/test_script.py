from __future__ import annotations

from simulators.replay.answers import Answer
from simulators.replay.lines import Line, Source
from simulators.replay.script import Step, visits_of, with_transactions


def station(text: str, at: float | None = None, *, cut: bool = False) -> Line:
    return Line(Source.STATION, text, at, cut=cut)


def csms(text: str, at: float | None = None) -> Line:
    return Line(Source.CSMS, text, at)


HEARTBEAT = '[2,"1","Heartbeat",{}]'


def test_a_call_goes_with_its_recorded_answer() -> None:
    [visit] = visits_of([station(HEARTBEAT, 1.0), csms('[3,"1",{"currentTime":"x"}]')])
    assert visit.steps == (Step(HEARTBEAT, 1.0, "1", "Heartbeat", Answer({"currentTime": "x"})),)


def test_answers_of_the_station_are_kept_for_their_action_and_are_no_steps() -> None:
    [visit] = visits_of(
        [
            station(HEARTBEAT),
            csms('[2,"a","Reset",{}]'),
            station('[3,"a",{"status":"Rejected"}]'),
            csms('[2,"b","Reset",{}]'),
            station('[4,"b","InternalError","no",{}]'),
        ]
    )
    assert [step.text for step in visit.steps] == [HEARTBEAT]
    assert {action: list(answers) for action, answers in visit.answers.items()} == {
        "Reset": [Answer({"status": "Rejected"}), Answer({}, "InternalError", "no")]
    }


def test_what_answers_nothing_and_what_is_no_frame_goes_out_as_it_is() -> None:
    [visit] = visits_of([station('[3,"x",{}]'), station("[2,oops")])
    assert visit.steps == (Step('[3,"x",{}]', None, None), Step("[2,oops", None, None))


def test_a_station_that_did_not_wait_for_an_answer_does_not_wait() -> None:
    second = '[2,"2","Heartbeat",{}]'
    [visit] = visits_of([station(HEARTBEAT), station(second), csms('[3,"1",{}]'), csms('[3,"2",{}]')])
    assert [step.waits for step in visit.steps] == [False, True]


def test_an_id_that_comes_again_has_the_answer_that_follows_it() -> None:
    [visit] = visits_of(
        [station(HEARTBEAT), station(HEARTBEAT), csms('[4,"1","GenericError","",{}]'), station(HEARTBEAT)]
    )
    assert [step.recorded for step in visit.steps] == [None, Answer({}, "GenericError"), None]


def test_each_connection_is_one_visit_with_its_version() -> None:
    opened = Line(Source.OPENED, "ocpp2.0.1 from x", version="ocpp2.0.1")
    closed = Line(Source.CLOSED, "1006")
    visits = visits_of(
        [opened, station(HEARTBEAT), closed, opened, closed, opened, station(HEARTBEAT), station(HEARTBEAT)]
    )
    assert [(visit.version, len(visit.steps)) for visit in visits] == [("ocpp2.0.1", 1), ("ocpp2.0.1", 2)]


def test_a_log_that_begins_in_the_middle_of_a_connection_is_one_visit_more() -> None:
    opened = Line(Source.OPENED, "ocpp1.6 from x", version="ocpp1.6")
    visits = visits_of([station(HEARTBEAT), opened, station(HEARTBEAT)])
    assert [visit.version for visit in visits] == [None, "ocpp1.6"]


def test_what_the_recording_has_only_in_part_is_left_out_and_counted() -> None:
    [visit] = visits_of([station(HEARTBEAT), station('[2,"2","NotifyRep', cut=True)])
    assert (len(visit.steps), visit.left_out) == (1, 1)


def test_transaction_ids_become_those_that_this_csms_gave() -> None:
    stop = '[2,"7","StopTransaction",{"transactionId":17,"meterStop":5}]'
    assert with_transactions(stop, {17: 42}) == '[2,"7","StopTransaction",{"transactionId":42,"meterStop":5}]'
    assert with_transactions(stop, {18: 42}) == stop
    assert with_transactions("[2,oops", {17: 42}) == "[2,oops"
