"""docs/cli.md and docs/configuration.md are what the code makes them, and every key and command is described."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bridge.settings.keys import known_keys
from tests.documents.configuration import default_of, described, field_of, takes
from tests.documents.write import DOCS, DOCUMENTS


@pytest.mark.parametrize(("name", "document"), [pytest.param(*each, id=each[0]) for each in DOCUMENTS.items()])
def test_the_document_is_as_the_code_makes_it(name: str, document: Callable[[], str]) -> None:
    assert (DOCS / name).read_text(encoding="utf-8") == document(), f"docs/{name} is out of date: make docs"


@pytest.mark.parametrize("document", DOCUMENTS.values(), ids=DOCUMENTS)
def test_no_document_says_where_it_was_made(document: Callable[[], str]) -> None:
    assert str(DOCS.parent) not in document()


def test_every_key_of_the_configuration_has_a_meaning() -> None:
    assert [".".join(one.key) for one in described() if len(one.meaning) < 12] == []


def test_every_key_of_the_configuration_is_described() -> None:
    assert set(known_keys()) - {one.key for one in described()} - {("accounts", "*", "map")} == set()


def test_what_a_key_takes_is_said_in_the_words_of_its_check() -> None:
    fields = {".".join(one.key): field for one in described() if (field := field_of(one)) is not None}
    assert takes(fields["status.offline_after"]) == "duration, 0.1 s to 7 d"
    assert takes(fields["ocpp.port"]) == "whole number, 0 to 65535"
    assert takes(fields["ocpp.id_tags"]) == "`reject`, `list` or `accept`"
    assert takes(fields["ocpp.accept_from"]) == "list of networks such as 10.0.0.0/8 or ::1"
    assert default_of(fields["status.offline_after"]) == '`"15 min"`'
    assert default_of(fields["ocpp.listeners.*.port"]) == "needed"
