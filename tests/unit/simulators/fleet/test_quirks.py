import pytest

from simulators.fleet.layout import Version
from simulators.fleet.quirks import CATALOGUE, Quirk, UnknownQuirk, aliases, chosen


def test_every_quirk_has_one_entry_that_says_what_it_does():
    assert sorted(entry.quirk for entry in CATALOGUE) == sorted(Quirk)
    assert all(entry.does and entry.versions for entry in CATALOGUE)


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("no-subprotocol", 1),
        ("no-connection-header", 3),
        ("content-length", 4),
        ("probe-then-real", 7),
        ("no-pong", 22),
        ("idle-close", 23),
        ("half-open", 26),
        ("truncated-json", 33),
        ("repeated-ids", 34),
        ("sent-twice", 34),
        ("large-messages", 39),
        ("unsolicited-results", 40),
        ("empty-vendor", 43),
        ("offline-queue", 54),
        ("no-status-after-connect", 56),
        ("no-boot", 59),
        ("blink-available", 63),
    ],
)
def test_a_quirk_bears_its_number_in_the_catalogue_of_real_hardware(name, number):
    (entry,) = chosen([name])
    assert entry.number == number


def test_a_name_for_several_quirks_chooses_them_all():
    assert [entry.quirk for entry in chosen(["bad-clock"])] == [
        *("local-time-as-z", "no-time-zone", "epoch-1970", "year-0001", "stale-timestamps")
    ]
    assert set(aliases()).isdisjoint(Quirk)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("no-pongs", "there is no quirk 'no-pongs'; did you mean no-pong"),
        ("xyzzy", "there is no quirk 'xyzzy'; `ocpp-sim quirks` lists them"),
    ],
)
def test_an_unknown_quirk_is_named_with_what_is_near(name, told):
    with pytest.raises(UnknownQuirk) as raised:
        chosen(["no-boot", name])
    assert str(raised.value).startswith(told)


def test_what_only_16_says_cannot_go_wrong_in_another_version():
    (entry,) = chosen(["leading-comma"])
    assert entry.versions == {Version.V16}
