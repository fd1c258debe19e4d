"""Speak HTTP to the hubs: one adapter per upstream, each answer classified once, in one place.

Never decides when to send or what; never touches the store. Before it: `bridge.lane`. After it: the hub.
"""
