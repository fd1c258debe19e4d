from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from csms.events import StationId
from csms.options import ServerOptions
from csms.quirk_profiles import PROFILES, QuirkProfile
from csms.quirk_settings import Forbidden, QuirkSettings, changes, forbidden, merged
from csms.quirks import adjusted, at_handshake, profile_names, quirks_of, replayed
from csms.records import StationRecord

NOW = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)


def s(seconds: int) -> timedelta:
    return timedelta(seconds=seconds)


def names(named: tuple[str, ...] | None = None, vendor: str = "", model: str = "", firmware: str = "") -> list[str]:
    found = quirks_of(named, vendor=vendor, model=model, firmware=firmware)
    return [applied.profile.name for applied in found.applied]


@pytest.mark.parametrize(
    ("vendor", "model", "firmware", "expected"),
    [
        pytest.param("ABB", "CDT_TACW22::NET_WIFI", "TAC3Z9119006710273::V1.8.21", ["abb-terra-ac"], id="abb"),
        pytest.param("ABB", "CDT_TACW22::NET_WIFI", "TAC3Z9119006710273::V1.8.32", [], id="abb-repaired"),
        pytest.param("ABB", "Terra 54", "1.8.21", [], id="abb-other-model"),
        pytest.param("Alfen BV", "NG910-60023", "4.15.7-4054", ["alfen"], id="alfen"),
        pytest.param(" alfen bv ", "", "", ["alfen"], id="case-and-blanks"),
        pytest.param("MENNEKES", "", "", ["mennekes-amtron"], id="mennekes"),
        pytest.param("Whoever", "BS-EV22", "448", ["ocular-lte-plus"], id="model-alone"),
        pytest.param("", "", "", [], id="never-booted"),
        pytest.param("[A", "*", "?", [], id="wildcards-of-the-station-mean-nothing"),
    ],
)
def test_profiles_apply_by_vendor_model_and_firmware(
    vendor: str, model: str, firmware: str, expected: list[str]
) -> None:
    assert names(None, vendor, model, firmware) == expected


def test_what_the_inventory_names_replaces_the_automatic_profiles() -> None:
    assert names(("no-pings", "alfen"), "ABB", "CDT_TACW22", "::V1.8.21") == ["alfen", "no-pings"]
    assert names((), "Alfen BV") == []
    assert names(("gone-with-a-release",), "Alfen BV") == []


def test_why_a_profile_applies_is_told() -> None:
    device = quirks_of(None, vendor="Alfen BV", model="NG910", firmware="4.15")
    assert [applied.why for applied in device.applied] == ["vendor 'Alfen BV', model 'NG910', firmware '4.15'"]
    named = quirks_of(("alfen",), vendor="", model="", firmware="")
    assert [applied.why for applied in named.applied] == ["the inventory names it"]


def test_the_stricter_of_several_profiles_holds_in_any_order() -> None:
    one = QuirkSettings(ping_interval=s(20), settle=s(5), heartbeat_most=s(60), never_trigger=True)
    two = QuirkSettings(ping_interval=s(0), settle=s(9), heartbeat_most=s(90), call_spacing=s(3), replays=True)
    expected = QuirkSettings(
        ping_interval=s(0), settle=s(9), heartbeat_most=s(60), call_spacing=s(3), never_trigger=True, replays=True
    )
    assert merged((one, two)) == merged((two, one)) == expected
    assert merged(()) == merged((QuirkSettings(),)) == QuirkSettings()


def test_waits_grow_and_never_shrink() -> None:
    grown = adjusted(ServerOptions(), QuirkSettings(first_call_wait=s(60), settle=s(20), trigger_timeout=s(180)))
    assert (grown.first_call_wait, grown.settle, grown.settle_after_boot) == (s(60), s(20), s(30))
    assert (grown.trigger_timeout, grown.answer_timeout) == (s(180), s(180))
    assert adjusted(ServerOptions(), QuirkSettings(settle=s(1))) == ServerOptions()


READ = QuirkSettings(forbidden=(Forbidden("GetConfiguration", "MeterValuesSampledData", "it loops"),))
WRITE = QuirkSettings(
    forbidden=(Forbidden("ChangeConfiguration", "", "no"), Forbidden("SetVariables", "Interval", "slow"))
)


