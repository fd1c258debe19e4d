"""Show, and take operators' orders: the REST interface, today for the command line and scripts.

Never decides anything about a status, a delivery or a hub, and never touches the store: it asks `services`, which
`bridge.app` supplies. Before it: an operator. After it: the store's reads and its one writer.
"""
