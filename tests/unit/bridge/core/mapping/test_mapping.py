"""The choice of a hub's mapping, and that the twins are twins."""

import pytest

from bridge.core.mapping import UnknownKind, chargeprice, mapping_for, oicp


def test_each_kind_of_hub_has_its_mapping() -> None:
    assert mapping_for("oicp") is oicp
    assert mapping_for("chargeprice") is chargeprice


@pytest.mark.parametrize("kind", ["", "OICP", "spirii", "hubject"])
def test_unknown_kind_is_an_error_that_names_the_kinds(kind: str) -> None:
    with pytest.raises(UnknownKind, match="oicp or chargeprice") as caught:
        mapping_for(kind)
    assert caught.value.kind == kind


def test_twins_offer_the_same_names_in_the_same_order() -> None:
    def own(module: object) -> list[str]:
        return [name for name in vars(module) if not name.startswith("_")]

    assert own(oicp) == own(chargeprice)
