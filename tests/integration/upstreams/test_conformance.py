"""What every upstream must do, against its mock hub and against servers that misbehave, over real sockets."""

import asyncio
import ssl
import time
from datetime import timedelta
from pathlib import Path

import pytest

from bridge.core.model import Accepted, Deferred, Held, Refused
from bridge.upstreams.http import BODY_LIMIT, Timeouts
from simulators.hubs.faults import FaultSpec

HASTY = Timeouts(timedelta(seconds=5), timedelta(seconds=1))
SOON = 5.0
CERTIFICATE = Path(__file__).parent / "tls" / "loopback.pem"


async def eventually(claim):
    """Wait until `claim()` holds, at most `SOON` seconds."""
    until = time.monotonic() + SOON
    while not claim():
        assert time.monotonic() < until, "did not become true in time"
        await asyncio.sleep(0.01)


def held(subject, mocks):
    return subject.hub(mocks).ledger.state(time.time())


def journal(subject, mocks):
    return subject.hub(mocks).ledger.journal()


async def test_accepted_value_is_held_by_the_hub(subject, mocks, connect):
    upstream = connect(subject, subject.url(mocks))
    for word in subject.words:
        answer = await upstream.push(subject.record(word))
        assert answer.outcome == Accepted()
        assert held(subject, mocks) == {subject.key: word}
    assert subject.hub(mocks).ledger.violations() == []
    assert answer.http in (200, 204)
    assert 0 <= answer.millis < 10_000


async def test_upstream_states_its_kind_and_pace(subject, connect):
    upstream = connect(subject, "http://127.0.0.1:1")
    assert upstream.kind == subject.kind
    assert upstream.per_minute == {"oicp": 1500, "chargeprice": 900}[subject.kind]
    assert upstream.takes_full_load is (subject.kind == "oicp")


async def test_removed_evse_is_withdrawn(subject, mocks, connect):
    upstream = connect(subject, subject.url(mocks))
    await upstream.push(subject.record())
    assert (await upstream.push(subject.record(delete=True))).outcome == Accepted()
    assert held(subject, mocks) == subject.deleted
    assert subject.hub(mocks).ledger.violations() == []


async def test_one_connection_serves_all_requests(subject, mocks, connect):
    upstream = connect(subject, subject.url(mocks))
    for _ in range(5):
        await upstream.push(subject.record())
    assert subject.hub(mocks).connections == 1


async def test_refused_connection_is_not_in_doubt(subject, mocks, connect):
    await subject.hub(mocks).script(FaultSpec(kind="down"))
    answer = await connect(subject, subject.url(mocks)).push(subject.record())
    assert isinstance(answer.outcome, Deferred)
    assert not answer.outcome.in_doubt
    assert answer.outcome.why.startswith("cannot connect")
    assert answer.http is None


@pytest.mark.row("T41")
async def test_hub_that_returns_is_reached_again(subject, mocks, connect):
    hub, upstream = subject.hub(mocks), connect(subject, subject.url(mocks))
    await upstream.push(subject.record(subject.words[1]))
    await hub.script(FaultSpec(kind="down"))
    assert isinstance((await upstream.push(subject.record())).outcome, Deferred)
    hub.faults.clear()
    await hub.follow_down()
    assert (await upstream.push(subject.record())).outcome == Accepted()
    assert held(subject, mocks) == {subject.key: subject.words[0]}


@pytest.mark.row("T28")
async def test_hanging_hub_is_left_in_doubt_after_the_total_timeout(subject, mocks, connect):
    await subject.hub(mocks).script(FaultSpec(kind="hang"))
    began = time.monotonic()
    answer = await connect(subject, subject.url(mocks), timeouts=HASTY).push(subject.record())
    assert answer.outcome == Deferred("no answer in time", in_doubt=True)
    assert 0.25 < time.monotonic() - began < SOON
    assert 250 < answer.millis < SOON * 1000


