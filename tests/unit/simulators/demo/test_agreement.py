import pytest

from simulators.demo.agreement import Difference, compare

EXPECTED = {"DE*ABC*E1": "Available", "DE*ABC*E2": "Occupied"}


def test_a_hub_that_holds_everything_agrees():
    agreement = compare("hubject", EXPECTED, dict(EXPECTED))
    assert agreement.complete
    assert agreement.lines() == ["hubs agree: 2/2 EVSEs (hubject)"]


@pytest.mark.parametrize(
    ("held", "difference", "agreeing"),
    [
        pytest.param({**EXPECTED, "DE*ABC*E2": "Available"}, ("DE*ABC*E2", "Occupied", "Available"), 1, id="wrong"),
        pytest.param({"DE*ABC*E1": "Available"}, ("DE*ABC*E2", "Occupied", "(nothing)"), 1, id="missing"),
        pytest.param({**EXPECTED, "DE*ABC*E3": "Unknown"}, ("DE*ABC*E3", "(nothing)", "Unknown"), 2, id="surplus"),
    ],
)
def test_each_evse_that_differs_is_named(held, difference, agreeing):
    agreement = compare("hubject", EXPECTED, held)
    assert not agreement.complete
    assert agreement.differences == (Difference(*difference),)
    key, should, does = difference
    assert agreement.lines() == [
        f"hubs agree: {agreeing}/2 EVSEs (hubject)",
        f"  hubject: {key} should be {should}, the hub holds {does}",
    ]


def test_a_bridge_that_says_available_of_everything_does_not_agree():
    assert not compare("hubject", EXPECTED, dict.fromkeys(EXPECTED, "Available")).complete


def test_nothing_at_all_is_no_agreement():
    assert not compare("hubject", {}, {}).complete