@pytest.mark.parametrize(
    ("settings", "action", "payload", "expected"),
    [
        pytest.param(READ, "GetConfiguration", {"key": ["A", "metervaluessampleddata"]}, "it loops", id="named"),
        pytest.param(READ, "GetConfiguration", {}, "it loops", id="every-key"),
        pytest.param(READ, "GetConfiguration", {"key": []}, "it loops", id="every-key-too"),
        pytest.param(READ, "GetConfiguration", {"key": ["HeartbeatInterval"]}, None, id="another-key"),
        pytest.param(READ, "ChangeConfiguration", {"key": "MeterValuesSampledData"}, None, id="another-action"),
        pytest.param(WRITE, "ChangeConfiguration", {"key": "X", "value": "1"}, "no", id="any-key"),
        pytest.param(
            WRITE, "SetVariables", {"setVariableData": [{"variable": {"name": "Interval"}}]}, "slow", id="variable"
        ),
        pytest.param(
            WRITE, "SetVariables", {"setVariableData": [{"variable": {"name": "Other"}}, 5]}, None, id="other-variable"
        ),
        pytest.param(QuirkSettings(), "ChangeConfiguration", {"key": 5}, None, id="nothing-forbidden"),
    ],
)
def test_a_harmful_request_is_named_with_its_reason(
    settings: QuirkSettings, action: str, payload: dict[str, Any], expected: str | None
) -> None:
    assert forbidden(settings, action, payload) == expected


@pytest.mark.parametrize(
    ("reported_at", "expected"),
    [
        pytest.param("2026-11-19T10:00:00Z", True, id="two-days-old"),
        pytest.param("2026-11-21T09:51:00Z", False, id="nine-minutes-old"),
        pytest.param("2026-11-21T10:30:00Z", False, id="ahead"),
        pytest.param("1970-01-01T00:00:00.740Z", False, id="clock-not-set"),
        pytest.param("0001-01-01T00:00:00Z", False, id="year-one"),
        pytest.param("2026-11-19T10:00:00", True, id="no-zone"),
        pytest.param("yesterday", False, id="no-time"),
        pytest.param("", False, id="none"),
    ],
)
def test_a_status_is_replayed_where_a_set_clock_says_so(reported_at: str, expected: bool) -> None:
    assert replayed(reported_at, NOW) is expected


def record(**fields: Any) -> StationRecord:
    return StationRecord(StationId("CP1"), None, None, accepted=True, connectors=(), **fields)


def test_compression_is_off_by_profile_unless_the_inventory_says_on() -> None:
    assert at_handshake(record(quirks=("no-compression",))).compression is False
    assert at_handshake(record(quirks=("no-compression",), compression=True)).compression is True
    assert at_handshake(record()).compression is None


def test_every_profile_has_a_name_for_the_inventory_and_changes_something() -> None:
    assert len(profile_names()) == len(PROFILES)
    for profile in PROFILES:
        assert re.fullmatch("[a-z0-9-]+", profile.name)
        assert profile.name != "none"
        assert [*changes(profile.settings)], profile.name
        assert profile.symptom
        assert profile.evidence


def test_what_a_profile_changes_is_told_in_words() -> None:
    settings = QuirkSettings(
        ping_interval=s(0),
        first_call_wait=s(60),
        settle=s(30),
        trigger_timeout=s(180),
        call_spacing=s(10),
        heartbeat_most=s(60),
        never_trigger=True,
        never_trigger_boot=True,
        no_compression=True,
        replays=True,
        forbidden=(Forbidden("GetConfiguration", "Key", "why"), Forbidden("SetVariables", "", "why")),
    )
    assert [*changes(settings)] == [
        "no pings",
        "no CALL within 60 s unless it speaks first",
        "no question within 30 s of its first CALL or Boot",
        "waits 180 s for an answer",
        "at most one CALL every 10 s",
        "heartbeat at most every 60 s",
        "no TriggerMessage",
        "no TriggerMessage(BootNotification)",
        "no compression",
        "asks again after replayed statuses",
        "GetConfiguration(Key) only if insisted on",
        "SetVariables(anything) only if insisted on",
    ]


def test_several_profiles_are_in_the_order_of_their_names() -> None:
    pair = [QuirkProfile(name, "x", QuirkSettings(), "x", vendor=("*",)) for name in ("b", "a")]
    found = quirks_of(None, vendor="v", model="", firmware="", profiles=pair)
    assert [applied.profile.name for applied in found.applied] == ["a", "b"]
