import json

from simulators.fleet.journal import Journal, Kind, Report, read_journal
from simulators.fleet.layout import Address

CONNECTOR = Address(0, 1)


def status(word, station="S1", connector=1):
    return Report(0, "2026-01-01T00:00:00.000Z", station, 0, connector, Kind.STATUS, status=word)


def test_reports_are_numbered_over_the_whole_fleet():
    journal = Journal()
    assert [journal.sent(status("Available", station)).n for station in ("S1", "S2", "S1")] == [1, 2, 3]


def test_a_report_counts_as_answered_only_once_it_was():
    journal = Journal()
    sent = journal.sent(status("Available"))
    assert (journal.last("S1", CONNECTOR).answered, journal.last_answered("S1", CONNECTOR)) == (False, None)
    journal.was_answered(sent)
    assert journal.last("S1", CONNECTOR).answered
    assert journal.last_answered("S1", CONNECTOR).n == 1
    assert (journal.count, journal.answered) == (1, 1)


def test_a_later_unanswered_report_leaves_the_answered_one_standing():
    journal = Journal()
    journal.was_answered(journal.sent(status("Available")))
    journal.sent(status("Faulted"))
    assert journal.last("S1", CONNECTOR).status == "Faulted"
    assert journal.last_answered("S1", CONNECTOR).status == "Available"


def test_many_meter_readings_do_not_push_the_status_out_of_memory():
    journal = Journal()
    journal.was_answered(journal.sent(status("Occupied")))
    for _ in range(1000):
        journal.sent(Report(0, "t", "S1", 0, 1, Kind.TRANSACTION, phase="Updated"))
    assert journal.reports("S1", [CONNECTOR])[0].status == "Occupied"


def test_the_file_holds_every_report_twice_and_reads_back_once(tmp_path):
    path = tmp_path / "journal.jsonl"
    journal = Journal(path)
    journal.was_answered(journal.sent(status("Available")))
    journal.sent(status("Faulted"))
    journal.close()
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [(line["n"], line["answered"]) for line in lines] == [(1, False), (1, True), (2, False)]
    assert [(report.status, report.answered) for report in read_journal(path)] == [
        ("Available", True),
        ("Faulted", False),
    ]


def test_a_line_that_a_killed_process_left_unfinished_is_ignored(tmp_path):
    path = tmp_path / "journal.jsonl"
    journal = Journal(path)
    journal.sent(status("Available"))
    journal.close()
    with path.open("a") as file:
        file.write('{"n": 2, "at": "2026')
    assert [report.n for report in read_journal(path)] == [1]
