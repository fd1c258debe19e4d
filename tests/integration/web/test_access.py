"""Who is let in, from where, and how wrong keys are slowed down, on a real socket."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import ClientResponse
from aiohttp.test_utils import TestClient, TestServer
from structlog.testing import capture_logs

from bridge.core.api_keys import digest_of
from bridge.core.roles import Role
from bridge.core.throttle import ThrottleLimits
from bridge.web.access import AccessOptions
from bridge.web.peers import networks_of
from bridge.web.route_table import ROUTES
from bridge.web.routes import create_app
from tests.integration.web.fake_keys import FakeRing, known

TOKEN = "test-token-of-more-than-thirty-two-characters"
KEY, OPERATOR = "ocppb_viewer", "ocppb_operator"
STATUS = "/api/v1/status"


class Elapsed:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def elapsed() -> Elapsed:
    return Elapsed()


@pytest.fixture
def ring() -> FakeRing:
    return FakeRing(known(3, digest_of(KEY), Role.VIEWER), known(4, digest_of(OPERATOR), Role.OPERATOR))


@pytest.fixture
async def client(services: Any, ring: FakeRing, elapsed: Elapsed) -> AsyncIterator[TestClient]:
    """Behind a proxy at 127.0.0.1, so that a test can come from any address."""
    access = AccessOptions(
        ring=ring,
        throttle=ThrottleLimits(free=3, answered=20),
        proxies=networks_of(["127.0.0.1", "10.0.0.0/8"]),
        monotonic=elapsed,
    )
    async with TestClient(TestServer(create_app(services, TOKEN, access=access), host="127.0.0.1")) as found:
        yield found


async def ask(client: TestClient, key: str, sender: str, path: str = STATUS) -> ClientResponse:
    return await client.get(path, headers={"X-API-Key": key, "X-Forwarded-For": sender})


async def fail(client: TestClient, times: int, sender: str) -> list[int]:
    return [(await ask(client, f"wrong-{number}", sender)).status for number in range(times)]


async def test_wrong_keys_are_followed_by_a_wait_that_doubles(client: TestClient, elapsed: Elapsed) -> None:
    assert await fail(client, 4, "192.0.2.1") == [401, 401, 401, 401]
    blocked = await ask(client, "wrong", "192.0.2.1")
    assert (blocked.status, blocked.headers["Retry-After"]) == (429, "2")
    assert (await blocked.json())["detail"] == "too many wrong keys from this address: wait 2 s"
    elapsed.now += 1.0
    assert await fail(client, 2, "192.0.2.1") == [401, 429]
    elapsed.now += 1.9
    assert await fail(client, 1, "192.0.2.1") == [429]
    elapsed.now += 0.1
    assert await fail(client, 1, "192.0.2.1") == [401]


async def test_while_it_waits_not_even_a_right_key_is_taken_that_was_never_right_from_there(
    client: TestClient, elapsed: Elapsed
) -> None:
    await fail(client, 4, "192.0.2.1")
    assert (await ask(client, KEY, "192.0.2.1")).status == 429
    elapsed.now += 1.0
    assert (await ask(client, KEY, "192.0.2.1")).status == 200


async def test_a_right_key_is_never_locked_out_by_failures_elsewhere_nor_by_its_neighbour_s(
    client: TestClient,
) -> None:
    assert (await ask(client, KEY, "192.0.2.1")).status == 200
    await fail(client, 10, "192.0.2.1")
    assert (await ask(client, KEY, "192.0.2.1")).status == 200
    assert (await ask(client, OPERATOR, "192.0.2.2")).status == 200


async def test_a_subscriber_s_ipv6_network_is_one_sender(client: TestClient) -> None:
    for number in range(4):
        await fail(client, 1, f"2001:db8:0:1::{number:x}")
    assert await fail(client, 1, "2001:db8:0:1:ffff::1") == [429]
    assert await fail(client, 1, "2001:db8:0:2::1") == [401]


async def test_a_flood_from_everywhere_is_neither_answered_one_by_one_nor_logged(client: TestClient) -> None:
    with capture_logs() as lines:
        statuses = [(await fail(client, 1, f"192.0.2.{number}"))[0] for number in range(1, 31)]
    assert statuses == [401] * 20 + [429] * 10
    assert sum(line["event"] == "key_refused" for line in lines) == 20
    assert "wrong" not in repr(lines)
    assert (await ask(client, KEY, "192.0.2.200")).status == 200


async def test_the_login_form_is_slowed_down_like_a_request(client: TestClient) -> None:
    headers = {"X-Forwarded-For": "192.0.2.1"}
    places = []
    for _ in range(5):
        response = await client.post("/session", data={"key": "wrong"}, headers=headers, allow_redirects=False)
        places.append(response.headers["Location"])
    assert places == ["/login?failed=1&next=/"] * 4 + ["/login?failed=1&wait=2&next=/"]
    assert response.headers["Retry-After"] == "2"
    assert (await ask(client, "wrong", "192.0.2.1")).status == 429


async def test_no_key_at_all_is_no_failure(client: TestClient) -> None:
    for _ in range(10):
        assert (await client.get(STATUS, headers={"X-Forwarded-For": "192.0.2.1"})).status == 401
    assert await fail(client, 1, "192.0.2.1") == [401]


async def test_a_right_key_is_noted_as_used_and_a_wrong_one_is_not(client: TestClient, ring: FakeRing) -> None:
    await ask(client, KEY, "192.0.2.1")
    await ask(client, "wrong", "192.0.2.1")
    assert ring.uses == [3]


# --- whom a proxy speaks for ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("forwarded", "address"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("203.0.113.9, 192.0.2.7", "192.0.2.7"),
        ("192.0.2.7, 10.1.2.3", "192.0.2.7"),
        ("192.0.2.7:4711", "192.0.2.7"),
        ("[2001:db8::7]:4711", "2001:db8::7"),
        ("", "127.0.0.1"),
        (None, "127.0.0.1"),
    ],
)
async def test_the_last_address_counts_that_is_no_proxy_of_ours(
    client: TestClient, forwarded: str | None, address: str
) -> None:
    headers = {"X-API-Key": "wrong"} | ({} if forwarded is None else {"X-Forwarded-For": forwarded})
    with capture_logs() as lines:
        await client.get(STATUS, headers=headers)
    assert [line["address"] for line in lines if line["event"] == "key_refused"] == [address]


async def test_a_proxy_s_header_that_nobody_can_be_sure_of_is_400(client: TestClient) -> None:
    twice = [("X-Forwarded-For", "192.0.2.7"), ("X-Forwarded-For", "192.0.2.8"), ("X-API-Key", KEY)]
    assert (await client.get(STATUS, headers=twice)).status == 400
    assert (await ask(client, KEY, "unknown")).status == 400


async def test_nobody_else_is_believed(services: Any) -> None:
    access = AccessOptions(throttle=ThrottleLimits(free=3), proxies=networks_of(["192.0.2.1"]))
    async with TestClient(TestServer(create_app(services, TOKEN, access=access), host="127.0.0.1")) as client:
        for number in range(4):
            await fail(client, 1, f"198.51.100.{number}")
        assert (await ask(client, "wrong", "198.51.100.9")).status == 429
        headers = {"X-Forwarded-Proto": "https"}
        response = await client.post("/session", data={"key": "x"}, headers=headers, allow_redirects=False)
        assert response.headers["Location"].startswith("/login?failed=1&wait=")


async def test_over_https_the_cookie_is_secure_and_no_other_is_read(client: TestClient) -> None:
    https = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "192.0.2.1"}
    login = await client.post("/session", data={"key": KEY}, headers=https, allow_redirects=False)
    name, _, rest = login.headers["Set-Cookie"].partition("=")
    value = rest.partition(";")[0]
    assert name == "__Host-ocpp-bridge"
    assert login.headers["Set-Cookie"].endswith("; HttpOnly; SameSite=Strict; Secure")
    assert (await client.get(STATUS, headers={**https, "Cookie": f"{name}={value}"})).status == 200
    assert (await client.get(STATUS, headers={**https, "Cookie": f"ocpp-bridge={value}"})).status == 401


# --- roles ------------------------------------------------------------------------------------------------------------


async def test_a_viewer_is_refused_every_request_that_needs_more(client: TestClient, services: Any) -> None:
    refused = []
    for route in client.app[ROUTES].values():  # type: ignore[union-attr]
        if route.role in (None, Role.VIEWER):
            continue
        path = route.template.replace("{id}", "1").replace("{", "").replace("}", "")
        response = await client.request(route.method, path, json={}, headers={"X-API-Key": KEY})
        refused.append((route.method, path, response.status))
    assert len(refused) > 20
    assert [request for request in refused if request[2] != 403] == []
    assert services.orders == []


async def test_spirii_s_clients_are_refused_in_their_own_words(client: TestClient) -> None:
    headers = {"Authorization": f"Bearer {KEY}", "X-Request-ID": "r"}
    refused = await client.post("/v2/temporary-evse-statuses", json={}, headers=headers)
    assert (refused.status, await refused.json()) == (
        403,
        {
            "error": {
                "type": "permission_error",
                "code": "forbidden",
                "message": "the role operator is needed for this, and the key 'key-3' has viewer",
                "param": None,
                "request_id": "r",
            }
        },
    )
    await fail(client, 4, "127.0.0.1")
    wrong = {"Authorization": "Bearer wrong", "X-Request-ID": "r"}
    slowed = await client.get("/v2/temporary-evse-statuses", headers=wrong)
    assert (slowed.status, slowed.headers["Retry-After"]) == (429, "2")
    error = (await slowed.json())["error"]
    assert (error["type"], error["code"]) == ("rate_limit_error", "too_many_requests")


# --- headers ----------------------------------------------------------------------------------------------------------


async def test_every_answer_tells_browsers_to_keep_it_to_themselves(client: TestClient) -> None:
    for path, key in ((STATUS, KEY), (STATUS, "wrong"), ("/livez", ""), ("/nowhere", KEY), ("/api/v1/keys", KEY)):
        response = await ask(client, key, "192.0.2.1", path)
        said = response.headers
        assert said["Content-Security-Policy"].startswith("default-src 'none'; frame-ancestors 'none'")
        assert (said["X-Content-Type-Options"], said["X-Frame-Options"]) == ("nosniff", "DENY")
        assert (said["Referrer-Policy"], said["Cross-Origin-Resource-Policy"]) == ("same-origin", "same-origin")
        assert "Access-Control-Allow-Origin" not in said
