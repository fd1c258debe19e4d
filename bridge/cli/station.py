"""Parse `ocpp-bridge station …`: what there is about single charging stations.

Never asks the bridge: the verbs do. Before it: `command`, which registers them. After it: `run`.
"""

from __future__ import annotations

from bridge.cli.run import new_group

app = new_group("Charging stations.")
