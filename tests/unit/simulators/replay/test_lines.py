from __future__ import annotations

import json
from pathlib import Path

import pytest

from bridge.cli.station_log import text_of
from simulators.replay.lines import Line, Source, Unreadable, read
from tests.integration.web.conftest import wire_line

CORPUS = Path(__file__).parents[3] / "corpus" / "field-frames.jsonl"
NOON = 1795694400.0
HEARTBEAT = '[2,"1","Heartbeat",{}]'
RECORDED = [
    wire_line(1, "ocpp2.0.1 from 127.0.0.1:5000", "opened"),
    wire_line(123, HEARTBEAT),
    wire_line(124, '[3,"1",{}]', "to_station"),
    wire_line(125, '[2,"2",\n"NotifyReport",{"rep', cut=True),
    wire_line(126, "1001 bye", "closed"),
]


def test_the_log_is_read_the_same_as_json_lines_and_as_text() -> None:
    as_json = read("\n".join(json.dumps(line.model_dump(mode="json")) for line in RECORDED))
    as_text = read("\n".join(text_of(line) for line in RECORDED) + "\n")
    assert [(line.source, line.text, line.version, line.cut) for line in as_json] == [
        (Source.OPENED, "ocpp2.0.1 from 127.0.0.1:5000", "ocpp2.0.1", False),
        (Source.STATION, HEARTBEAT, None, False),
        (Source.CSMS, '[3,"1",{}]', None, False),
        (Source.STATION, '[2,"2",\n"NotifyReport",{"rep', None, True),
        (Source.CLOSED, "1001 bye", None, False),
    ]
    assert [(line.source, line.text, line.version, line.cut) for line in as_text] == [
        (line.source, line.text, line.version, line.cut) for line in as_json
    ]
    assert [line.at for line in as_text] == [line.at for line in as_json]
    assert {line.station for line in as_json} == {"CS-1"}


def test_an_answer_of_the_rest_interface_is_read() -> None:
    document = {"items": [line.model_dump(mode="json") for line in RECORDED], "cursor": 126}
    assert len(read(json.dumps(document))) == 5


def test_the_corpus_is_read_with_what_was_on_the_wire() -> None:
    lines = read(CORPUS.read_text(encoding="utf-8"))
    assert len(lines) == 86
    assert lines[0].source is Source.STATION
    assert lines[1] == Line(Source.CSMS, '[3,"1000002",{}]', version="ocpp1.6")


PLAIN: list[object] = [
    [2, "1", "BootNotification", {}],
    [3, "1", {"status": "Accepted"}],
    [2, "9", "TriggerMessage", {}],
    [3, "9", {"status": "Accepted"}],
    [2, "2", "GetCertificateStatus", {}],
    [4, "2", "NotImplemented", "", {}],
    [2, "3", "DataTransfer", {}],
]
SENT_BY = [
    *(Source.STATION, Source.CSMS),
    *(Source.CSMS, Source.STATION),
    *(Source.STATION, Source.CSMS),
    Source.STATION,
]


@pytest.mark.parametrize("text", [json.dumps(PLAIN), "\n".join(map(json.dumps, PLAIN))], ids=["array", "lines"])
def test_a_plain_list_is_read_and_who_sent_each_frame_is_told_by_actions_and_ids(text: str) -> None:
    assert [line.source for line in read(text)] == SENT_BY


def test_one_frame_alone_is_a_list_too() -> None:
    assert read(HEARTBEAT) == [Line(Source.STATION, HEARTBEAT)]


def test_what_is_no_json_in_a_list_is_a_frame_of_the_station() -> None:
    assert read(f'{HEARTBEAT}\n\n[2,"2",oops]\r\n')[1] == Line(Source.STATION, '[2,"2",oops]')


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", "should have at least one frame of a station"),
        ("7", "should be lines of a station's log, or a list of frames"),
        ('[3,"1",{}]\n{"direction":"up","text":"x"}', "direction should be of from_station"),
        ('{"direction":"from_station"}', "should have text, raw or frame"),
        ('{"direction":"from_station","text":"x","at":"noon"}', "at should be a time such as"),
    ],
)
def test_a_file_that_is_no_recording_says_what_would_be_right(text: str, wanted: str) -> None:
    with pytest.raises(Unreadable, match=wanted):
        read(text)
