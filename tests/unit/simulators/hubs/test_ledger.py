from simulators.hubs.ledger import Change, Ledger, RateLimit

ONE = (("DE*ABC*E1", "Available"),)


def put(ledger, at, value, key="DE*ABC*E1"):
    entry = ledger.begin(at, "push", "update", ((key, value),))
    ledger.apply(entry, Change(put={key: value}), at)
    ledger.answer(entry, 200, "000", at)
    return entry


def test_last_applied_value_is_held():
    ledger = Ledger()
    put(ledger, 1, "Available")
    put(ledger, 2, "Occupied")
    assert ledger.state(3) == {"DE*ABC*E1": "Occupied"}


def test_full_load_replaces_and_delete_removes():
    ledger = Ledger()
    put(ledger, 1, "Available", "a")
    put(ledger, 2, "Available", "b")
    entry = ledger.begin(3, "push", "fullLoad", ())
    ledger.apply(entry, Change(put={"b": "Unknown", "c": "Occupied"}, replace=True), 3)
    assert ledger.state(4) == {"b": "Unknown", "c": "Occupied"}
    ledger.apply(entry, Change(remove=("b", "never-there")), 4)
    assert ledger.state(4) == {"c": "Occupied"}
    assert ledger.last_full_load() == {"b", "c"}


def test_full_load_replaces_what_its_owner_put_and_no_more():
    ledger = Ledger()
    entry = ledger.begin(1, "push", "fullLoad", ())
    for owner, name in (("one", "a"), ("two", "b"), ("one", "c")):
        documents = {("evse_data", name): {}}
        kind = "evse_data"
        change = Change(put={name: "Unknown"}, replace=True, owner=owner, documents=documents, replace_documents=kind)
        ledger.apply(entry, change, 1)
    assert ledger.state(2) == {"b": "Unknown", "c": "Unknown"}
    assert list(ledger.documents("evse_data")) == ["b", "c"]
    assert list(ledger.documents("evse_data", "two")) == ["b"]
    assert (ledger.last_full_load("one"), ledger.last_full_load("two")) == ({"c"}, {"b"})


def test_late_application_shows_in_the_order():
    ledger = Ledger()
    lost = ledger.begin(1, "push", "update", ONE)
    ledger.abandon(lost)
    put(ledger, 2, "Occupied")
    ledger.apply(lost, Change(put=dict(ONE)), 9)
    assert ledger.state(9) == {"DE*ABC*E1": "Available"}
    assert [(e["n"], e["applied_order"], e["applied_at"], e["answered_at"]) for e in ledger.journal()] == [
        (1, 2, 9, None),
        (2, 1, 2, 2),
    ]


def test_open_requests_of_one_operation_overlap():
    ledger = Ledger()
    first = ledger.begin(1, "push", "update", ONE)
    assert not ledger.begin(1, "another operation", "update", ONE).overlap
    assert ledger.begin(2, "push", "update", ONE).overlap
    violations = [violation["what"] for violation in ledger.violations()]
    assert violations == ["parallel push: request 1 of the same operation was not answered"]
    assert not first.overlap
    assert ledger.summary()["overlaps"] == 1


def test_request_whose_head_came_before_the_answer_to_another_overlaps_it():
    ledger = Ledger()
    ledger.answer(ledger.begin(1, "push", "update", ONE), 200, "000", 5)
    assert ledger.begin(4, "push", "fullLoad", ONE).overlap
    assert not ledger.begin(4, "another operation", "update", ONE).overlap


def test_answered_and_abandoned_requests_overlap_nothing():
    ledger = Ledger()
    ledger.answer(ledger.begin(1, "push", "update", ONE), 200, "000", 1)
    ledger.abandon(ledger.begin(2, "push", "update", ONE))
    assert not ledger.begin(3, "push", "update", ONE).overlap
    assert ledger.summary()["open"] == 1


def test_more_requests_than_allowed_are_a_violation():
    ledger = Ledger(RateLimit(2, 60))
    for at in (0, 30, 60, 61):
        put(ledger, at, "Available")
    assert [(v["n"], v["what"]) for v in ledger.violations()] == [(4, "more than 2 requests in 60 s")]


def test_point_becomes_available_by_itself_when_valid_until_passes():
    ledger = Ledger()
    entry = ledger.begin(1, "push", "status", ())
    ledger.apply(entry, Change(put={"s/1": "maintainance"}, available_at=10), 1)
    assert ledger.state(9) == {"s/1": "maintainance"}
    assert ledger.state(10) == {"s/1": "available"}
    ledger.apply(entry, Change(put={"s/1": "occupied"}), 5)
    assert ledger.state(10) == {"s/1": "occupied"}


def test_journal_is_read_in_pieces():
    ledger = Ledger()
    for at in range(5):
        put(ledger, at, "Available")
    assert [e["n"] for e in ledger.journal(after=1, limit=2)] == [2, 3]
    assert ledger.journal(after=5) == []


def test_reset_forgets_everything_but_never_repeats_a_number():
    ledger = Ledger()
    put(ledger, 1, "Available")
    ledger.violate(1, 1, "x")
    ledger.reset()
    assert (ledger.state(2), ledger.journal(), ledger.violations()) == ({}, [], [])
    assert put(ledger, 3, "Available").n == 2


def test_summary_counts_answers_and_faults():
    ledger = Ledger()
    ledger.note_fault(put(ledger, 1, "Available"), "latency")
    assert ledger.summary() == {
        "last": 1,
        "held": 1,
        "open": 0,
        "overlaps": 0,
        "requests": 1,
        "answered": 1,
        "applied": 1,
        "violations": 0,
        "counts": {"answered": 1, "applied": 1, "fault latency": 1, "http 200 code 000": 1, "requests": 1},
    }


def apply_documents(ledger, **change):
    entry = ledger.begin(1, "write", "station", ())
    ledger.apply(entry, Change(**change), 2)
    return entry


def test_change_that_expects_another_document_is_not_applied():
    ledger, name = Ledger(), ("station", "a")
    apply_documents(ledger, documents={name: {"version": 1}}, expected={name: None})
    late = apply_documents(ledger, documents={name: {"version": 1, "late": True}}, expected={name: None})
    assert ledger.document(*name) == {"version": 1}
    assert (late.applied_at, ledger.summary()["counts"]["outdated"]) == (None, 1)
    apply_documents(ledger, documents={name: {"version": 2}}, expected={name: {"version": 1}})
    assert ledger.document(*name) == {"version": 2}


def test_change_of_a_document_that_is_gone_does_not_bring_it_back():
    ledger, name = Ledger(), ("temporary", "1")
    apply_documents(ledger, documents={name: {"id": 1}})
    apply_documents(ledger, documents={name: {"id": 1, "changed": True}}, required=(name,))
    assert ledger.document(*name) == {"id": 1, "changed": True}
    apply_documents(ledger, documents={name: None}, required=(name,))
    apply_documents(ledger, documents={name: {"id": 1}}, required=(name,))
    assert ledger.documents("temporary") == {}
