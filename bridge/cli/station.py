"""Parse `ocpp-bridge station …`: what there is to know of one charging station, and to do with it.

Holds the group; its verbs are in modules of their own.
"""

from __future__ import annotations

from bridge.cli.run import new_group

app = new_group("Charging stations.")
