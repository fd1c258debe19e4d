"""docs/security.md says of every request which role it needs, and whether keys bound to operators may use it."""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests" / "integration" / "web"))

from bridge.core.roles import Role  # noqa: E402 - the fakes lie beside their own tests
from bridge.web.route_table import ROUTES  # noqa: E402
from bridge.web.routes import create_app  # noqa: E402
from tests.integration.web.conftest import FakeServices  # noqa: E402

_ROW = re.compile(r"^\| `([A-Z]+) (/\S*)` \| (\w+) \| (yes )?\|$", re.MULTILINE)


def documented() -> set[tuple[str, str, str, bool]]:
    page = (ROOT / "docs" / "security.md").read_text("utf-8")
    return {(method, path, role, bool(scoped)) for method, path, role, scoped in _ROW.findall(page)}


def known() -> set[tuple[str, str, str, bool]]:
    routes = create_app(FakeServices(), "x" * 40)[ROUTES].values()
    return {(route.method, route.template, route.role or "open", route.scoped) for route in routes}


def test_the_table_of_roles_is_what_the_code_does() -> None:
    assert len(documented()) > 40
    assert documented() == known()


def test_whatever_changes_something_needs_more_than_looking() -> None:
    kept = {("POST", "/session", "open"), ("POST", "/session/end", Role.VIEWER)}
    looked = {
        (method, path, role)
        for method, path, role, _ in documented()
        if method != "GET" and role in ("open", Role.VIEWER)
    }
    assert looked == kept


def test_whoever_is_not_let_in_learns_only_that_we_live() -> None:
    opened = {(method, path) for method, path, role, _ in documented() if role == "open"}
    assert opened == {
        ("GET", "/assets/{digest}/{name}"),
        ("GET", "/livez"),
        ("GET", "/readyz"),
        ("POST", "/session"),
    }
