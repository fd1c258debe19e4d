import pytest
from pydantic import ValidationError

from simulators.hubs.faults import FaultBook, FaultKind, FaultSpec


def kinds(met):
    return [spec.kind.value for spec in met]


def test_fault_applies_until_it_is_removed():
    book = FaultBook(seed=1)
    fault_id = book.add(FaultSpec(kind="hang"), 0)
    assert kinds(book.pick(["a"], "update", 10**6)) == ["hang"]
    assert book.remove(fault_id)
    assert not book.remove(fault_id)
    assert book.pick(["a"], "update", 10**6) == ()


def test_fault_with_a_count_is_used_up():
    book = FaultBook(seed=1)
    book.add(FaultSpec(kind="status", count=2), 0)
    assert [kinds(book.pick(["a"], "update", 1)) for _ in range(3)] == [["status"], ["status"], []]


def test_fault_with_a_duration_ends():
    book = FaultBook(seed=1)
    book.add(FaultSpec(kind="status", seconds=5), 100)
    assert kinds(book.pick(["a"], "update", 104.9)) == ["status"]
    assert book.pick(["a"], "update", 105) == ()
    assert book.present(105) == {}


def test_fault_of_an_evse_or_an_action_leaves_others_alone():
    book = FaultBook(seed=1)
    book.add(FaultSpec(kind="status", evse=["b"], action=["fullLoad"]), 0)
    assert book.pick(["a"], "fullLoad", 1) == ()
    assert book.pick(["b"], "update", 1) == ()
    assert kinds(book.pick(["a", "b"], "fullLoad", 1)) == ["status"]


def test_fault_of_an_operation_leaves_others_alone():
    book = FaultBook(seed=1)
    book.add(FaultSpec(kind="status", operation=["eRoamingPushEvseData"]), 0)
    assert book.pick(["a"], "update", 1, "eRoamingPushEvseStatus of DE*ABC") == ()
    assert kinds(book.pick(["a"], "update", 1, "eRoamingPushEvseData of DE*ABC")) == ["status"]


def test_success_status_is_a_fault_where_the_text_makes_it_one():
    assert FaultSpec(kind="status", status=200, text="{}").status == 200


def test_latency_goes_together_with_the_first_other_fault():
    book = FaultBook(seed=1)
    for kind in ("latency", "hang", "status", "latency"):
        book.add(FaultSpec(kind=kind), 0)
    assert kinds(book.pick(["a"], "update", 1)) == ["latency", "hang", "latency"]


def test_fault_that_was_not_met_is_not_counted():
    book = FaultBook(seed=1)
    book.add(FaultSpec(kind="hang", count=1), 0)
    book.add(FaultSpec(kind="status", count=1), 0)
    assert [kinds(book.pick(["a"], "update", 1)) for _ in range(3)] == [["hang"], ["status"], []]


def test_chance_is_replayed_from_the_seed():
    def history(seed):
        book = FaultBook(seed)
        book.add(FaultSpec(kind="status", probability=0.3), 0)
        return [bool(book.pick(["a"], "update", 1)) for _ in range(1000)]

    assert history(7) == history(7) != history(8)
    assert 240 < sum(history(7)) < 360


@pytest.mark.parametrize("kind", ["down", "blackhole"])
def test_a_hub_that_is_away_is_the_listeners_affair(kind):
    book = FaultBook(seed=1)
    book.add(FaultSpec(kind=kind, seconds=5), 0)
    assert book.pick(["a"], "update", 1) == ()
    assert book.unreachable(1) == kind
    assert book.unreachable(5) is None
    with pytest.raises(ValidationError, match="only seconds may be given"):
        FaultSpec(kind=kind, count=1)


@pytest.mark.parametrize(
    ("spec", "applied"),
    [
        (FaultSpec(kind="reset_after"), True),
        (FaultSpec(kind="reset_before"), False),
        (FaultSpec(kind="late"), False),
        (FaultSpec(kind="hang"), False),
        (FaultSpec(kind="hang", applied=True), True),
        (FaultSpec(kind="invalid_body"), True),
        (FaultSpec(kind="invalid_body", applied=False), False),
        (FaultSpec(kind="truncated"), True),
        (FaultSpec(kind="huge", applied=False), False),
        (FaultSpec(kind="status"), False),
        (FaultSpec(kind="status", applied=True), True),
    ],
    ids=lambda value: value.kind.value if isinstance(value, FaultSpec) else str(value),
)
def test_fault_decides_whether_the_request_is_applied(spec, applied):
    assert spec.takes_effect() is applied


@pytest.mark.parametrize(
    "spec",
    [
        {"kind": "explode"},
        {"kind": "hang", "colour": "red"},
        {"kind": "hang", "count": 0},
        {"kind": "hang", "probability": 0},
        {"kind": "status", "status": 200},
        {"kind": "status", "status": 199, "text": "x"},
        {"kind": "status", "charset": "ebcdic"},
        {"kind": "down", "count": 3},
        {"kind": "down", "evse": ["a"]},
        {"kind": "down", "operation": ["push"]},
    ],
    ids=str,
)
def test_senseless_fault_is_refused(spec):
    with pytest.raises(ValidationError):
        FaultSpec.model_validate(spec)


def test_every_kind_says_what_it_does():
    assert {kind.value for kind in FaultKind} == {
        "latency",
        "rate_limit",
        "status",
        "result_false",
        "invalid_body",
        "hang",
        "reset_before",
        "reset_after",
        "late",
        "blackhole",
        "compressed",
        "drip",
        "huge",
        "truncated",
        "wrong_length",
        "down",
    }
