from __future__ import annotations

import pytest

from csms.remembered import RememberedAnswers

START = '[2,"a","StartTransaction",{"connectorId":1}]'
ANSWER = '[3,"a",{"transactionId":7}]'


def remembering() -> RememberedAnswers:
    answers = RememberedAnswers()
    answers.keep("a", "StartTransaction", START, ANSWER, 100.0)
    return answers


def test_same_bytes_get_the_same_answer() -> None:
    assert remembering().find("a", START, 101.0) == ANSWER


@pytest.mark.parametrize(
    ("id", "message", "now"),
    [
        pytest.param("a", '[2,"a","StartTransaction",{"connectorId":2}]', 101.0, id="other-payload"),
        pytest.param("a", '[2,"a", "StartTransaction",{"connectorId":1}]', 101.0, id="other-bytes"),
        pytest.param("b", START, 101.0, id="other-id"),
        pytest.param("a", START, 131.0, id="half-a-minute-later"),
    ],
)
def test_anything_else_is_a_new_request(id: str, message: str, now: float) -> None:
    assert remembering().find(id, message, now) is None


def test_id_is_known_whatever_the_message_says() -> None:
    answers = remembering()
    assert answers.knows("a")
    assert not answers.knows("b")


def test_latest_request_of_an_id_is_the_one_that_counts() -> None:
    """A station with one id for everything: Available, Occupied, Available is three reports, not two."""
    answers = RememberedAnswers()
    answers.keep("1", "StatusNotification", "available", '[3,"1",{}]', 100.0)
    answers.keep("1", "StatusNotification", "occupied", '[3,"1",{}]', 101.0)
    assert answers.find("1", "available", 102.0) is None


def test_error_and_heartbeat_are_done_again() -> None:
    answers = RememberedAnswers()
    answers.keep("a", "StatusNotification", "x", '[4,"a","InternalError","",{}]', 100.0)
    answers.keep("b", "Heartbeat", "y", '[3,"b",{"currentTime":"2026-11-20T12:00:00Z"}]', 100.0)
    assert answers.find("a", "x", 100.0) is None
    assert answers.find("b", "y", 100.0) is None


def test_error_after_an_answer_of_the_same_id_forgets_it() -> None:
    answers = remembering()
    answers.keep("a", "StartTransaction", "other", '[4,"a","InternalError","",{}]', 101.0)
    assert answers.find("a", START, 101.0) is None


def test_only_the_last_four_are_kept() -> None:
    answers = RememberedAnswers()
    for id in "abcde":
        answers.keep(id, "StatusNotification", id, f'[3,"{id}",{{}}]', 100.0)
    assert [answers.knows(id) for id in "abcde"] == [False, True, True, True, True]
