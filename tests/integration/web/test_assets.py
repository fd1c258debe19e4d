from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest
from aiohttp.test_utils import TestClient
from yarl import URL

from bridge.web.assets import asset_url

VENDORED = Path(__file__).parents[3] / "bridge/web/static/vendor/swagger-ui"
STYLE = "vendor/swagger-ui/swagger-ui.css"


@pytest.mark.parametrize(
    ("name", "media"),
    [
        pytest.param(STYLE, "text/css; charset=utf-8", id="style"),
        pytest.param("vendor/swagger-ui/swagger-ui-bundle.js", "text/javascript; charset=utf-8", id="script"),
    ],
)
async def test_a_file_is_open_and_may_be_kept_for_good(client: TestClient, name: str, media: str) -> None:
    response = await client.get(asset_url(name))
    assert response.status == 200
    assert response.headers["Content-Type"] == media
    assert response.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert len(await response.read()) > 100_000


def test_an_address_carries_the_digest_of_what_is_served() -> None:
    assert re.fullmatch(r"/assets/[0-9a-f]{16}/vendor/swagger-ui/swagger-ui\.css", asset_url(STYLE))


async def test_the_address_of_another_version_is_404_and_is_not_kept(client: TestClient) -> None:
    response = await client.get(f"/assets/{'0' * 16}/{STYLE}")
    assert (response.status, response.headers["Cache-Control"]) == (404, "no-store")


@pytest.mark.parametrize(
    "name",
    [
        "../assets.py",
        "%2e%2e/assets.py",
        "..%2fassets.py",
        "vendor/../../assets.py",
        "/etc/passwd",
        "%2fetc%2fpasswd",
        "vendor",
        "vendor/swagger-ui/README.md",
        "vendor/swagger-ui/swagger-ui.css%00",
    ],
)
async def test_nothing_but_the_files_of_the_folder_is_served(client: TestClient, name: str) -> None:
    start = asset_url(STYLE).removesuffix(STYLE)
    response = await client.get(URL(f"{start}{name}", encoded=True))
    assert response.status in (401, 404)


def test_a_template_that_names_no_file_is_a_mistake() -> None:
    with pytest.raises(LookupError, match=r"there is no file 'vendor/none\.css' in static"):
        asset_url("vendor/none.css")


@pytest.mark.parametrize("name", ["swagger-ui-bundle.js", "swagger-ui.css"])
def test_vendored_files_are_those_that_their_note_names(name: str) -> None:
    digest = hashlib.sha256((VENDORED / name).read_bytes()).hexdigest()
    assert f"| {name} | `{digest}` |" in (VENDORED / "README.md").read_text()
