"""EVSEs that an account may not show are named before anything is sent."""

from bridge.app.belonging import foreign_warnings
from bridge.core.model import EvseId
from bridge.settings import Settings


def settings(*sub_operators: str) -> Settings:
    account = {
        "kind": "oicp",
        "base_url": "http://127.0.0.1:1",
        "operator_id": "DE*HUB",
        "sub_operator_ids": list(sub_operators),
    }
    other = {**account, "operator_id": "DE*XYZ", "sub_operator_ids": []}
    operators = {
        "acme": {"name": "Acme", "accounts": ["hub"]},
        "xyz": {"name": "Xyz", "accounts": ["other"]},
    }
    return Settings.model_validate({"accounts": {"hub": account, "other": other}, "operators": operators})


def evses(*ids: str, operator: str = "acme") -> list[tuple[EvseId, str]]:
    return [(EvseId(id_), operator) for id_ in ids]


def test_evses_of_the_account_and_its_sub_operators_are_right_in_any_spelling() -> None:
    listed = [*evses("DE*HUB*E1", "DEABCE2", "+49*810*000*438"), *evses("DE*XYZ*E1", operator="xyz")]
    assert foreign_warnings(settings("DE*ABC", "49*810"), listed) == []


def test_evses_of_others_are_named_and_counted_for_each_account() -> None:
    listed = [*evses(*(f"DE*ABC*E{number}" for number in range(1, 6))), *evses("DE*HUB*E1", operator="xyz")]
    assert foreign_warnings(settings(), listed) == [
        "accounts.hub cannot send DE*ABC*E1, DE*ABC*E2, DE*ABC*E3 and 2 more: of neither DE*HUB nor its "
        "sub_operator_ids",
        "accounts.other cannot send DE*HUB*E1: of neither DE*XYZ nor its sub_operator_ids",
    ]
