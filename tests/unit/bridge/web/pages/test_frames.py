"""What each line of the wire log is."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bridge.web.pages.frames import actions, chosen, frames
from bridge.web.wire_shapes import WireLine

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def line(number: int, text: str, direction: str = "from_station", epoch: int = 1) -> WireLine:
    return WireLine.model_validate(
        {
            "id": number,
            "at": NOON,
            "station": "CS-1",
            "epoch": epoch,
            "direction": direction,
            "text": text,
            "size": len(text),
            "cut": False,
        }
    )


HEARTBEAT = line(1, '[2,"a","Heartbeat",{}]')
ANSWER = line(2, '[3,"a",{"currentTime":"2026-11-20T12:00:00Z"}]', "to_station")
RESET = line(3, '[2,"a","Reset",{"type":"Soft"}]', "to_station")
ERROR = line(4, '[4,"a","NotSupported","",{}]')
OPENED = line(5, "ocpp1.6 from 127.0.0.1", "opened")


def test_an_answer_has_the_action_of_its_own_call_though_both_sides_use_one_id() -> None:
    found = frames([HEARTBEAT, ANSWER, RESET, ERROR])
    assert [(frame.kind, frame.action) for frame in found] == [
        ("call", "Heartbeat"),
        ("answer", "Heartbeat"),
        ("call", "Reset"),
        ("error", "Reset"),
    ]


def test_an_answer_whose_call_is_not_among_the_lines_or_was_of_another_connection_has_no_action() -> None:
    assert frames([ANSWER])[0].action == ""
    assert frames([HEARTBEAT, line(2, '[3,"a",{}]', "to_station", epoch=2)])[1].action == ""


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("no json", id="no-json"),
        pytest.param("[]", id="no-frame"),
        pytest.param('{"a":1}', id="an-object"),
        pytest.param('[9,"a","X",{}]', id="another-type"),
        pytest.param("[2,7,{}]", id="an-id-that-is-none"),
        pytest.param("[" * 100_000, id="very-deep"),
    ],
)
def test_what_is_no_frame_is_shown_as_it_came(text: str) -> None:
    (frame,) = frames([line(1, text)])
    assert (frame.kind, frame.action, frame.pretty) == ("broken", "", text)


def test_a_call_whose_action_is_none_is_a_call_still() -> None:
    (frame,) = frames([line(1, '[2,"a",{"x":1}]')])
    assert (frame.kind, frame.action) == ("call", "")


def test_frames_are_chosen_and_what_happened_to_the_connection_stays() -> None:
    found = frames([HEARTBEAT, ANSWER, RESET, ERROR, OPENED])
    assert [frame.line.id for frame in chosen(found, "to_station", "")] == [2, 3, 5]
    assert [frame.line.id for frame in chosen(found, "", "Reset")] == [3, 4, 5]
    assert actions(found) == ["Heartbeat", "Reset"]
