"""Reachability: who is lost, who is back, who is asked, and when the guard suspects us instead."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bridge.core.reachability import Presence, ReachabilityOptions, Verdict, judge, resumed_heard_at
from csms.events import StationId

T0 = datetime(2026, 5, 1, 12, tzinfo=UTC)
DEFAULT = ReachabilityOptions()


def minute(minutes: float) -> datetime:
    return T0 + timedelta(minutes=minutes)


def station(
    number: int = 1,
    *,
    heard: float = 0,
    connected: bool = False,
    lost: float | None = None,
    asked: float | None = None,
    held: bool = False,
) -> Presence:
    return Presence(
        StationId(f"CS{number}"),
        minute(heard),
        connected,
        None if lost is None else minute(lost),
        None if asked is None else minute(asked),
        held,
    )


def at(minutes: float, *presences: Presence, losses: tuple[float, ...] = ()) -> Verdict:
    return judge(presences, [minute(loss) for loss in losses], minute(minutes), DEFAULT)


def test_defaults_are_those_of_the_design() -> None:
    assert (
        ReachabilityOptions(
            offline_after=timedelta(minutes=15),
            restart_grace=timedelta(minutes=3),
            mass_offline_hold=timedelta(minutes=30),
            mass_window=timedelta(seconds=60),
            mass_minimum=10,
            ask_timeout=timedelta(seconds=60),
        )
        == ReachabilityOptions()
    )


# --- silence --------------------------------------------------------------------------------------------------------


def test_closed_station_is_lost_after_a_quarter_of_an_hour_of_silence() -> None:
    before = at(14.999, station())
    assert (before.lost, before.next_at) == ((), minute(15))
    assert at(15, station()).lost == ("CS1",)


def test_any_frame_starts_the_countdown_again() -> None:
    assert at(15, station(heard=1)) == Verdict((), (), (), False, minute(16))


def test_silent_but_open_socket_is_asked_once_before_it_is_lost() -> None:
    first = at(15, station(connected=True))
    assert (first.lost, first.ask, first.next_at) == ((), ("CS1",), minute(16))
    waiting = at(15.5, station(connected=True, asked=15))
    assert (waiting.lost, waiting.ask, waiting.next_at) == ((), (), minute(16))
    assert at(16, station(connected=True, asked=15)).lost == ("CS1",)


def test_open_socket_is_not_asked_while_it_is_not_silent() -> None:
    before = at(14.9, station(connected=True))
    assert (before.ask, before.next_at) == ((), minute(15))


def test_answered_question_counts_no_more() -> None:
    assert at(31, station(heard=15.5, connected=True, asked=15)).ask == ("CS1",)


def test_question_to_a_socket_that_closed_is_not_waited_for() -> None:
    assert at(15.5, station(connected=False, asked=15)).lost == ("CS1",)


def test_asked_before_the_silence_was_long_enough_is_not_lost_early() -> None:
    assert at(12, station(connected=True, asked=10)).lost == ()
    assert at(15, station(connected=True, asked=10)).lost == ("CS1",)


def test_unreachable_station_returns_by_being_heard_and_by_nothing_else() -> None:
    assert at(100, station(heard=0, lost=15)) == Verdict((), (), (), False, None)
    assert at(100, station(heard=15, lost=15)).returned == ()
    assert at(100, station(heard=15.001, lost=15)).returned == ("CS1",)


def test_no_station_at_all() -> None:
    assert at(0) == Verdict((), (), (), False, None)


# --- our own restart ------------------------------------------------------------------------------------------------

RESUMED = [
    pytest.param(0, 5, 60, 55, id="silent for 5 min of listening, down for 55"),
    pytest.param(0, 12, 60, 48, id="12 min were silent: exactly the grace remains"),
    pytest.param(0, 14, 60, 48, id="14 min were silent: the grace of 3 min remains"),
    pytest.param(0, 500, 600, 588, id="silent for hours: the grace remains"),
    pytest.param(5, 4, 60, 60, id="heard after the last sign of life"),
]


@pytest.mark.parametrize(("heard", "alive", "started", "expected"), RESUMED)
def test_countdown_resumes_after_a_restart(heard: float, alive: float, started: float, expected: float) -> None:
    resumed = resumed_heard_at(started=minute(started), alive_at=minute(alive), heard_at=minute(heard), options=DEFAULT)
    assert resumed == minute(expected)


def test_grace_does_not_revive_who_was_declared_unreachable_before_the_restart() -> None:
    resumed = resumed_heard_at(
        started=minute(200), alive_at=minute(199), heard_at=minute(0), options=DEFAULT, unreachable_at=minute(15)
    )
    assert resumed == minute(15)


def test_who_was_heard_after_the_declaration_has_returned_though_we_restarted() -> None:
    resumed = resumed_heard_at(
        started=minute(200), alive_at=minute(199), heard_at=minute(198), options=DEFAULT, unreachable_at=minute(15)
    )
    assert resumed == minute(199)


def test_grace_longer_than_the_countdown_is_the_countdown() -> None:
    options = ReachabilityOptions(offline_after=timedelta(minutes=2))
    resumed = resumed_heard_at(started=minute(60), alive_at=minute(50), heard_at=minute(0), options=options)
    assert resumed == minute(60)


@pytest.mark.parametrize("seed", range(50))
def test_at_least_the_grace_and_at_most_the_countdown_remains(seed: int) -> None:
    rng = random.Random(seed)
    heard, alive, started = (minute(rng.uniform(0, 40)) for _ in range(3))
    resumed = resumed_heard_at(started=started, alive_at=alive, heard_at=heard, options=DEFAULT)
    assert timedelta(minutes=3) <= resumed + timedelta(minutes=15) - started <= timedelta(minutes=15)


# --- the mass guard -------------------------------------------------------------------------------------------------


def fleet(silent: int, fresh: int, *, heard: float = 0, spread: float = 0, now: float = 15) -> list[Presence]:
    """`silent` stations heard last at `heard` and up to `spread` minutes later; `fresh` ones heard just now."""
    step = spread / max(silent - 1, 1)
    quiet = [station(number, heard=heard + step * number) for number in range(silent)]
    return quiet + [station(1000 + number, heard=now) for number in range(fresh)]


def test_half_of_the_stations_is_not_a_mass() -> None:
    verdict = at(15, *fleet(5, 5))
    assert (len(verdict.lost), verdict.mass) == (5, False)


@pytest.mark.row("T51")
def test_more_than_half_of_the_stations_is_held_and_alarmed() -> None:
    verdict = at(15, *fleet(6, 4))
    assert (verdict.lost, len(verdict.held), verdict.mass) == ((), 6, True)
    assert verdict.next_at == minute(30)


def test_guard_needs_ten_stations() -> None:
    verdict = at(15, *fleet(9, 0))
    assert (len(verdict.lost), verdict.mass) == (9, False)
    assert at(15, *fleet(10, 0)).mass is True


def test_stations_already_unreachable_do_not_count() -> None:
    gone = [station(2000 + number, lost=1) for number in range(50)]
    assert at(15, *fleet(6, 4), *gone).mass is True
    assert at(15, *fleet(6, 3), *gone).mass is False


def test_first_of_many_is_held_too() -> None:
    verdict = at(15, *fleet(20, 5, spread=0.9))
    assert (verdict.lost, verdict.held, verdict.mass) == ((), ("CS0",), True)


def test_losses_spread_over_more_than_a_window_are_not_a_mass() -> None:
    verdict = at(15, *fleet(20, 15, spread=10))
    assert (verdict.lost, verdict.mass) == (("CS0",), False)


def test_losses_declared_within_the_window_count() -> None:
    presences = fleet(4, 5)
    assert at(15, *presences, losses=(14.2, 14.5, 14.9)).mass is True
    assert at(15, *presences, losses=(13.2, 13.5, 13.9)).mass is False


def test_one_window_does_not_reach_both_ways() -> None:
    soon = [station(500 + number, heard=0.8) for number in range(4)]
    presences = [*fleet(1, 6), *soon]
    assert at(15, *presences, losses=(14.1, 14.1, 14.1, 14.1)).mass is False
    assert at(15, *presences, losses=(14.9, 14.9, 14.9, 14.9)).mass is True


def test_open_sockets_are_asked_during_a_mass_as_well() -> None:
    presences = [replace(one, connected=True) for one in fleet(10, 2)]
    assert len(at(15, *presences).ask) == 10
    asked = [replace(one, asked_at=minute(15)) if one.heard_at == T0 else one for one in presences]
    verdict = at(16, *asked)
    assert (verdict.lost, len(verdict.held), verdict.mass) == ((), 10, True)


def test_each_station_is_lost_after_the_longer_silence() -> None:
    presences = [replace(one, held=True) for one in fleet(12, 3, spread=0.5, now=29)]
    assert at(29.999, *presences).lost == ()
    assert at(30, *presences).lost == ("CS0",)
    assert len(at(30.6, *presences).lost) == 12


def test_station_held_stays_so_when_the_others_have_come_back() -> None:
    back = [station(number, heard=19) for number in range(10)]
    verdict = at(20, *back, station(50, held=True), station(51, held=True))
    assert (verdict.lost, verdict.held, verdict.mass) == ((), ("CS50", "CS51"), True)
    assert at(30, *back, station(50, held=True)).lost == ("CS50",)


def test_station_held_and_heard_since_is_like_any_other() -> None:
    assert at(20, *fleet(0, 10), station(50, heard=19, held=True)) == at(20, *fleet(0, 10), station(50, heard=19))


def test_short_countdown_does_not_take_every_station_for_silent() -> None:
    options = ReachabilityOptions(offline_after=timedelta(seconds=4), ask_timeout=timedelta(seconds=1))
    quiet = [Presence(StationId("quiet"), T0 - timedelta(seconds=4), False)]
    fresh = [Presence(StationId(f"fresh{n}"), T0 - timedelta(seconds=2), False) for n in range(19)]
    verdict = judge(quiet + fresh, [], T0, options)
    assert (verdict.lost, verdict.mass) == (("quiet",), False)


# --- random histories -----------------------------------------------------------------------------------------------


def random_fleet(rng: random.Random) -> list[Presence]:
    presences = []
    for number in range(rng.choice([1, 3, 9, 10, 30])):
        asked = rng.choice([None, None, 15.0, 16.0])
        lost = rng.choice([None, None, None, 10.0])
        heard = rng.choice([0.0, 0.2, 0.5, 1.0, 5.0, 14.0, 16.0])
        presences.append(
            station(number, heard=heard, connected=rng.random() < 0.5, lost=lost, asked=asked, held=rng.random() < 0.1)
        )
    return presences


@pytest.mark.parametrize("seed", range(60))
def test_verdict_is_sound(seed: int) -> None:
    rng = random.Random(seed)
    presences = random_fleet(rng)
    now = minute(rng.choice([15.0, 15.5, 16.0, 17.0, 31.0]))
    verdict = judge(presences, [], now, DEFAULT)
    by_name = {one.station: one for one in presences}
    for name in verdict.lost + verdict.held + verdict.ask:
        assert by_name[name].unreachable_at is None
        assert now - by_name[name].heard_at >= timedelta(minutes=15)
    assert not set(verdict.lost) & (set(verdict.held) | set(verdict.ask))
    assert all(by_name[name].unreachable_at is not None for name in verdict.returned)
    assert verdict.next_at is None or verdict.next_at > now


@pytest.mark.parametrize("seed", range(60))
def test_nobody_is_lost_or_asked_before_next_at(seed: int) -> None:
    rng = random.Random(seed)
    presences = random_fleet(rng)
    now = minute(15)
    verdict = judge(presences, [], now, DEFAULT)
    done = {*verdict.lost, *verdict.returned}
    rest = [
        replace(
            one,
            asked_at=now if one.station in verdict.ask else one.asked_at,
            held=one.station in verdict.held,
        )
        for one in presences
        if one.station not in done
    ]
    losses = [now for _ in verdict.lost]
    before = timedelta(hours=9) if verdict.next_at is None else verdict.next_at - now - timedelta(microseconds=1)
    later = judge(rest, losses, now + before, DEFAULT)
    assert (later.lost, later.ask, later.returned) == ((), (), ())


def quiet_fleet(rng: random.Random, now: datetime, options: ReachabilityOptions) -> list[Presence]:
    """Return stations for which nothing follows now: heard in time, being asked, or lost."""
    presences = []
    for number in range(rng.choice([1, 3, 12, 30])):
        ago, open_ = rng.uniform(0, 0.99) * options.offline_after, rng.random() < 0.5
        spoke = Presence(StationId(f"CS{number}"), now - ago, open_)
        silent = replace(spoke, heard_at=now - ago - options.offline_after, connected=True)
        asked = replace(silent, asked_at=max(silent.heard_at, now - rng.uniform(0, 0.99) * options.ask_timeout))
        lost = replace(silent, connected=open_, unreachable_at=now - ago)
        presences.append(rng.choice([spoke, asked, lost]))
    return presences


@pytest.mark.parametrize(
    "options", [DEFAULT, ReachabilityOptions(timedelta(seconds=20), ask_timeout=timedelta(hours=1))]
)
@pytest.mark.parametrize("seed", range(60))
def test_quiet_verdict_stays_quiet_until_next_at_whatever_other_stations_do(
    seed: int, options: ReachabilityOptions
) -> None:
    rng, now = random.Random(seed), minute(15)
    presences = quiet_fleet(rng, now, options)
    verdict = judge(presences, [], now, options)
    assert verdict.quiet
    span = timedelta(hours=9) if verdict.next_at is None else verdict.next_at - now
    later = now + rng.uniform(0, 1) * span
    changed = []
    for one in presences:
        if one.asked_at is None and one.unreachable_at is None and rng.random() < 0.5:
            one = replace(one, heard_at=now + rng.uniform(0, 1) * (later - now))
        if one.asked_at is None and rng.random() < 0.5:
            one = replace(one, connected=not one.connected)
        changed.append(one)
    assert judge(changed, [], later, options).quiet


def test_verdict_from_which_something_follows_is_not_quiet() -> None:
    assert not at(15, station()).quiet
    assert not at(15, station(connected=True)).quiet
    assert not at(15, station(heard=12, lost=11)).quiet
    held = at(20, station(heard=1, held=True))
    assert (held.lost, held.held, held.quiet) == ((), ("CS1",), False)


@pytest.mark.parametrize("seed", range(20))
def test_outage_of_ours_that_ends_within_the_longer_silence_loses_nobody(seed: int) -> None:
    rng = random.Random(seed)
    size = rng.choice([10, 40])
    presences = {
        n: Presence(StationId(f"CS{n}"), T0 - timedelta(seconds=rng.uniform(0, 50)), rng.random() < 0.7)
        for n in range(size)
    }
    returns = {n: T0 + timedelta(minutes=rng.uniform(18, 28)) for n in range(size)}
    lost: list[StationId] = []
    alarms = 0
    for second in range(0, 29 * 60, 5):
        now = T0 + timedelta(seconds=second)
        for n, back in returns.items():
            if back <= now:
                presences[n] = replace(presences[n], heard_at=now, asked_at=None)
        verdict = judge(presences.values(), [], now, DEFAULT)
        alarms += verdict.mass
        lost += verdict.lost
        for n, one in presences.items():
            asked_at = now if one.station in verdict.ask else one.asked_at
            presences[n] = replace(one, asked_at=asked_at, held=one.station in verdict.held)
    assert lost == []
    assert alarms > 0
