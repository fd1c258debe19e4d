from __future__ import annotations

import pytest

from bridge.core.reasons import beside


@pytest.mark.parametrize(
    ("why", "http", "code", "said"),
    [
        pytest.param("HTTP 401: no such key", 401, "", "no such key", id="status"),
        pytest.param(
            "HTTP 401 the hub refused our certificate", 401, "", "the hub refused our certificate", id="words"
        ),
        pytest.param("HTTP 503", 503, "", "", id="nothing-else"),
        pytest.param("HTTP 200, not proven to be accepted", 200, "", "not proven to be accepted", id="comma"),
        pytest.param("603 unknown EVSE: check it", 200, "603", "unknown EVSE: check it", id="code"),
        pytest.param("HTTP 400: 603 unknown EVSE", 400, "603", "unknown EVSE", id="both"),
        pytest.param("HTTP 401: no such key", 200, "", "HTTP 401: no such key", id="another-status"),
        pytest.param("6030 is no code", 200, "603", "6030 is no code", id="another-code"),
        pytest.param("cannot connect", None, "", "cannot connect", id="no-answer"),
        pytest.param("", 200, "000", "", id="no-reason"),
    ],
)
def test_a_reason_beside_its_answer_does_not_say_it_twice(why: str, http: int | None, code: str, said: str) -> None:
    assert beside(why, http, code) == said
