"""Each code of OICP, in each way that it may be written: what comes of the EVSE and of the account."""

from __future__ import annotations

import asyncio
import itertools
import json

import pytest

from tests.catalogue.recording import Tally
from tests.torture.hub_faults.subjects import SUBJECTS, Subject, verdict
from tests.torture.hub_faults.wire import Raw, playing

OICP = [subject for subject in SUBJECTS if subject.hub == "oicp"]

CODES = {
    "000": "in doubt",  # with Result false: the two contradict each other
    "001": "deferred",
    "002": "deferred",
    "009": "deferred",
    "017": "held",
    "018": "refused",
    "021": "deferred",
    "022": "refused",
    "210": "held",
    "300": "held",
    "310": "deferred",
    "320": "deferred",
    "603": "wrongaction",
    "604": "refused",
    "999": "deferred",
    "ABC": "deferred",
    "": "in doubt",
}
"""Source: OICP 2.3 CPO, CodeType; of an update's answer with Result false."""
IN_A_FULL_LOAD = {"603": "refused"}
"""There is no other action to try."""
SAYS = {"017": "client certificate", "210": "no valid contract", "300": "OperatorID or address is wrong"}


def reply(document: object, status: bytes = b"200 OK") -> Raw:
    body = json.dumps(document).encode()
    return Raw(b"HTTP/1.1 " + status + b"\r\nContent-Length: %d\r\n\r\n" % len(body) + body)


async def found(subject: Subject, answer: Raw) -> tuple[str, str]:
    """Return what comes of the answer, and why."""
    async with playing((answer,), subject.success, subject.body) as hub:
        opened = subject.upstream(hub.url)
        first = await subject.act(opened)
        assert verdict(await subject.act(opened)) == "accepted"
        await opened.close()
        assert hub.connections == 1, "an answer that is whole costs no connection"
    return verdict(first), getattr(first.outcome, "why", "")


@pytest.mark.row("T34")
@pytest.mark.parametrize("status", [b"200 OK", b"400 Bad Request", b"500 Oops"])
@pytest.mark.parametrize("code", CODES)
async def test_each_code_has_its_outcome_whatever_the_http_status(code: str, status: bytes, tally: Tally) -> None:
    document = {"Result": False, "StatusCode": {"Code": code, "Description": "d", "AdditionalInfo": None}}
    answers = await asyncio.gather(*(found(subject, reply(document, status)) for subject in OICP))
    for subject, (outcome, why) in zip(OICP, answers, strict=True):
        assert outcome == expected(code, status, full=subject.name == "oicp-full-load"), (subject.name, why)
        assert SAYS.get(code, "") in why
    tally.count(faults=len(OICP))


def expected(code: str, status: bytes, *, full: bool) -> str:
    """The code wins where it is known; what it leaves deferred is in doubt where the HTTP status does not deny it."""
    known = CODES[code] if code not in ("000", "999", "ABC", "") else ""
    outcome = IN_A_FULL_LOAD.get(code, known) if full else known
    if outcome == "deferred" and status.startswith(b"5"):
        return "in doubt"
    if outcome:
        return outcome
    return {b"2": CODES[code], b"4": "refused", b"5": "in doubt"}[status[:1]]


NOT_PROVEN = {
    "result-true-but-017": ({"Result": True, "StatusCode": {"Code": "017"}}, "held"),
    "result-true-but-018": ({"Result": True, "StatusCode": {"Code": "018"}}, "refused"),
    "result-true-but-001": ({"Result": True, "StatusCode": {"Code": "001"}}, "in doubt"),
    "result-true-but-999": ({"Result": True, "StatusCode": {"Code": "999"}}, "in doubt"),
    "result-true-without-code": ({"Result": True}, "in doubt"),
    "result-false-without-code": ({"Result": False}, "in doubt"),
    "result-missing": ({"StatusCode": {"Code": "000"}}, "in doubt"),
    "result-null": ({"Result": None, "StatusCode": {"Code": "000"}}, "in doubt"),
    "result-in-another-case": ({"result": True, "statusCode": {"code": "000"}}, "in doubt"),
    "code-with-spaces": ({"Result": True, "StatusCode": {"Code": " 000"}}, "in doubt"),
    "code-too-short": ({"Result": True, "StatusCode": {"Code": "0"}}, "in doubt"),
    "status-code-a-string": ({"Result": True, "StatusCode": "000"}, "in doubt"),
    "status-code-a-list": ({"Result": True, "StatusCode": [{"Code": "000"}]}, "in doubt"),
    "status-code-null": ({"Result": True, "StatusCode": None}, "in doubt"),
    "in-an-envelope": ({"data": {"Result": True, "StatusCode": {"Code": "000"}}}, "in doubt"),
    "a-list": ([{"Result": True, "StatusCode": {"Code": "000"}}], "in doubt"),
    "an-object-without-anything": ({}, "in doubt"),
    "null": (None, "in doubt"),
    "true": (True, "in doubt"),
}


@pytest.mark.row("T33")
@pytest.mark.parametrize(("document", "wanted"), NOT_PROVEN.values(), ids=NOT_PROVEN)
async def test_only_result_true_with_code_000_is_acceptance(document: object, wanted: str) -> None:
    answers = await asyncio.gather(*(found(subject, reply(document)) for subject in OICP))
    assert [outcome for outcome, _ in answers] == [wanted] * len(OICP)


TRUTHS = ("true", "True", 1, "1", "yes", [True], {"": True})


@pytest.mark.row("T33")
@pytest.mark.parametrize("truth", TRUTHS, ids=repr)
async def test_a_result_that_only_looks_true_is_no_acceptance(truth: object) -> None:
    document = {"Result": truth, "StatusCode": {"Code": "000"}}
    answers = await asyncio.gather(*(found(subject, reply(document)) for subject in OICP))
    assert [outcome for outcome, _ in answers] == ["in doubt"] * len(OICP)


@pytest.mark.row("T33", "T34")
async def test_a_code_that_is_a_number_proves_nothing() -> None:
    """Codes are strings: 17 may be "017" or "17", and 0 is not "000"."""
    for result, code in itertools.product((True, False), (0, 1, 17, 18, 210, 300, 603, 17.0, True, None)):
        document = {"Result": result, "StatusCode": {"Code": code}}
        answers = await asyncio.gather(*(found(subject, reply(document)) for subject in OICP))
        assert [outcome for outcome, _ in answers] == ["in doubt"] * len(OICP), (result, code)