@pytest.mark.row("T29")
@pytest.mark.parametrize(("kind", "applied"), [("reset_before", 0), ("reset_after", 1)])
async def test_reset_is_in_doubt_and_the_request_is_never_repeated_silently(subject, mocks, connect, kind, applied):
    await subject.hub(mocks).script(FaultSpec(kind=kind))
    upstream = connect(subject, subject.url(mocks))
    answer = await upstream.push(subject.record())
    assert isinstance(answer.outcome, Deferred)
    assert answer.outcome.in_doubt
    assert len(journal(subject, mocks)) == 1
    assert len(held(subject, mocks)) == applied


@pytest.mark.row("T32")
async def test_request_applied_late_overwrites_a_newer_value(subject, mocks, connect):
    hub = subject.hub(mocks)
    await hub.script(FaultSpec(kind="late", count=1, delay_s=2.0))
    lost = await connect(subject, subject.url(mocks), timeouts=HASTY).push(subject.record(subject.words[0]))
    newer = await connect(subject, subject.url(mocks)).push(subject.record(subject.words[1]))
    assert lost.outcome.in_doubt
    assert newer.outcome == Accepted()
    assert held(subject, mocks) == {subject.key: subject.words[1]}
    await eventually(lambda: held(subject, mocks) == {subject.key: subject.words[0]})
    assert [entry["applied_order"] for entry in journal(subject, mocks)] == [2, 1]
    assert hub.ledger.violations() == []


@pytest.mark.row("T45")
async def test_request_whose_client_gave_up_is_no_parallel_one(subject, mocks, connect):
    await subject.hub(mocks).script(FaultSpec(kind="hang", count=3))
    upstream = connect(subject, subject.url(mocks), timeouts=HASTY)
    for _ in range(4):
        await upstream.push(subject.record())
    assert [entry["overlap"] for entry in journal(subject, mocks)] == [False] * 4


@pytest.mark.row("T45")
async def test_parallel_pushes_are_noticed_by_the_hub(subject, mocks, connect):
    await subject.hub(mocks).script(FaultSpec(kind="latency", delay_s=0.2))
    pushes = (connect(subject, subject.url(mocks)).push(subject.record()) for _ in range(2))
    assert [answer.outcome for answer in await asyncio.gather(*pushes)] == [Accepted(), Accepted()]
    assert sorted(entry["overlap"] for entry in journal(subject, mocks)) == [False, True]
    assert "parallel push" in subject.hub(mocks).ledger.violations()[0]["what"]


@pytest.mark.row("T25")
async def test_rate_limit_tells_when_to_come_back(subject, mocks, connect):
    await subject.hub(mocks).script(FaultSpec(kind="rate_limit", retry_after="120"))
    answer = await connect(subject, subject.url(mocks)).push(subject.record())
    assert isinstance(answer.outcome, Deferred)
    assert answer.outcome.retry_after_s == 120
    assert not answer.outcome.in_doubt
    assert answer.http == 429


@pytest.mark.parametrize("status", [500, 502, 503, 504])
async def test_server_error_is_deferred(subject, mocks, connect, status):
    await subject.hub(mocks).script(FaultSpec(kind="status", status=status))
    answer = await connect(subject, subject.url(mocks)).push(subject.record())
    assert isinstance(answer.outcome, Deferred)
    assert answer.http == status


@pytest.mark.row("T33")
async def test_html_instead_of_the_answer_is_in_doubt(subject, mocks, connect):
    await subject.hub(mocks).script(FaultSpec(kind="invalid_body", body="html"))
    answer = await connect(subject, subject.url(mocks)).push(subject.record())
    assert isinstance(answer.outcome, Deferred)
    assert answer.outcome.in_doubt


async def test_wrong_account_holds(subject, mocks, connect):
    await subject.hub(mocks).script(FaultSpec(**subject.wrong_account_fault))
    assert isinstance((await connect(subject, subject.url(mocks)).push(subject.record())).outcome, Held)


