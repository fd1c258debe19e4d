from datetime import UTC, datetime, timedelta

from simulators.demo.view import Acked, HubLine, join

NOW = datetime(2026, 1, 1, 12, 0, 30, tzinfo=UTC)
JOURNAL = {
    "reports": 5,
    "answered": 4,
    "stations": [
        {
            "station": "S1",
            "connected": True,
            "station_level": {"reported": "Faulted"},
            "evses": [
                {"evse_id": "DE*ABC*E1", "connectors": [{"reported": "Charging"}, {"reported": None}]},
                {"evse_id": "DE*ABC*E2", "connectors": [{"reported": "Available"}]},
            ],
        },
        {
            "station": "S2",
            "connected": False,
            "station_level": None,
            "evses": [{"evse_id": "DE*ABC*E3", "connectors": [{"reported": "Occupied"}]}],
        },
    ],
}
EVSES = [
    {
        "evse_id": "DE*ABC*E1",
        "effective": "charging",
        "changed_at": "2026-01-01T12:00:00Z",
        "deliveries": {
            "hubject": {"desired": "Occupied", "acked": "Occupied"},
            "chargeprice": {"desired": "occupied", "acked": "available"},
        },
    }
]
UPSTREAMS = [{"name": "hubject", "mode": "live", "state": "ok", "backlog": 2, "lag_s": 1.25}]


def test_each_evse_has_one_row_with_what_was_reported_and_what_became_of_it():
    view = join(JOURNAL, EVSES, UPSTREAMS, NOW, timedelta(seconds=3))
    first = view.rows[0]
    assert (first.evse_id, first.reported, first.effective) == (
        "DE*ABC*E1",
        "Charging + – (station Faulted)",
        "charging",
    )
    assert first.acked == {"hubject": Acked("Occupied", True), "chargeprice": Acked("available", False)}
    assert first.age == timedelta(seconds=30)
    assert [row.evse_id for row in view.rows] == ["DE*ABC*E1", "DE*ABC*E2", "DE*ABC*E3"]


def test_an_evse_that_the_bridge_says_nothing_about_has_a_row_all_the_same():
    view = join(JOURNAL, [], [], NOW, timedelta(), note="silent")
    assert {row.effective for row in view.rows} == {"–"}
    assert {row.age for row in view.rows} == {None}
    assert view.note == "silent"


def test_totals_count_what_is_settled_per_hub():
    view = join(JOURNAL, EVSES, UPSTREAMS, NOW, timedelta())
    assert (view.stations, view.connected, view.reports, view.answered) == (2, 1, 5, 4)
    assert (view.acked_by("hubject"), view.acked_by("chargeprice")) == (1, 0)
    assert view.effective_totals() == [("–", 2), ("charging", 1)]
    assert view.hubs == (HubLine("hubject", "live", "ok", "2", "1.2 s"),)


def test_a_hub_that_is_not_behind_has_no_lag_and_one_that_is_not_live_none_that_is_known():
    upstreams = [{"name": name, "backlog": backlog, "lag_s": None} for name, backlog in (("there", 0), ("off", 3))]
    assert [hub.lag for hub in join(JOURNAL, [], upstreams, NOW, timedelta()).hubs] == ["none", "–"]


def test_an_evse_that_is_free_and_not_yet_available_is_held():
    station = {**JOURNAL["stations"][1], "connected": True}
    evse = {"evse_id": "DE*ABC*E3", "connectors": [{"reported": "Available"}]}
    journal = {**JOURNAL, "stations": [{**station, "evses": [evse]}]}
    for effective, held in (("occupied", True), ("available", False)):
        (row,) = join(journal, [{"evse_id": "DE*ABC*E3", "effective": effective}], [], NOW, timedelta()).rows
        assert row.held is held


def test_connectors_that_report_the_same_are_told_once():
    connectors = [{"reported": "Available"}, {"reported": "Available"}]
    station = {**JOURNAL["stations"][1], "evses": [{"evse_id": "DE*ABC*E3", "connectors": connectors}]}
    (row,) = join({**JOURNAL, "stations": [station]}, [], [], NOW, timedelta()).rows
    assert row.reported == "2 × Available"
