import json

from simulators.load.tally import Tally


def filled(first):
    tally = Tally()
    tally.sent, tally.waited, tally.reconnects = 5, 1, 2
    tally.note_answer(10.0 * first, 0, status=True)
    tally.note_answer(3.0, 4, status=False)
    tally.note_refusal(f"CS-{first}", "HTTP 401")
    tally.errors["NotSupported"] += 1
    tally.closed["1006"] += first
    tally.back.add(100.0 * first)
    return tally


def test_counts_survive_the_way_between_processes():
    tally = filled(1)
    assert Tally.of(json.loads(json.dumps(tally.document()))).document() == tally.document()


def test_two_processes_add_up():
    tally = filled(1)
    tally.merge(filled(2))
    assert (tally.sent, tally.answered, tally.statuses, tally.waited, tally.reconnects) == (10, 4, 2, 2, 4)
    assert tally.refused == {"HTTP 401": 2}
    assert tally.refused_names == {"HTTP 401": ["CS-1", "CS-2"]}
    assert tally.closed == {"1006": 3}
    assert tally.worst == {0: 20.0, 4: 3.0}
    assert (tally.answers.longest, tally.back.longest) == (20.0, 200.0)


def test_of_each_reason_only_the_first_stations_are_kept():
    tally = Tally()
    for number in range(50):
        tally.note_refusal(f"CS-{number}", "HTTP 404")
    tally.note_refusal("CS-0", "HTTP 404")
    assert tally.refused["HTTP 404"] == 51
    assert tally.refused_names["HTTP 404"] == [f"CS-{number}" for number in range(10)]
