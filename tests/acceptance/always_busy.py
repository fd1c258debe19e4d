"""Run `ocpp-bridge` as one that finds itself busy at each look. Used as a command, in the place of `ocpp-bridge`."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import bridge.app.parts
import bridge.cli
from bridge.app.gathering import Gathering
from bridge.core.gathering import GatherOptions

if __name__ == "__main__":
    options = GatherOptions(busy=0.0, calm=0.0, look_every=timedelta(milliseconds=20))
    bridge.app.parts.Gathering = partial(Gathering, options=options)  # type: ignore[misc, assignment]
    bridge.cli.main()
