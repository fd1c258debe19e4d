import pytest

from simulators.load.options import Member
from simulators.load.roster import RosterError, from_csv, from_pattern, shares

INVENTORY = """\
station,version,key,security,evse,connector,evse_id,operator
CS-1,1.6,key-one,1,,2,DE*ABC*E1,own
CS-1,1.6,key-one,1,,3,DE*ABC*E2,own
CS-2,2.0.1,key-two,1,4,1,DE*ABC*E3,own
CS-3,1.6,key-three,1,,1,DE*ABC*E4,own
"""


def test_pattern_numbers_stations_from_0():
    assert from_pattern("load-{:05d}", 2, "k") == [Member("load-00000", "k"), Member("load-00001", "k")]


@pytest.mark.parametrize("pattern", ["load", "load-{a}", "{:z}", "{0} {1}", "load-{"])
def test_pattern_that_tells_no_stations_apart_is_refused(pattern):
    with pytest.raises(RosterError):
        from_pattern(pattern, 2, None)


def test_inventory_gives_each_station_of_the_version_with_its_first_connector():
    assert from_csv(INVENTORY, "1.6", None) == [Member("CS-1", "key-one", 1, 2), Member("CS-3", "key-three", 1, 1)]
    assert from_csv(INVENTORY, "2.0.1", None) == [Member("CS-2", "key-two", 4, 1)]


def test_two_columns_are_enough():
    assert from_csv("name,key\nA,secret\n", "2.1", None) == [Member("A", "secret", 1, 1)]


def test_no_more_stations_than_were_asked_for():
    assert [member.name for member in from_csv(INVENTORY, "1.6", 1)] == ["CS-1"]


@pytest.mark.parametrize(
    ("text", "version", "count", "why"),
    [
        pytest.param("a,b\n1,2\n", "1.6", None, "the first line must name the columns", id="no header"),
        pytest.param("", "1.6", None, "the first line must name the columns", id="empty"),
        pytest.param(INVENTORY, "2.1", None, "no station of OCPP 2.1; choose with --ocpp", id="other version"),
        pytest.param(INVENTORY, "1.6", 3, "the file has 2 stations of OCPP 1.6, not 3", id="too few"),
        pytest.param("name,key\nA,\nB,k\n", "1.6", None, "1 stations have no key in the file, for example A", id="key"),
    ],
)
def test_what_is_wrong_with_a_file_is_said(text, version, count, why):
    with pytest.raises(RosterError, match=why):
        from_csv(text, version, count)


def test_one_key_is_of_those_without_their_own():
    assert [member.key for member in from_csv("name,key\nA,\nB,own\n", "1.6", None, "common")] == ["common", "own"]


def test_refused_file_shows_no_key():
    with pytest.raises(RosterError) as caught:
        from_csv("name,key\nA,\nB,very-secret\n", "1.6", None)
    assert "very-secret" not in str(caught.value)


def test_every_station_is_in_exactly_one_process():
    members = from_pattern("{}", 5, None)
    assert [[member.name for member in share] for share in shares(members, 2)] == [["0", "2", "4"], ["1", "3"]]
