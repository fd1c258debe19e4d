"""What `ocpp-bridge quirks` lists of the release by itself."""

from __future__ import annotations

import json

from typer.testing import CliRunner

from bridge.cli.command import app


def test_every_profile_is_a_line_with_what_it_is_for_and_what_it_changes() -> None:
    result = CliRunner().invoke(app, ["quirks"])
    assert result.exit_code == 0
    (line,) = [line for line in result.stdout.splitlines() if "abb-terra-ac" in line]
    assert "vendor abb, model *tac*" in line
    assert "GetConfiguration(MeterValuesSampledData) only if insisted on" in line
    assert "lbbrhzn/ocpp#1275" in line


def test_the_profiles_are_one_document_too() -> None:
    result = CliRunner().invoke(app, ["quirks", "--json"])
    items = {item["name"]: item for item in json.loads(result.stdout)["items"]}
    assert items["no-pings"]["automatic"] is False
    assert items["no-pings"]["changes"] == ["no pings"]
    assert items["alfen"]["vendor"] == ["alfen*"]
