"""Pretend: a fleet of charging stations and the hubs, so that the product can be run and tested whole.

Never imports `csms` or `bridge`: both meet them only on the wire.
"""
