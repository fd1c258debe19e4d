"""Temporary statuses against the mock Spirii: creation, change, deletion, lost answers, and entries of others."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta

import pytest

from bridge.core.documents import DocumentKind, Learnt, Remote, canonical_json
from bridge.core.model import Accepted, Deferred, Held, Refused, WrongAction
from bridge.upstreams.http import Timeouts
from bridge.upstreams.port import Answer, Document
from bridge.upstreams.spirii import Spirii, SpiriiOptions
from simulators.hubs.faults import FaultSpec
from simulators.hubs.mocks import MockOptions, Mocks
from simulators.hubs.spirii_options import OthersEntry
from simulators.hubs.spirii_options import SpiriiOptions as MockSpirii

EVSE = "DK*SPI*E123*1"
FROM, TO = "2125-04-23T10:00:00Z", "2125-04-23T18:00:00Z"
OTHERS = OthersEntry(
    id=900,
    evse_id=EVSE,
    status="MAINTENANCE",
    valid_from=datetime(2125, 4, 23, 10, tzinfo=UTC),
    valid_to=datetime(2125, 4, 23, 18, tzinfo=UTC),
)


def wish(kind: str = "MAINTENANCE", valid_to: str | None = TO) -> str:
    return canonical_json({"evseId": EVSE, "temporaryStatus": kind, "validFrom": FROM, "validTo": valid_to})


def document(content: str, **more: object) -> Document:
    remote = Remote(str(more.pop("id", "")), lost=tuple(more.pop("lost", ())))
    return Document(DocumentKind.TEMPORARY, "1", content, remote=remote, **more)


@pytest.fixture
async def mocks() -> AsyncIterator[Mocks]:
    async with Mocks(MockOptions(spirii=MockSpirii())) as running:
        yield running


@pytest.fixture
async def connect(mocks: Mocks) -> AsyncIterator[Callable[..., Spirii]]:
    made: list[Spirii] = []

    def make(url: str | None = None, key: str = "spirii-key", total_s: float = 5.0) -> Spirii:
        timeouts = Timeouts(timedelta(seconds=5), timedelta(seconds=total_s))
        made.append(Spirii(SpiriiOptions(url or mocks.spirii_url, key, timeouts)))
        return made[-1]

    yield make
    for upstream in made:
        await upstream.close()


@pytest.fixture
def spirii(connect: Callable[..., Spirii]) -> Spirii:
    return connect()


def entries(mocks: Mocks) -> dict[str, tuple[str, str | None]]:
    held = mocks.spirii.ledger.documents("temporary")
    return {key: (entry["temporaryStatus"], entry["validTo"]) for key, entry in held.items()}


def actions(mocks: Mocks) -> list[str]:
    return [entry["action"] for entry in mocks.spirii.ledger.journal()]


def assert_rules_kept(mocks: Mocks) -> None:
    assert mocks.spirii.ledger.violations() == []


async def test_entry_is_created_changed_and_deleted_by_the_id_that_spirii_gave(mocks: Mocks, spirii: Spirii) -> None:
    created = await spirii.push_document(document(wish()))
    assert (created.outcome, created.http, created.learnt) == (Accepted(), 201, Learnt("1"))
    changed = await spirii.push_document(document(wish("BLOCKED"), id="1"))
    assert (changed.outcome, changed.http, changed.learnt) == (Accepted(), 200, Learnt("1"))
    assert entries(mocks) == {"1": ("BLOCKED", TO)}
    endless = await spirii.push_document(document(wish("BLOCKED", None), id="1"))
    assert endless.outcome == Accepted()
    assert entries(mocks) == {"1": ("BLOCKED", None)}
    deleted = await spirii.push_document(document("", id="1", acked=wish()))
    assert (deleted.outcome, deleted.http, deleted.learnt) == (Accepted(), 204, Learnt("", lost=()))
    assert entries(mocks) == {}
    assert actions(mocks) == ["create", "update", "update", "delete"]
    assert [answer.requests for answer in (created, changed, endless, deleted)] == [1, 1, 1, 1]
    assert_rules_kept(mocks)


async def test_entry_without_an_end_is_created_without_one(mocks: Mocks, spirii: Spirii) -> None:
    assert (await spirii.push_document(document(wish(valid_to=None)))).outcome == Accepted()
    assert entries(mocks) == {"1": ("MAINTENANCE", None)}


async def test_deletion_of_what_was_never_made_asks_for_nothing(mocks: Mocks, spirii: Spirii) -> None:
    answer = await spirii.push_document(document(""))
    assert (answer.outcome, answer.requests) == (Accepted(), 0)
    assert actions(mocks) == []


# --- lost answers -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "made"), [("reset_after", 1), ("reset_before", 0)])
async def test_creation_whose_answer_was_lost_is_found_or_made_and_never_twice(
    mocks: Mocks, spirii: Spirii, kind: str, made: int
) -> None:
    await mocks.spirii.script(FaultSpec(kind=kind, count=1))
    lost = await spirii.push_document(document(wish()))
    assert isinstance(lost.outcome, Deferred)
    assert (lost.outcome.in_doubt, lost.learnt) == (True, Learnt(lost=(wish(),)))
    assert len(entries(mocks)) == made
    again = await spirii.push_document(document(wish(), lost=[wish()]))
    assert again.outcome == Accepted()
    assert actions(mocks) == ["create", "list"] + ["create"] * (1 - made)
    assert again.requests == 2 - made
    assert entries(mocks) == {again.learnt.id: ("MAINTENANCE", TO)}
    assert_rules_kept(mocks)


async def test_what_a_lost_creation_made_is_changed_to_what_is_wanted_now(mocks: Mocks, spirii: Spirii) -> None:
    await spirii.push_document(document(wish()))
    answer = await spirii.push_document(document(wish("RESERVED"), lost=[wish()]))
    assert (answer.outcome, answer.learnt) == (Accepted(), Learnt("1"))
    assert entries(mocks) == {"1": ("RESERVED", TO)}
    assert actions(mocks) == ["create", "list", "update"]


async def test_entry_is_ours_from_the_moment_it_is_found_even_if_its_change_fails(mocks: Mocks, spirii: Spirii) -> None:
    await spirii.push_document(document(wish()))
    await mocks.spirii.script(FaultSpec(kind="status", status=503, action=("update",)))
    answer = await spirii.push_document(document(wish("RESERVED"), lost=[wish()]))
    assert isinstance(answer.outcome, Deferred)
    assert answer.learnt.id == "1"


async def test_further_entries_that_lost_creations_made_are_deleted(mocks: Mocks, spirii: Spirii) -> None:
    for kind in ("MAINTENANCE", "BLOCKED"):
        await spirii.push_document(document(wish(kind)))
    answer = await spirii.push_document(document(wish("RESERVED"), lost=[wish(), wish("BLOCKED")]))
    assert (answer.outcome, answer.learnt.id) == (Accepted(), "2")
    assert entries(mocks) == {"2": ("RESERVED", TO)}
    assert_rules_kept(mocks)


async def test_removed_while_in_doubt_is_deleted_if_it_was_made(mocks: Mocks, spirii: Spirii) -> None:
    await spirii.push_document(document(wish()))
    answer = await spirii.push_document(document("", lost=[wish()]))
    assert (answer.outcome, answer.learnt) == (Accepted(), Learnt("", lost=()))
    assert entries(mocks) == {}
    again = await spirii.push_document(document("", lost=[wish()]))
    assert (again.outcome, actions(mocks)) == (Accepted(), ["create", "list", "delete", "list"])


@pytest.mark.parametrize(
    "spec",
    [
        pytest.param({"kind": "status", "status": 503}, id="503"),
        pytest.param({"kind": "reset_before"}, id="reset"),
        pytest.param({"kind": "invalid_body", "body": "html"}, id="a page in its place"),
        pytest.param({"kind": "invalid_body", "body": "empty"}, id="nothing in its place"),
        pytest.param({"kind": "status", "status": 302}, id="a redirect"),
    ],
)
async def test_without_the_list_nothing_is_made_and_nothing_forgotten(
    mocks: Mocks, spirii: Spirii, spec: dict[str, object]
) -> None:
    await spirii.push_document(document(wish()))
    await mocks.spirii.script(FaultSpec(**spec, action=("list",)))
    answer = await spirii.push_document(document(wish(), lost=[wish()]))
    assert isinstance(answer.outcome, Deferred)
    assert (answer.outcome.in_doubt, answer.learnt.lost) == (False, (wish(),))
    assert actions(mocks)[:2] == ["create", "list"]
    assert "create" not in actions(mocks)[1:]


@pytest.mark.parametrize("body", ["empty", "html", "not_json"])
async def test_answer_to_a_creation_that_names_no_id_is_in_doubt(mocks: Mocks, spirii: Spirii, body: str) -> None:
    await mocks.spirii.script(FaultSpec(kind="invalid_body", body=body))
    answer = await spirii.push_document(document(wish()))
    assert isinstance(answer.outcome, Deferred)
    assert (answer.outcome.in_doubt, answer.learnt.lost) == (True, (wish(),))


# --- others' entries --------------------------------------------------------------------------------------------------


async def test_equal_entry_of_somebody_else_is_refused_and_stays(mocks: Mocks, spirii: Spirii) -> None:
    mocks.spirii.hub.configure({"entries": (OTHERS,)})
    answer = await spirii.push_document(document(wish()))
    assert isinstance(answer.outcome, Refused)
    assert answer.outcome.why.startswith("HTTP 409: duplicate ")
    assert "an equal entry that somebody else made stays as it is" in answer.outcome.why
    assert (answer.code, answer.learnt, answer.requests) == ("duplicate", Learnt(lost=()), 1)
    assert answer.reference.startswith("req_")
    assert actions(mocks) == ["create"]


async def test_entry_that_is_known_as_somebody_elses_is_never_taken_for_a_lost_one(
    mocks: Mocks, spirii: Spirii
) -> None:
    mocks.spirii.hub.configure({"entries": (OTHERS,)})
    answer = await spirii.push_document(document(wish(), lost=[wish()], foreign=frozenset({"900"})))
    assert isinstance(answer.outcome, Refused)
    removed = await spirii.push_document(document("", lost=[wish()], foreign=frozenset({"900"})))
    assert removed.outcome == Accepted()
    assert actions(mocks) == ["list", "create", "list", "list"]
    assert_rules_kept(mocks)


async def test_creation_that_lands_between_list_and_creation_is_found_by_its_duplicate(
    mocks: Mocks, spirii: Spirii
) -> None:
    await mocks.spirii.script(FaultSpec(kind="status", status=409, action=("create",), applied=True))
    answer = await spirii.push_document(document(wish(), lost=[wish()]))
    assert (answer.outcome, answer.learnt.id) == (Accepted(), "1")
    assert actions(mocks) == ["list", "create", "list"]


async def test_survey_reads_everything_whoever_made_it_and_whenever_it_begins(mocks: Mocks, spirii: Spirii) -> None:
    mocks.spirii.hub.configure({"entries": (OTHERS,)})
    await spirii.push_document(document(wish("BLOCKED", None)))
    answer = await spirii.survey()
    assert answer.outcome == Accepted()
    assert answer.entries is not None
    assert [(entry.remote_id, entry.kind, entry.valid_to) for entry in answer.entries] == [
        ("1", "BLOCKED", None),
        ("900", "MAINTENANCE", TO),
    ]


# --- gone, or not found -----------------------------------------------------------------------------------------------


async def test_entry_that_the_list_does_not_have_either_is_gone(mocks: Mocks, spirii: Spirii) -> None:
    changed = await spirii.push_document(document(wish(), id="7", acked=wish()))
    assert changed.outcome == WrongAction(False, "the entry is gone at Spirii")
    assert (changed.learnt, changed.requests) == (Learnt("", lost=()), 2)
    deleted = await spirii.push_document(document("", id="7", acked=wish()))
    assert (deleted.outcome, deleted.learnt) == (Accepted(), Learnt("", lost=()))
    assert_rules_kept(mocks)


async def test_wrong_address_forgets_no_entry(mocks: Mocks, spirii: Spirii, connect: Callable[..., Spirii]) -> None:
    await spirii.push_document(document(wish()))
    lost = connect(f"{mocks.spirii_url}/v2")
    for content in (wish("BLOCKED"), ""):
        answer = await lost.push_document(document(content, id="1", acked=wish()))
        assert isinstance(answer.outcome, Refused)
        assert answer.learnt.id is None
    assert entries(mocks) == {"1": ("MAINTENANCE", TO)}


async def test_404_about_an_entry_that_is_there_does_not_forget_it(mocks: Mocks, spirii: Spirii) -> None:
    await spirii.push_document(document(wish()))
    await mocks.spirii.script(FaultSpec(kind="status", status=404, action=("update", "delete")))
    for content in (wish("BLOCKED"), ""):
        answer = await spirii.push_document(document(content, id="1", acked=wish()))
        assert isinstance(answer.outcome, Refused)
        assert answer.learnt.id is None


# --- each documented answer -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (400, Refused),
        (401, Held),
        (403, Held),
        (404, Refused),
        (409, Refused),
        (422, Refused),
        (429, Deferred),
        (500, Deferred),
        (503, Deferred),
    ],
)
@pytest.mark.parametrize(("content", "remote_id"), [(wish(), ""), (wish("BLOCKED"), "1"), ("", "1")])
async def test_each_answer_of_the_document_to_each_request(
    mocks: Mocks, spirii: Spirii, status: int, expected: type, content: str, remote_id: str
) -> None:
    if remote_id:
        await spirii.push_document(document(wish()))
    await mocks.spirii.script(FaultSpec(kind="status", status=status, action=("create", "update", "delete")))
    answer = await spirii.push_document(document(content, id=remote_id, acked=wish()))
    assert isinstance(answer.outcome, expected), answer
    assert answer.http == status
    assert EVSE not in str(answer.outcome)
    assert "spirii-key" not in repr(answer)
    if isinstance(answer.outcome, Deferred):
        assert answer.outcome.in_doubt is (status >= 500)


async def test_unknown_evse_is_refused_and_leaves_nothing_in_doubt(mocks: Mocks, spirii: Spirii) -> None:
    mocks.spirii.hub.configure({"evses": ("DK*SPI*E9",)})
    answer = await spirii.push_document(document(wish()))
    assert (answer.outcome, answer.code) == (
        Refused("HTTP 404: evse_not_found There is no such EVSE. (evseId)"),
        "evse_not_found",
    )
    assert answer.learnt == Learnt(lost=())


async def test_wrong_key_holds_the_account(connect: Callable[..., Spirii]) -> None:
    answer = await connect(key="another-key").push_document(document(wish()))
    assert isinstance(answer.outcome, Held)
    assert "another-key" not in repr(answer)
    assert (answer.code, answer.learnt) == ("invalid_api_key", Learnt(lost=()))


async def test_hub_that_hangs_leaves_the_creation_in_doubt(mocks: Mocks, connect: Callable[..., Spirii]) -> None:
    await mocks.spirii.script(FaultSpec(kind="hang", applied=True, count=1))
    answer = await connect(total_s=0.3).push_document(document(wish()))
    assert answer.outcome == Deferred("no answer in time", in_doubt=True)
    assert entries(mocks) == {"1": ("MAINTENANCE", TO)}


async def test_refused_connection_leaves_nothing_in_doubt(mocks: Mocks, spirii: Spirii) -> None:
    await mocks.spirii.script(FaultSpec(kind="down"))
    answer = await spirii.push_document(document(wish()))
    assert isinstance(answer.outcome, Deferred)
    assert (answer.outcome.in_doubt, answer.learnt) == (False, Learnt(lost=()))


# --- rates ------------------------------------------------------------------------------------------------------------


async def test_last_request_of_a_window_pauses_until_the_reset(mocks: Mocks, spirii: Spirii) -> None:
    mocks.spirii.hub.configure({"writes_per_minute": 2})
    assert (await spirii.push_document(document(wish()))).pause_s == 0
    assert 50 < (await spirii.push_document(document(wish("BLOCKED"), id="1"))).pause_s <= 61


async def test_push_of_several_requests_stops_where_the_rate_is_used_up(mocks: Mocks, spirii: Spirii) -> None:
    for kind in ("MAINTENANCE", "BLOCKED"):
        await spirii.push_document(document(wish(kind)))
    mocks.spirii.hub.configure({"writes_per_minute": 3})
    lost = [wish(), wish("BLOCKED")]
    answer: Answer = await spirii.push_document(document(wish("RESERVED"), lost=lost))
    assert isinstance(answer.outcome, Deferred)
    assert answer.learnt.id == "2"
    assert entries(mocks) == {"2": ("BLOCKED", TO)}
    assert answer.pause_s > 50
    assert_rules_kept(mocks)
