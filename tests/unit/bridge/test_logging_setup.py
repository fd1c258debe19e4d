from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from bridge.logging_setup import configure_logging


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    yield io.StringIO()
    root.handlers = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def events(stream: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_one_json_line_per_event_where_it_is_no_terminal(stream: io.StringIO) -> None:
    configure_logging("info", "auto", stream)
    structlog.get_logger("bridge.lane").info("push_deferred", account="hubject", why="timeout")
    (event,) = events(stream)
    assert {key: event[key] for key in ("event", "level", "logger", "account", "why")} == {
        "event": "push_deferred",
        "level": "info",
        "logger": "bridge.lane",
        "account": "hubject",
        "why": "timeout",
    }
    assert str(event["timestamp"]).endswith("Z")


def test_the_standard_library_takes_the_same_way(stream: io.StringIO) -> None:
    configure_logging("info", "json", stream)
    logging.getLogger("asyncio").warning("slow %s", "callback")
    (event,) = events(stream)
    assert (event["event"], event["logger"], event["level"]) == ("slow callback", "asyncio", "warning")


def test_secrets_are_masked_by_name_also_one_table_deep(stream: io.StringIO) -> None:
    configure_logging("info", "json", stream)
    structlog.get_logger("x").info("sent", api_key="s1", headers={"Authorization": "s2", "Accept": "ok"}, idTag="s3")
    text = stream.getvalue()
    assert not any(secret in text for secret in ("s1", "s2", "s3"))
    assert "ok" in text


def test_less_than_the_level_is_silent_and_frames_of_ocpp_are_always(stream: io.StringIO) -> None:
    configure_logging("debug", "json", stream)
    logging.getLogger("ocpp").info("receive message with idTag")
    configure_logging("warning", "json", stream)
    structlog.get_logger("x").info("status_reported")
    assert stream.getvalue() == ""


def test_an_exception_is_one_line(stream: io.StringIO) -> None:
    configure_logging("info", "json", stream)
    try:
        raise ValueError("boom")
    except ValueError:
        structlog.get_logger("x").exception("request_failed")
    (event,) = events(stream)
    assert "ValueError: boom" in str(event["exception"])


def test_a_person_reads_text(stream: io.StringIO) -> None:
    configure_logging("info", "console", stream)
    structlog.get_logger("x").info("lane_recovered", account="hubject")
    assert "lane_recovered" in stream.getvalue()
    assert "account=hubject" in stream.getvalue()


def test_a_traceback_for_a_person_shows_no_variables(stream: io.StringIO) -> None:
    configure_logging("info", "console", stream)

    def push(headers: dict[str, str]) -> None:
        raise ValueError("boom")

    try:
        push({"Api-Key": "".join(["canary", "-", "7f3a"])})
    except ValueError:
        structlog.get_logger("x").exception("task_failed")
    assert "ValueError: boom" in stream.getvalue()
    assert "canary-7f3a" not in stream.getvalue()
