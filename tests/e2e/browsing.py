"""Browse as a person does, and notice what a person would not: complaints in the console, and requests to elsewhere.

Never waits for a time: `expect` of playwright waits for what a page shows. Before it: each test. After it: Chromium.
"""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, Request, StorageState, expect

from tests.acceptance.harness import Site

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
Scheme = Literal["light", "dark"]
DESKTOP = (1280, 860)
PHONE = (375, 812)
_LOGGED_IN: dict[str, StorageState] = {}
"""Cookies of the administrator by the bridge's address: nobody has to log in again for each window."""
SHOTS = os.environ.get("SCREENSHOTS", "")
"""Folder for pictures of the pages; empty: none are made."""

expect.set_options(timeout=15_000)


def chromium_path() -> str:
    """Return where Chromium is: CHROMIUM, or what is installed. Raises: RuntimeError where there is none."""
    given = os.environ.get("CHROMIUM")
    found = given or next((path for name in _NAMES if (path := shutil.which(name))), None)
    if found is None or not Path(found).exists():
        raise RuntimeError("no Chromium is found: `make e2e` installs Debian's, or set CHROMIUM to its path")
    return found


class Visitors:
    """Everybody who looks at pages in one test."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._contexts: list[BrowserContext] = []
        self._complaints: list[str] = []
        self._expected: list[str] = []

    async def __aenter__(self) -> Self:
        """Nobody is there yet."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close every browser window."""
        for context in self._contexts:
            await context.close()

    def expect_complaint(self, pattern: str) -> None:
        """Say which complaint of the console belongs to the test: a failed request shows there as an error."""
        self._expected.append(pattern)

    def complaints(self) -> list[str]:
        """Return what pages complained about, and what they asked elsewhere for, that nobody expects."""
        return [text for text in self._complaints if not any(re.search(pattern, text) for pattern in self._expected)]

    async def open(
        self,
        site: Site,
        path: str = "/",
        *,
        key: str | None = "",
        size: tuple[int, int] = DESKTOP,
        scheme: Scheme = "light",
        **options: Any,
    ) -> Page:
        """Return a window on a path of the bridge; `key` "": the administrator's, None: nobody is logged in."""
        first = key == "" and site.web_url not in _LOGGED_IN
        context = await self._browser.new_context(
            storage_state=_LOGGED_IN.get(site.web_url) if key == "" else None,
            base_url=site.web_url,
            viewport={"width": size[0], "height": size[1]},
            color_scheme=scheme,
            reduced_motion="reduce",
            **options,
        )
        self._contexts.append(context)
        page = await context.new_page()
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self._complaints.append(f"error: {error}"))
        page.on("request", lambda request: self._asked(site, request))
        if key or first:
            await log_in(page, key or site.admin_key, path)
        else:
            await page.goto(path)
        if first:
            _LOGGED_IN[site.web_url] = await context.storage_state()
        return page

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self._complaints.append(f"{message.type}: {message.text} ({message.location.get('url', '')})")

    def _asked(self, site: Site, request: Request) -> None:
        if not request.url.startswith((f"{site.web_url}/", "data:", "blob:")):
            self._complaints.append(f"asked elsewhere: {request.url}")


async def log_in(page: Page, key: str, path: str = "/") -> None:
    """Log in as a person does who followed a link to `path`, and arrive there."""
    await page.goto(path)
    await page.get_by_label("Key").fill(key)
    await page.get_by_role("button", name="Log in").click()
    await page.wait_for_url(lambda url: not url.split("?")[0].endswith("/login"))


async def overflow(page: Page) -> int:
    """Return by how many pixels the page is wider than its window."""
    return int(await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


async def shoot(page: Page, name: str) -> None:
    """Make a picture of what the window shows, where pictures are made."""
    if SHOTS:
        await page.screenshot(path=str(Path(SHOTS) / f"{name}.png"), animations="disabled", caret="hide")


async def hide(page: Page, *, hidden: bool = True) -> None:
    """Put the window's tab behind another one, or in front again, as far as the page is told."""
    await page.evaluate(
        """(hidden) => {
          Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
          document.dispatchEvent(new Event("visibilitychange"));
        }""",
        hidden,
    )
