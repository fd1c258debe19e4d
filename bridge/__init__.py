"""Bridge charging stations and roaming hubs: facts, effective, mapped, desired, acked, moved by lanes.

The folders in the order of the data's way: `core` decides, `store` remembers, `upstreams` speaks HTTP, `derive`,
`intake`, `lane` and `ticker` move, `web` shows. `app` puts them together.
"""
