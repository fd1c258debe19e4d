from __future__ import annotations

import pytest

from csms.reply_options import IdTagPolicy, ReplyOptions

CASES = {
    "reject": (IdTagPolicy.REJECT, "04ABBE2A266581", False),
    "accept": (IdTagPolicy.ACCEPT, "04ABBE2A266581", True),
    "accept without a tag": (IdTagPolicy.ACCEPT, None, True),
    "list has it": (IdTagPolicy.LIST, "04ABBE2A266581", True),
    "list has it in another case": (IdTagPolicy.LIST, "04abbe2a266581", True),
    "list has it not": (IdTagPolicy.LIST, "04ABBE2A266582", False),
    "list without a tag": (IdTagPolicy.LIST, None, False),
    "list and a number": (IdTagPolicy.LIST, 4, False),
}


@pytest.mark.parametrize(("policy", "tag", "expected"), CASES.values(), ids=CASES.keys())
def test_id_tag_policy_decides_who_may_charge(policy: IdTagPolicy, tag: object, expected: bool) -> None:
    options = ReplyOptions(id_tags=policy, id_tag_list=frozenset({"04aBbe2a266581"}))
    assert options.authorises(tag) is expected


def test_nobody_may_charge_unless_an_operator_says_so() -> None:
    assert not ReplyOptions().authorises("04ABBE2A266581")


def test_options_with_equal_settings_are_equal() -> None:
    assert ReplyOptions(id_tag_list=frozenset({"A"})) == ReplyOptions(id_tag_list=frozenset({"A"}))
