"""Show the product at work: mock hubs, the bridge and a fleet, with one live table, and at the end a check.

Never imports the product: it starts the bridge as a process and reads its REST interface. `processes` starts and ends
the children, `sources` reads them, `view` joins what they say, `table` shows it, `agreement` compares (pure), `session`
does all of it in order.
"""
