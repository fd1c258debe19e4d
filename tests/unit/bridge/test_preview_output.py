"""What an operator reads before an account goes live."""

import io

from rich.console import Console

from bridge.cli.output import print_preview
from bridge.core.modes import Mode
from bridge.web.shapes import UpstreamPreview


def printed(**more: object) -> list[str]:
    preview = UpstreamPreview(
        name="hubject",
        kind="oicp",
        mode=Mode.OFF,
        total=5,
        known=3,
        unknown=1,
        absent=1,
        values={"Occupied": 3, "Unknown": 2},
        full_load="confirmed",
        asks_full_load=True,
    )
    out = io.StringIO()
    print_preview(preview.model_copy(update=more), Console(file=out, highlight=False, soft_wrap=True))
    return out.getvalue().splitlines()


def test_statuses_alone_say_nothing_of_data() -> None:
    assert printed() == [
        "hubject (oicp), now off: 5 EVSEs (3 known, 1 unknown, 1 never heard of)",
        "  Occupied: 3",
        "  Unknown: 2",
    ]


def test_data_goes_first_and_what_has_none_is_counted() -> None:
    assert printed(data=4)[-1] == "  data of 4 EVSEs first; without listed data: 1"


def test_evses_of_another_operator_are_named() -> None:
    assert printed(foreign=("DE*XYZ*E1", "DE*XYZ*E2"))[-1] == (
        "  not sent, of another operator: 2 (DE*XYZ*E1, DE*XYZ*E2)"
    )
