from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest
from aiohttp.test_utils import TestClient

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
