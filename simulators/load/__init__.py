"""Load a central system with many stations that do little, and measure how it answers.

Never imports the product, and shares no code with a server: connections are aiohttp's client. Whole stations, which
behave like cars and hardware, are the `fleet`'s. The data's way: `command` → `crew` (processes) → `worker` (orders) →
`crowd` (all stations of a process) → `station` → the central system, and back by `tally` to `report`.
"""
