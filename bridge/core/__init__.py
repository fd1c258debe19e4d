"""Decide: what an EVSE's effective status is, what each hub must be told, when, and what its answer means.

Pure: no I/O, no clock, no randomness, no logging. Before it: facts that `bridge.store` loaded. After it: rows that
`bridge.store` writes and requests that `bridge.upstreams` sends.
"""