async def test_wrong_row_is_refused(subject, mocks, connect):
    await subject.hub(mocks).script(FaultSpec(**subject.wrong_row_fault))
    answer = await connect(subject, subject.url(mocks)).push(subject.record())
    assert isinstance(answer.outcome, Refused)
    assert answer.code == subject.wrong_row_fault["code"]


@pytest.mark.row("T38")
async def test_redirect_is_not_followed_and_no_credential_leaves(subject, mocks, connect, raw_server):
    async def never(_writer):
        raise AssertionError("the other host was asked")

    elsewhere = await raw_server(never)
    await subject.hub(mocks).script(FaultSpec(kind="status", status=307, location=f"{elsewhere.url}/stolen"))
    answer = await connect(subject, subject.url(mocks)).push(subject.record())
    assert isinstance(answer.outcome, Deferred)
    assert answer.http == 307
    assert elsewhere.requests == []


@pytest.mark.row("T31")
async def test_dripping_answer_is_bounded_by_the_total_timeout(subject, connect, raw_server):
    async def drip(writer):
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.05)

    server = await raw_server(drip)
    began = time.monotonic()
    answer = await connect(subject, server.url, timeouts=HASTY).push(subject.record())
    assert answer.outcome == Deferred("no answer in time", in_doubt=True)
    assert time.monotonic() - began < SOON


@pytest.mark.row("T50")
async def test_endless_answer_is_read_only_up_to_the_limit(subject, connect, raw_server):
    written = 0

    async def endless(writer):
        nonlocal written
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n")
        while True:
            writer.write(b"x" * BODY_LIMIT)
            await writer.drain()
            written += BODY_LIMIT

    server = await raw_server(endless)
    answer = await connect(subject, server.url).push(subject.record())
    assert answer.http == 200
    assert isinstance(answer.outcome, Deferred)
    assert answer.outcome.in_doubt
    assert written < 64 * 1024 * 1024


