"""Move one account's due rows to its hub: due → push → settle, one request in flight, for ever.

Level-triggered: a wake-up carries nothing, the next step is read from the store each time, and a lost wake-up costs at
most `idle`. One transaction settles the last request and marks the next as in flight, so that a crash at any point
leaves a row that says what may have been sent. `turns` and `settling` are what happens in that transaction, `shell` is
the loop around it. Before it: `derive` made rows due. After it: `upstreams`. Decisions are those of `core.reconcile`
and `core.full_load`.
"""

from bridge.lane.model import DocumentOptions, LaneLost, LaneOptions
from bridge.lane.shell import AccountLane

__all__ = ["AccountLane", "DocumentOptions", "LaneLost", "LaneOptions"]
