from datetime import UTC, datetime

import pytest

from bridge.core.model import Deferred, EvseId
from bridge.upstreams.http import Lost, NotSent, cut, deferred, failed, header, parse_object, without_ids
from bridge.upstreams.port import Record

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def test_request_that_never_left_is_not_in_doubt():
    assert failed(NotSent("refused", 3)).outcome == Deferred("refused", in_doubt=False)


def test_request_whose_answer_was_lost_is_in_doubt():
    answer = failed(Lost("no answer in time", 300))
    assert answer.outcome == Deferred("no answer in time", in_doubt=True)
    assert (answer.http, answer.millis) == (None, 300)


def test_header_is_found_in_any_case():
    assert header({"RETRY-after": "7"}, "retry-after") == "7"
    assert header({}, "retry-after") == ""


def test_retry_after_is_kept_only_where_it_can_be_read():
    assert deferred("busy", 503, {"Retry-After": "7"}, NOW).retry_after_s == 7
    assert deferred("busy", 503, {"Retry-After": "soon"}, NOW).retry_after_s is None
    assert deferred("busy", 503, {}, NOW).retry_after_s is None


@pytest.mark.parametrize("text", ["", "x", "[]", "1", "null", "[" * 50_000, "9" * 5000, '{"a":'])
def test_anything_but_a_json_object_is_none(text):
    assert parse_object(text) is None


def test_json_object_is_read():
    assert parse_object('{"a": 1}') == {"a": 1}


def test_foreign_text_becomes_one_short_line():
    assert cut("a\n\tb  c") == "a b c"
    assert len(cut("x" * 1000)) == 256


def test_ids_of_the_record_are_left_out_as_whole_words_only():
    record = Record(EvseId("DE*ABC*E1"), "Available", station_ref="7", point_ref="s1")
    text = "DE*ABC*E1 DEABCE1 at 7, s1; not DEABCE12, 17 or s12"
    assert without_ids(text, record) == "… … at …, …; not DEABCE12, 17 or s12"
