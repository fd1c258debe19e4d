from __future__ import annotations

import asyncio
import hashlib
import re
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from bridge.web.pages.public import PublicOptions
from bridge.web.routes import create_app

WEB = Path(__file__).parents[3] / "bridge/web"
BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


async def test_a_page_lets_nothing_in_from_elsewhere_and_no_script_of_its_own(
    client: TestClient, admin: dict[str, str]
) -> None:
    response = await client.get("/", headers=admin)
    policy = response.headers["Content-Security-Policy"].split("; ")
    assert response.status == 200
    assert response.content_type == "text/html"
    assert policy[0] == "default-src 'self'"
    assert {"object-src 'none'", "base-uri 'none'", "form-action 'self'", "frame-ancestors 'none'"} <= set(policy)
    assert "unsafe" not in response.headers["Content-Security-Policy"]
    assert response.headers["Referrer-Policy"] == "same-origin"
    assert response.headers["X-Frame-Options"] == "DENY"
    assert response.headers["Cache-Control"] == "no-store"


def test_no_template_has_an_inline_script_style_or_handler() -> None:
    found = []
    for path in sorted((WEB / "templates").rglob("*.html")):
        text = path.read_text()
        found += [(path.name, hit) for hit in re.findall(r"<script(?![^>]*\ssrc=)|<style|\sstyle=|\son[a-z]+=", text)]
        found += [(path.name, hit) for hit in re.findall(r"\|\s*safe\b|Markup|autoescape", text)]
    assert found == []


async def test_a_failure_is_a_page_where_a_browser_asked(client: TestClient, admin: dict[str, str]) -> None:
    response = await client.get("/nowhere", headers=admin | BROWSER)
    assert (response.status, response.content_type) == (404, "text/html")
    text = await response.text()
    assert "there is nothing at /nowhere" in text
    assert response.headers["X-Request-ID"] in text


@pytest.mark.parametrize(
    ("path", "accept"),
    [
        pytest.param("/nowhere", "*/*", id="a-program-asked"),
        pytest.param("/api/v1/nowhere", BROWSER["Accept"], id="the-rest-interface"),
        pytest.param("/v2/temporary-evse-statuses/0", BROWSER["Accept"], id="spiriis-contract"),
    ],
)
async def test_a_failure_stays_a_problem_for_programs(
    client: TestClient, admin: dict[str, str], path: str, accept: str
) -> None:
    response = await client.get(path, headers=admin | {"Accept": accept})
    assert response.status == 404
    assert response.content_type != "text/html"


async def test_a_failure_page_shows_what_was_asked_as_text(client: TestClient, admin: dict[str, str]) -> None:
    response = await client.get("/%3Cscript%3Ealert(1)%3C/script%3E", headers=admin | BROWSER)
    text = await response.text()
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert(1)" in text


async def test_the_login_page_is_open_and_keeps_the_return_path(client: TestClient) -> None:
    response = await client.get("/login", params={"next": "/?status=faulted", "failed": "1"})
    text = await response.text()
    assert response.status == 200
    assert '<input type="hidden" name="next" value="/?status=faulted">' in text
    assert 'role="alert"' in text


def test_htmx_is_what_its_note_names() -> None:
    folder = WEB / "static/vendor/htmx"
    digest = hashlib.sha256((folder / "htmx.min.js").read_bytes()).hexdigest()
    assert f"| htmx.min.js | `{digest}` |" in (folder / "README.md").read_text()


async def test_the_overview_asks_for_what_its_address_says_problems_first(
    client: TestClient, admin: dict[str, str], services: Any
) -> None:
    await client.get("/?status=faulted&status=unknown&connected=false&q=e1", headers=admin)
    query = next(order[1] for order in services.orders if order[0] == "list EVSEs")
    assert ([status.value for status in query.statuses], query.connected, query.q, query.sort) == (
        ["faulted", "unknown"],
        False,
        "e1",
        "problems",
    )


async def test_a_filter_that_is_none_is_a_page_that_says_so(client: TestClient, admin: dict[str, str]) -> None:
    response = await client.get("/?status=broken", headers=admin | BROWSER)
    assert (response.status, response.content_type) == (400, "text/html")
    assert "status should be one of available" in await response.text()


@pytest.mark.parametrize(
    "address",
    [
        "/?problems=true",
        "/?q=&status=&account=&state=&connected=&problems=",
        "/deliveries?account=&outcome=&kind=&span=&evse_id=",
        "/stations?q=&connected=&version=&vendor=",
        "/temporary?evse=",
    ],
)
async def test_a_form_may_send_its_empty_fields(client: TestClient, admin: dict[str, str], address: str) -> None:
    response = await client.get(address, headers=admin | BROWSER)
    assert (response.status, response.content_type) == (200, "text/html")


