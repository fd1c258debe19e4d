"""Logging in with a form, on a real socket: the cookie, the token of its forms, and what another site cannot do."""

from __future__ import annotations

import re
from http.cookies import SimpleCookie
from typing import Any

import pytest
from aiohttp import CookieJar, web
from aiohttp.test_utils import TestClient, TestServer

from bridge.core.roles import Role
from bridge.web.auth import CSRF
from bridge.web.route_table import Route, add_routes
from bridge.web.routes import create_app

TOKEN = "test-token-of-more-than-thirty-two-characters"
STATUS = "/api/v1/status"


async def log_in(client: TestClient, key: str = TOKEN, **options: Any) -> Any:
    form = {"key": key, "next": options.pop("next", "/evses?status=faulted")}
    return await client.post("/session", data=form, allow_redirects=False, **options)


@pytest.fixture
async def browser(services: Any) -> Any:
    """A client that keeps cookies, also those of an address; without a page there is a route that shows the token."""

    async def token(request: web.Request) -> web.Response:
        return web.Response(text=request[CSRF])

    app = create_app(services, TOKEN)
    add_routes(app, [Route("GET", "/token", token, Role.VIEWER, "Show the token.", "test", page=True)])
    async with TestClient(TestServer(app, host="127.0.0.1"), cookie_jar=CookieJar(unsafe=True)) as found:
        yield found


async def test_a_right_key_begins_a_session_and_leads_to_where_one_wanted(browser: TestClient) -> None:
    response = await log_in(browser)
    assert (response.status, response.headers["Location"]) == (303, "/evses?status=faulted")
    value = re.fullmatch(
        r"ocpp-bridge=([A-Za-z0-9_-]{119}); Path=/; Max-Age=43200; HttpOnly; SameSite=Strict",
        response.headers["Set-Cookie"],
    )
    assert value is not None
    assert TOKEN not in value[1]
    assert (await browser.get(STATUS)).status == 200


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example/", "javascript:alert(1)"])
async def test_nobody_is_led_elsewhere(browser: TestClient, elsewhere: str) -> None:
    assert (await log_in(browser, next=elsewhere)).headers["Location"] == "/"


async def test_a_wrong_key_leads_back_to_the_login_page_without_a_cookie(browser: TestClient) -> None:
    response = await log_in(browser, "wrong")
    assert (response.status, response.headers["Location"]) == (
        303,
        "/login?failed=1&next=/evses%3Fstatus%3Dfaulted",
    )
    assert "Set-Cookie" not in response.headers
    assert (await browser.get(STATUS)).status == 401


async def test_the_key_counts_in_no_address(client: TestClient) -> None:
    for query in (f"key={TOKEN}", f"api_key={TOKEN}", f"token={TOKEN}"):
        assert (await client.get(f"{STATUS}?{query}")).status == 401
    assert (
        (await client.post(f"/session?key={TOKEN}", data={"next": "/"}, allow_redirects=False))
        .headers["Location"]
        .startswith("/login?failed=1")
    )


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
    ],
)
async def test_another_site_can_log_nobody_in(browser: TestClient, headers: dict[str, str]) -> None:
    response = await log_in(browser, headers=headers)
    assert response.status == 403
    assert "Set-Cookie" not in response.headers


async def test_an_order_by_cookie_needs_the_token_of_its_session(browser: TestClient, services: Any) -> None:
    await log_in(browser)
    path = "/api/v1/upstreams/hubject/disable"
    csrf = await (await browser.get("/token")).text()
    refused = [
        await browser.post(path),
        await browser.post(path, headers={"X-CSRF-Token": csrf[:-1] + "!"}),
        await browser.post(path, headers={"X-CSRF-Token": ""}),
        await browser.post(path, data={"csrf": "x"}),
        await browser.post(f"{path}?csrf={csrf}"),
        await browser.post(path, headers={"X-CSRF-Token": csrf, "Sec-Fetch-Site": "cross-site"}),
        await browser.post(path, headers={"X-CSRF-Token": csrf, "Origin": "https://evil.example"}),
    ]
    assert [response.status for response in refused] == [403] * 7
    assert services.orders == []
    assert (await browser.post(path, headers={"X-CSRF-Token": csrf})).status == 200
    assert (await browser.post(path, data={"csrf": csrf})).status == 200
    own = {"X-CSRF-Token": csrf, "Origin": f"http://127.0.0.1:{browser.port}", "Sec-Fetch-Site": "same-origin"}
    assert (await browser.post(path, headers=own)).status == 200
    assert len(services.orders) == 3


async def test_whoever_shows_a_key_needs_no_token_even_with_a_cookie(browser: TestClient) -> None:
    await log_in(browser)
    headers = {"Authorization": f"Bearer {TOKEN}"}
    assert (await browser.post("/api/v1/upstreams/hubject/disable", headers=headers)).status == 200


async def test_a_wrong_key_is_refused_though_the_cookie_is_right(browser: TestClient) -> None:
    await log_in(browser)
    assert (await browser.get(STATUS, headers={"X-API-Key": "wrong"})).status == 401


async def test_who_logs_out_is_out_with_every_copy_of_the_cookie(browser: TestClient) -> None:
    made = SimpleCookie((await log_in(browser)).headers["Set-Cookie"])
    csrf = await (await browser.get("/token")).text()
    response = await browser.post("/session/end", data={"csrf": csrf}, allow_redirects=False)
    assert (response.status, response.headers["Location"]) == (303, "/login")
    assert response.headers["Set-Cookie"] == "ocpp-bridge=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict"
    copied = {"Cookie": f"ocpp-bridge={made['ocpp-bridge'].value}"}
    assert (await browser.get(STATUS, headers=copied)).status == 401


async def test_a_page_leads_whoever_is_not_logged_in_to_the_login_page(browser: TestClient) -> None:
    response = await browser.get("/token?a=1&b=/x", allow_redirects=False)
    assert (response.status, response.headers["Location"]) == (303, "/login?next=/token%3Fa%3D1%26b%3D/x")
    forged = {"Cookie": "ocpp-bridge=" + "A" * 119}
    assert (await browser.get("/token", headers=forged, allow_redirects=False)).status == 303


async def test_a_form_that_says_no_length_or_is_large_is_not_read(browser: TestClient) -> None:
    large = await browser.post("/session", data={"key": "x" * 20_000})
    assert large.status == 400
    headers = {"Content-Type": "application/x-www-form-urlencoded"}

    async def pieces() -> Any:
        yield b"key=x"

    assert (await browser.post("/session", data=pieces(), headers=headers)).status == 400
