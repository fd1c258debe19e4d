import csv
import io
import re

import pytest

from simulators.fleet.layout import Version, inventory_csv, layout
from simulators.fleet.plan import Plan
from simulators.fleet.quirks import Quirk, chosen


def plan(*quirks, stations=24, share=1.0, **more):
    return Plan(stations, 7, quirks=chosen(quirks), quirk_share=share, **more)


def rows(specs):
    return list(csv.DictReader(io.StringIO(inventory_csv(specs))))


def test_without_further_wishes_the_fleet_is_the_one_that_it_always_was():
    assert Plan(24, 7).specs() == layout(24, 7)


def test_the_same_plan_gives_the_same_stations():
    one = plan("no-pong", "bad-clock", "odd-id", share=0.3, security=(0, 1, 2, 3))
    assert one.specs() == plan("no-pong", "bad-clock", "odd-id", share=0.3, security=(0, 1, 2, 3)).specs()


@pytest.mark.parametrize("versions", [(Version.V21,), (Version.V16, Version.V21), tuple(Version)])
def test_only_and_all_of_the_versions_that_were_asked_for_are_there(versions):
    assert {spec.version for spec in plan(versions=versions).specs()} == set(versions)


def test_21_is_laid_out_in_evses_and_reports_mostly_by_notify_event():
    specs = plan(versions=(Version.V21,)).specs()
    assert all(address.evse >= 1 for spec in specs for address in spec.connectors)
    assert {row["version"] for row in rows(specs)} == {"2.1"}
    assert sum(spec.reports_by == "NotifyEvent" for spec in specs) == 18


def test_security_profiles_take_turns_and_the_inventory_has_a_key_only_where_one_is_used():
    specs = plan(stations=8, security=(0, 1, 2, 3)).specs()
    assert [spec.security for spec in specs] == [0, 1, 2, 3, 0, 1, 2, 3]
    shown = {(row["security"], bool(row["key"])) for row in rows(specs)}
    assert shown == {("insecure", False), ("1", True), ("2", True), ("3", False)}


def test_about_the_share_of_the_stations_has_a_quirk():
    having = [spec for spec in plan("no-pong", stations=1000, share=0.3).specs() if spec.quirks]
    assert 250 < len(having) < 350


@pytest.mark.parametrize(("share", "at_least"), [(0.001, 1), (1.0, 24)])
def test_some_station_has_every_quirk_that_was_asked_for_and_all_have_it_at_a_share_of_one(share, at_least):
    specs = plan("no-pong", stations=24, share=share).specs()
    assert sum(Quirk.NO_PONG in spec.quirks for spec in specs) >= at_least


def test_nobody_has_a_quirk_at_a_share_of_zero_but_the_one_who_shows_it():
    assert sum(bool(spec.quirks) for spec in plan("no-pong", share=0.0).specs()) == 1


def test_a_station_has_one_of_several_quirks_that_exclude_each_other_and_each_is_there():
    quirks = [spec.quirks for spec in plan("bad-clock").specs()]
    assert all(len(one) == 1 for one in quirks)
    assert set().union(*quirks) == {*("local-time-as-z", "no-time-zone", "epoch-1970", "year-0001", "stale-timestamps")}


def test_a_quirk_falls_only_on_versions_that_can_have_it():
    specs = plan("leading-comma", "probe-then-real", versions=tuple(Version)).specs()
    assert {spec.version for spec in specs if "leading-comma" in spec.quirks} == {Version.V16}
    assert {spec.version for spec in specs if "probe-then-real" in spec.quirks} == {Version.V201, Version.V21}


@pytest.mark.parametrize("quirk", ["wrong-case-keys", "numeric-strings"])
def test_a_quirk_of_status_notification_falls_only_on_stations_that_send_it(quirk):
    specs = plan(quirk, versions=tuple(Version)).specs()
    assert {spec.reports_by for spec in specs if spec.quirks} == {"StatusNotification"}
    assert {spec.version for spec in specs if spec.quirks} == set(Version)


def test_no_station_of_2x_neither_boots_nor_answers_since_it_could_never_be_accepted():
    specs = plan("heartbeat-only", "no-boot", versions=tuple(Version)).specs()
    both = {"heartbeat-only", "no-boot"}
    assert {spec.version for spec in specs if both <= spec.quirks} == {Version.V16}
    assert all(spec.quirks & both for spec in specs)


def test_a_hex_key_is_twenty_bytes_in_the_inventory_and_falls_only_where_there_is_a_key():
    specs = plan("hex-key", security=(0, 1, 3)).specs()
    having = [spec for spec in specs if spec.quirks]
    assert {spec.security for spec in having} == {1}
    assert all(re.fullmatch("[0-9a-f]{40}", spec.key) for spec in having)


def test_a_key_with_colons_is_the_inventorys_too_and_as_long_as_the_standard_wants():
    specs = plan("colon-key", security=(0, 1)).specs()
    assert {spec.key.count(":") for spec in specs if spec.quirks} == {2}
    assert all(16 <= len(row["key"]) <= 40 and ":" in row["key"] for row in rows(specs) if row["key"])


def test_an_odd_id_is_the_inventorys_too():
    specs = plan("odd-id", stations=1).specs()
    assert [spec.station for spec in specs] == ["SIM-00001 |*#2.0.1"]
    assert rows(specs)[0]["station"] == "SIM-00001 |*#2.0.1"


def test_the_inventory_names_the_version_of_a_station_that_does_not():
    specs = plan("no-subprotocol", stations=8, share=0.4).specs()
    for row in rows(specs):
        (spec,) = (spec for spec in specs if spec.station == row["station"])
        assert row["default_version"] == (row["version"] if spec.quirks else "")
    assert "default_version" not in rows(plan(stations=8).specs())[0]
