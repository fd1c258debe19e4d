"""Pretend to be a fleet of charging stations, of OCPP 1.6, 2.0.1 and 2.1, that live by a seed, well or badly.

Never imports the product: a fleet meets it on the wire only. `plan` says which stations there are (by `layout` and
`quirks`), `behaviour` what happens to them (all pure), `station16`, `station201` and `station21` say it in OCPP,
`station` lives one station's life over its `link`, `journal` remembers what was said and answered, `fleet` runs them
all, `control` answers questions over HTTP.
"""
