from __future__ import annotations

from bridge.core.model import EvseStatus, TemporaryKind
from bridge.web.pages.public_view import WORDS, PublicEvse, counted, part

EVSES = tuple(
    PublicEvse(f"DE*ABC*E{number}", word)
    for number, word in enumerate(["available", "busy", "busy", "out of service", "available"], 1)
)


def test_every_effective_status_has_a_word_for_everybody() -> None:
    known = {status.value for status in EvseStatus} | {
        kind.value.lower() for kind in TemporaryKind if kind is not TemporaryKind.RESERVED
    }
    assert set(WORDS) == known
    assert set(WORDS.values()) == {"available", "busy", "out of service", "unknown"}


def test_all_four_words_are_counted() -> None:
    assert counted(EVSES) == {"available": 2, "busy": 2, "out of service": 1, "unknown": 0}


def test_a_part_goes_on_after_its_last_one() -> None:
    first = part(EVSES, status="busy", q="", after="", limit=1)
    assert ([evse.evse_id for evse in first.evses], first.following) == (["DE*ABC*E2"], "DE*ABC*E2")
    second = part(EVSES, status="busy", q="", after="DE*ABC*E2", limit=1)
    assert ([evse.evse_id for evse in second.evses], second.following) == (["DE*ABC*E3"], None)


def test_an_id_is_found_in_any_case() -> None:
    assert [evse.evse_id for evse in part(EVSES, status="", q="abc*e4", after="", limit=9).evses] == ["DE*ABC*E4"]