async def test_the_shortcut_for_problems_leads_to_a_page(client: TestClient, admin: dict[str, str]) -> None:
    found = re.findall(r'location\.assign\("(/\?[^"]+)"\)', (WEB / "static/app.js").read_text())
    assert len(found) == 1
    assert (await client.get(found[0], headers=admin | BROWSER)).status == 200


@pytest.mark.parametrize("address", ["/public?status=busy&q=E1", "/public?q=e1&after=A", "/public?status=&q="])
async def test_the_page_for_everybody_takes_its_own_filters(services: Any, token: str, address: str) -> None:
    async with TestClient(TestServer(create_app(services, token, public=PublicOptions(on=True)))) as client:
        page = await client.get(address)
        assert page.status == 200
        assert "DE*ABC*E1" in await page.text()


async def test_the_search_leads_to_evses(client: TestClient, admin: dict[str, str]) -> None:
    found = (await (await client.get("/search?q=DE*ABC", headers=admin)).json())["found"]
    assert found[0] == {"name": "DE*ABC*E1", "about": "charging", "href": "/evses/DE*ABC*E1"}


async def test_the_page_of_an_evse_that_is_none_is_404(client: TestClient, admin: dict[str, str]) -> None:
    response = await client.get("/evses/DE*ABC*E404", headers=admin | BROWSER)
    assert (response.status, response.content_type) == (404, "text/html")


@pytest.mark.parametrize("path", ["/public", "/public.json"])
async def test_there_is_no_page_for_everybody_unless_the_configuration_says_so(client: TestClient, path: str) -> None:
    assert (await client.get(path)).status == 404


@pytest.mark.parametrize(("indexed", "robots"), [(False, "noindex, nofollow"), (True, None)])
async def test_the_page_for_everybody_tells_ids_and_words_alone(
    services: Any, token: str, indexed: bool, robots: str | None
) -> None:
    app = create_app(services, token, public=PublicOptions(on=True, indexed=indexed))
    async with TestClient(TestServer(app, host="127.0.0.1")) as client:
        page = await client.get("/public")
        document = await client.get("/public.json")
        text, found = await page.text(), (await document.json())["evses"]
        assert (page.status, document.status) == (200, 200)
        assert {"evse_id": "DE*ABC*E1", "status": "busy"} in found
        assert all(set(item) == {"evse_id", "status"} for item in found)
        assert "CS-1" not in text
        assert "hubject" not in text.lower()
        assert page.headers["Cache-Control"] == "public, max-age=10"
        assert page.headers.get("X-Robots-Tag") == robots


async def test_many_visitors_of_the_page_for_everybody_cost_one_look_and_one_rendering(
    services: Any, token: str
) -> None:
    async with TestClient(TestServer(create_app(services, token, public=PublicOptions(on=True)))) as client:

        async def visit(path: str) -> str:
            return await (await client.get(path)).text()

        pages = await asyncio.gather(*(visit("/public") for _ in range(20)), visit("/public.json"))
        services.evses.clear()
        again, other = await visit("/public"), await visit("/public?q=DE*ABC*E1")
    assert [order for order in services.orders if order == ("read statuses",)] == [("read statuses",)]
    assert len({*pages[:20], again}) == 1
    assert "DE*ABC*E5" in again
    assert "DE*ABC*E1" in other
    assert "DE*ABC*E5" not in other


async def test_a_notice_for_one_visitor_is_shown_to_nobody_else(services: Any, token: str) -> None:
    async with TestClient(TestServer(create_app(services, token, public=PublicOptions(on=True)))) as client:
        told = await (await client.get("/public", cookies={"ocpp_bridge_notice": "only%20for%20you"})).text()
        client.session.cookie_jar.clear()
        other = await (await client.get("/public")).text()
    assert "only for you" in told
    assert "only for you" not in other


@pytest.mark.parametrize(("path", "question"), [("/", "evses"), ("/stations", "stations")])
async def test_only_a_window_that_updates_itself_waits_until_many_can_be_answered_at_once(
    client: TestClient, admin: dict[str, str], services: Any, path: str, question: str
) -> None:
    for headers in ({}, {"X-Live": "1"}):
        assert (await client.get(path, headers=admin | headers)).status == 200
    assert [order for order in services.orders if order[0] == question] == [(question, False), (question, True)]