@pytest.mark.row("T30")
@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(b'HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"Result": true', id="cut-short"),
        pytest.param(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{", id="chunk-cut"),
        pytest.param(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n", id="bad-chunk"),
        pytest.param(b"SSH-2.0-OpenSSH_9.2\r\n", id="not-http"),
        pytest.param(b"HTTP/1.1 999999 X\r\n\r\n", id="odd-status"),
        pytest.param(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000 + b"\r\n\r\n", id="huge-header"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n", id="negative-length"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello", id="compressed"),
        pytest.param(b"", id="closed-without-a-word"),
    ],
)
async def test_broken_answer_is_in_doubt(subject, connect, raw_server, reply):
    async def answer_with(writer):
        writer.write(reply)

    server = await raw_server(answer_with)
    answer = await connect(subject, server.url).push(subject.record())
    assert isinstance(answer.outcome, Deferred)
    assert answer.outcome.in_doubt
    assert len(answer.outcome.why) <= 256


def server_error(body, charset):
    head = f"HTTP/1.1 500 X\r\nContent-Type: application/json;charset={charset}\r\nContent-Length: {len(body)}\r\n\r\n"

    async def answer_with(writer):
        writer.write(head.encode() + body)

    return answer_with


@pytest.mark.parametrize("charset", ["ISO-8859-1", "utf-8", '"UTF-8"', "iso-8859-15"])
async def test_error_text_is_read_in_its_charset(subject, connect, raw_server, charset):
    body = subject.error_body.encode(charset.strip('"'))

    async def answer_with(writer):
        head = (
            f"HTTP/1.1 500 X\r\nContent-Type: application/json;charset={charset}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        writer.write(head.encode() + body)

    server = await raw_server(answer_with)
    answer = await connect(subject, server.url).push(subject.record())
    assert "Störung" in answer.outcome.why


@pytest.mark.parametrize("charset", ["hex", "idna", "no-such", "undefined"])
async def test_senseless_charset_does_no_harm(subject, connect, raw_server, charset):
    body = subject.error_body.encode()

    async def answer_with(writer):
        head = (
            f"HTTP/1.1 500 X\r\nContent-Type: application/json;charset={charset}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        writer.write(head.encode() + body)

    server = await raw_server(answer_with)
    answer = await connect(subject, server.url).push(subject.record())
    assert isinstance(answer.outcome, Deferred)
    assert answer.http == 500


@pytest.mark.row("T40")
async def test_unknown_host_is_not_in_doubt(subject, connect):
    answer = await connect(subject, "http://hub.invalid", timeouts=HASTY).push(subject.record())
    assert isinstance(answer.outcome, Deferred)
    assert not answer.outcome.in_doubt


async def test_failed_tls_is_not_in_doubt(subject, connect, raw_server):
    async def not_tls(writer):
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    server = await raw_server(not_tls, listens=False)
    answer = await connect(subject, server.url.replace("http:", "https:")).push(subject.record())
    assert isinstance(answer.outcome, Deferred)
    assert answer.outcome.why.startswith("TLS failed")
    assert not answer.outcome.in_doubt


async def test_silent_tls_handshake_is_not_in_doubt(subject, connect, raw_server):
    server = await raw_server(unavailable)
    url = server.url.replace("http:", "https:")
    answer = await connect(subject, url, timeouts=HASTY).push(subject.record())
    assert answer.outcome == Deferred("no connection in time", in_doubt=False)


def server_tls(client_certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    context.load_verify_locations(CERTIFICATE)
    context.verify_mode = client_certificate
    return context


def client_tls(*, certificate):
    context = ssl.create_default_context(cafile=CERTIFICATE)
    if certificate:
        context.load_cert_chain(CERTIFICATE)
    return context


async def unavailable(writer):
    writer.write(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n")


async def test_client_certificate_and_ca_bundle_are_used(subject, connect, raw_server):
    server = await raw_server(unavailable, server_tls(ssl.CERT_REQUIRED))
    url = server.url.replace("http:", "https:")
    answer = await connect(subject, url, tls=client_tls(certificate=True)).push(subject.record())
    assert answer.http == 503


async def test_refused_client_certificate_is_named(subject, connect, raw_server):
    server = await raw_server(unavailable, server_tls(ssl.CERT_REQUIRED))
    url = server.url.replace("http:", "https:")
    answer = await connect(subject, url, tls=client_tls(certificate=False)).push(subject.record())
    assert isinstance(answer.outcome, Deferred)
    assert "client certificate refused?" in answer.outcome.why


@pytest.mark.row("T39")
async def test_hub_with_an_untrusted_certificate_gets_nothing(subject, connect, raw_server):
    server = await raw_server(unavailable, server_tls(ssl.CERT_NONE))
    answer = await connect(subject, server.url.replace("http:", "https:")).push(subject.record())
    assert isinstance(answer.outcome, Deferred)
    assert "not trusted" in answer.outcome.why
    assert not answer.outcome.in_doubt
    assert server.requests == []


async def test_cancelled_push_closes_its_connection(subject, mocks, connect):
    await subject.hub(mocks).script(FaultSpec(kind="hang"))
    push = asyncio.create_task(connect(subject, subject.url(mocks)).push(subject.record()))
    await eventually(lambda: subject.hub(mocks).ledger.summary()["open"] == 1)
    push.cancel()
    with pytest.raises(asyncio.CancelledError):
        await push
    await eventually(lambda: subject.hub(mocks).ledger.summary()["open"] == 0)


async def test_closing_twice_and_unused_is_harmless(subject, mocks):
    upstream = subject.upstream(subject.url(mocks))
    await upstream.close()
    await upstream.push(subject.record())
    await upstream.close()
    await upstream.close()


def test_tls_context_is_taken(subject):
    assert subject.upstream("https://hub", tls=ssl.create_default_context()).kind == subject.kind
