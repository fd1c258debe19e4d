"""Run `ocpp-bridge` with a deciding heart that answers `available` always: what the demo and the tests must notice.

Used as a command, in the place of `ocpp-bridge`.
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

import bridge.cli
import bridge.derive
from bridge.core.effective import effective
from bridge.core.model import Effective, EvseStatus


def _always_available(*arguments: Any) -> Effective:
    return replace(effective(*arguments), status=EvseStatus.AVAILABLE, live=EvseStatus.AVAILABLE)


if __name__ == "__main__":
    bridge.derive.effective = _always_available
    bridge.cli.main()
