"""Serve the files that pages are made with: styles, scripts, pictures, ours and others' (`static/vendor`).

Never reads a file at a request, and never a path: the few files of `static` are read once, and looked up by name. Their
addresses carry a digest of all of them, so that browsers may keep them for good, that files can name each other
relatively, and that a new version of the bridge is seen at once. Before it: pages, which ask `asset_url`. Open to
everybody: there is nothing of an installation in them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType

from aiohttp import web

from bridge.web.route_table import Route

_STATIC = Path(__file__).parent / "static"
_MEDIA = MappingProxyType(
    {
        ".css": "text/css; charset=utf-8",
        ".js": "text/javascript; charset=utf-8",
        ".svg": "image/svg+xml",
        ".png": "image/png",
        ".ico": "image/vnd.microsoft.icon",
        ".woff2": "font/woff2",
        ".webmanifest": "application/manifest+json",
    }
)
"""What is served; other files of the folder (licences, notes) are not."""
_FOR_GOOD = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class Asset:
    """One file."""

    content: bytes
    media: str


@cache
def assets() -> Mapping[str, Asset]:
    """Return every file that is served, by its path below `static`, for example "vendor/swagger-ui/swagger-ui.css"."""
    return MappingProxyType(
        {
            path.relative_to(_STATIC).as_posix(): Asset(path.read_bytes(), _MEDIA[path.suffix])
            for path in sorted(_STATIC.rglob("*"))
            if path.suffix in _MEDIA and path.is_file()
        }
    )


@cache
def asset_url(name: str) -> str:
    """Return the address of a file, by its path below `static`. Raises: LookupError where there is none."""
    if name not in assets():
        raise LookupError(f"there is no file {name!r} in {_STATIC.name}")
    return f"/assets/{_digest()}/{name}"


@cache
def _digest() -> str:
    found = hashlib.sha256()
    for name, asset in assets().items():
        found.update(f"{name}\0{len(asset.content)}\0".encode())
        found.update(asset.content)
    return found.hexdigest()[:16]


class AssetRoutes:
    """The table of these routes."""

    def routes(self) -> Iterable[Route]:
        """Return every request of this table."""
        yield Route(
            "GET",
            "/assets/{digest:[0-9a-f]{16}}/{name:.+}",
            self.file,
            None,
            "Give a file of the pages.",
            "pages",
            media="application/octet-stream",
            described=False,
        )

    async def file(self, request: web.Request) -> web.Response:
        """One of another version is not there: it would be kept for good under the wrong address."""
        found = assets().get(request.match_info["name"])
        if found is None or request.match_info["digest"] != _digest():
            raise web.HTTPNotFound
        return web.Response(body=found.content, headers={"Content-Type": found.media, "Cache-Control": _FOR_GOOD})
